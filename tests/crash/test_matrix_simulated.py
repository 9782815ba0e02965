"""The hub killed after every kind of event and at random moments, over the simulated stack: same end, nothing twice.

A story is what a person does: bring it up, answer or mend what is asked, later look again. It is told once undisturbed
and once with hubs that die; both must come to the same.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from demo.mortal import Death, Mortal
from demo.small import Driver, Part, hub_stack, world_of
from shiftboss.brains.policy import PolicyBrain
from shiftboss.chaos.simulator import stack_for
from shiftboss.chaos.world import World
from shiftboss.model.events import Delegated, Denied, Learned, MendedByHand, NoteAdded, Settled
from shiftboss.model.failure import FailureKind
from shiftboss.model.fault import Fault
from shiftboss.model.move import Decision, Mode
from shiftboss.model.observation import Health
from shiftboss.model.run import Ending
from shiftboss.model.situation import Situation
from shiftboss.packs.mining.faults.catalogue import FAULTS
from shiftboss.packs.mining.pack import PACK

SEEDS, PER_TEST = 200, 20
KNOWN = {fault.name: fault for fault in FAULTS}
UNDONE = ("interrupted", "cancelled")

Tell = Callable[..., Mortal]


@pytest.fixture(scope="module")
def world() -> World:
    return World(stack_for(PACK), FAULTS)


@pytest.fixture
def tell(world: World, tmp_path: Path) -> Iterator[Tell]:
    """Makes stories' stacks; their stores are closed afterwards."""
    made: list[Mortal] = []

    def make(names: Sequence[str], seed: object = 0, death: Death | None = None, **more) -> Mortal:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Mortal(world, folder, str(seed), names, KNOWN[names[0]].moment, death, **more))
        return made[-1]

    yield make
    for one in made:
        one.database.close()


def story(stack: Mortal) -> list[Ending]:
    """Bring it up; help where help is asked for; look again when it is clear what lasted."""
    endings = [stack.up()]
    if endings[0] is Ending.NEEDS_APPROVAL:
        stack.answer()
        endings.append(stack.resume())
    elif endings[0] is not Ending.CONVERGED:
        stack.mend()
        endings.append(stack.resume())
    stack.rest(100.0)
    return [*endings, stack.up()]


def met(seed: int) -> list[Fault]:
    """The faults of a seed: each of the catalogue in its turn, often with a second one."""
    chance = Random(f"faults {seed}")
    first = FAULTS[seed % len(FAULTS)]
    others = [one for one in FAULTS if one.moment is first.moment and one is not first and not one.recurs]
    return [first, chance.choice(others)] if seed >= len(FAULTS) and chance.random() < 0.6 else [first]


def check(calm: Mortal, killed: Mortal, faults: Sequence[Fault]) -> None:
    """What must be the same, whoever dies."""
    shape = killed.site.world.shape
    shaken = {*shape.processes, *shape.inside, shape.proof} if any(one.recurs for one in faults) else set()
    assert _but(killed.healths(), shaken) == _but(calm.healths(), shaken)
    if not shaken:  # a run taken up again has its budgets anew, and spends them on what never lasts
        again = recoveries(killed) - recoveries(calm)  # a new run may try once more what failed in the old one
        assert killed.starts() == calm.starts() or again > 0
        assert all(number <= calm.starts()[name] + max(0, again) for name, number in killed.starts().items())
    if Mode.UNDO not in {given.order.mode for given in killed.given}:
        assert killed.site.facts.aside == calm.site.facts.aside
    check_books(killed)
    assert killed.undo.open() == [], "what works must not be taken back at the next occasion"


def recoveries(stack: Mortal) -> int:
    return sum(given.order.mode is Mode.RECOVER for given in stack.given)


def check_books(stack: Mortal) -> None:
    """No order was given for what had just been seen to work; memory tells what the journal tells, once."""
    assert [given.order.id for given in stack.given if given.first and given.was_ready] == []
    assert {(one.signature, one.strategy): (one.lasted, one.failed) for one in stack.memory.lessons()} == taught(stack)
    settled = Counter(event.id for event in stack.events(Settled))
    assert set(settled.values()) <= {1}
    learned = Counter(event.delegation for event in stack.events(Learned))
    assert set(learned.values()) <= {1}
    assert not learned.keys() & {credit.delegation for credit in stack.memory.credits(["sim"], "")}
    remedies = Counter(remedy.signature for remedy in stack.memory.remedies())
    assert remedies == Counter(event.signature for event in stack.events(MendedByHand))


def taught(stack: Mortal) -> dict[tuple[str, str], tuple[int, int]]:
    """The lessons that follow from the journal, by signature and strategy."""
    orders = {event.id: event for event in stack.events(Delegated)}
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for record in stack.records():
        event = record.event
        order = orders.get(event.id) if isinstance(event, Settled) else None
        if isinstance(event, Learned):
            key, lasted = (event.signature, event.strategy), event.lasted
        elif order is None or order.mode != Mode.RECOVER or event.ok or event.status in UNDONE or not order.treated:
            continue
        else:
            key, lasted = (order.treated, order.strategy), False
        good, bad = found.get(key, (0, 0))
        found[key] = (good + 1, bad) if lasted else (0, bad + 1)
    return found


def by_hand(stack: Mortal) -> set[str]:
    """The failures that a person is said to have mended."""
    return {one.signature for one in stack.memory.remedies()}


def _but(healths: dict[str, Health], names: set[str]) -> dict[str, Health]:
    return {name: health for name, health in healths.items() if name not in names}


# -- random moments ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", range(0, SEEDS, PER_TEST))
def test_killed_at_random_moments(tell: Tell, start: int) -> None:
    for seed in range(start, start + PER_TEST):
        faults = met(seed)
        names = [one.name for one in faults]
        calm = tell(names, seed)
        endings = story(calm)
        chance = Random(f"deaths {seed}")
        times = chance.choice((1, 1, 2, 3))
        moments = [(chance.randint(1, calm.death.count), chance.random() < 0.3) for _ in range(times)]
        killed = tell(names, seed, Death(at=sorted(moments)))
        print(f"seed {seed}: {names} killed at {moments} of {calm.death.count}")
        ended = story(killed)
        if any(one.recurs for one in faults):  # whether it is back before a run ends is a matter of seconds
            assert set(ended) <= {Ending.CONVERGED, Ending.ESCALATED}
        else:
            assert ended == endings
        assert killed.death.deaths >= 1
        check(calm, killed, faults)


@pytest.mark.parametrize("name", ["stratum_port_orphan", "block_file_gone", "wallet_missing"])
def test_killed_at_every_single_event(tell: Tell, name: str) -> None:
    calm = tell([name])
    endings = story(calm)
    for number in range(1, calm.death.count + 1):
        for early in (False, True):
            print(f"killed at {number} of {calm.death.count}, {early=}")
            killed = tell([name], number, Death(at=[(number, early)]))
            assert story(killed) == endings
            check(calm, killed, [KNOWN[name]])


# -- every kind of event -------------------------------------------------------------------------------------------


class Stubborn:
    """Wants what is not legal besides what the policy wants."""

    name = "stubborn"

    async def decide(self, situation: Situation) -> Decision | None:
        choice = await PolicyBrain().decide(situation)
        return choice and choice.but(moves=(*choice.moves, "sim/nothing/ensure"))


KINDS = [
    *((kind, "block_file_gone") for kind in ("RunStarted", "Observed", "Decided", "NotAdmitted", "Delegated")),
    *((kind, "block_file_gone") for kind in ("Settled", "EnvironmentEnded", "RunEnded", "NoteAdded")),
    *((kind, "pool_killed") for kind in ("Settled", "Learned")),
    *((kind, "data_folder_locked") for kind in ("ApprovalAsked", "Approved", "RunResumed")),
    *((kind, "data_folder_unwritable") for kind in ("RunResumed", "MendedByHand", "EnvironmentEnded", "RunEnded")),
]


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_killed_at_every_kind_of_event(tell: Tell, kind: str, name: str, early: bool) -> None:
    def begin(death: Death, seed: object = 0) -> Mortal:
        stack = tell([name], seed, death, brain=Stubborn())
        stack.note("look here")
        return stack

    calm = begin(Death(kind=kind))
    endings = story(calm)
    assert calm.death.count > 0
    for number in {1, (calm.death.count + 1) // 2, calm.death.count}:
        for seed in range(3):  # what was in flight has happened, or not, or by half
            killed = begin(Death(at=[(number, early)], kind=kind), f"{kind} {number} {seed}")
            assert story(killed) == endings
            check(calm, killed, [KNOWN[name]])
            assert [event.text for event in killed.events(NoteAdded)] == ["look here"]
            assert by_hand(killed) == by_hand(calm)


@pytest.mark.parametrize("early", [False, True])
def test_a_denial_outlives_its_hub(tell: Tell, early: bool) -> None:
    stack = tell(["data_folder_locked"], death=Death(at=[(1, early)], kind="Denied"))
    assert stack.up() is Ending.NEEDS_APPROVAL
    stack.answer("deny")
    assert stack.resume() is Ending.ESCALATED
    assert stack.death.deaths == 1
    assert len(stack.events(Denied)) == 1
    assert not any(given.order.strategy == "stop_holder" for given in stack.given)


# -- what a dead hub was recovering --------------------------------------------------------------------------------


def killed_amid(tell: Tell, name: str, strategy: str, fate: str) -> Mortal:
    """A stack whose hub died when it had ordered this recovery; `fate` is what came of it."""
    count, calm = 0, tell([name])
    story(calm)
    for event in calm.events(Delegated):
        count += 1
        if event.strategy == strategy:
            break
    stack = tell([name], f"{name} {fate}", Death(at=[(count, False)], kind="Delegated"))
    stack.fates = [fate]
    return stack


@pytest.mark.parametrize("fate", ["nothing", "half", "all"])
@pytest.mark.parametrize(
    ("name", "strategy"), [("block_file_gone", "reset_environment"), ("block_index_corrupt", "reindex")]
)
def test_a_recovery_cut_off_is_taken_back_where_its_component_does_not_work(
    tell: Tell, name: str, strategy: str, fate: str
) -> None:
    stack = killed_amid(tell, name, strategy, fate)
    assert stack.up() is Ending.CONVERGED
    cut = next(event for event in stack.events(Delegated) if event.strategy == strategy)
    undone = [event.undoes for event in stack.events(Delegated) if event.mode == Mode.UNDO]
    works = (strategy, fate) == ("reindex", "all")
    assert undone == ([] if fate == "nothing" or works else [cut.id])
    check_books(stack)


@pytest.mark.parametrize("again", ["resume", "up"])
def test_a_recovery_found_to_have_worked_is_never_taken_back_later(tell: Tell, again: str) -> None:
    stack = killed_amid(tell, "block_index_corrupt", "reindex", "all")
    stack.ways = [again]
    assert stack.up() is Ending.CONVERGED
    stack.rest(1000.0)
    stack.site.strike("daemon_killed")
    assert stack.up() is Ending.CONVERGED
    assert [event for event in stack.events(Delegated) if event.mode == Mode.UNDO] == []
    assert stack.undo.open() == []


def test_a_recovery_that_is_stopped_by_a_person_teaches_nothing(drive: Callable[..., Driver]) -> None:
    stack = hub_stack({"a": ()})
    world = world_of(stack, a=Part(health=Health.BROKEN, failure=FailureKind.DIED, summary="it died"))
    driver = drive(stack, world)
    asyncio.run(driver.one_turn(0, world.look(driver.hub.probes_due())))
    assert [event.mode for event in driver.of(Delegated)] == [Mode.RECOVER]
    driver.cancel()
    driver.hub.end(Ending.INTERRUPTED, "interrupted by the user")
    assert [event.status for event in driver.of(Settled)] == ["cancelled"]
    assert driver.memory.lessons() == []


def test_what_a_dead_hub_had_mended_is_not_said_to_be_mended_by_hand(tell: Tell) -> None:
    stack = killed_amid(tell, "pool_killed", "restart_one", "all")
    stack.ways = ["resume"]
    assert stack.up() is Ending.CONVERGED
    assert stack.death.deaths == 1
    assert stack.events(MendedByHand) == []
    assert stack.memory.remedies() == []
