"""The simulated stack: the same seed is the same run, the rules of the world, the least number of delegations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shiftboss.chaos.search import Search
from shiftboss.chaos.simulator import Case, Simulator, stack_for
from shiftboss.chaos.simulator_cases import Cases
from shiftboss.chaos.simulator_judge import judge
from shiftboss.chaos.weather import CALM, Climate
from shiftboss.chaos.world import World
from shiftboss.model.failure import FailureKind
from shiftboss.model.fault import ENSURE, Fault, Moment
from shiftboss.model.observation import Health
from shiftboss.model.run import Ending
from shiftboss.packs.mining.faults.catalogue import FAULTS
from shiftboss.packs.mining.pack import PACK

KNOWN = {fault.name: fault for fault in FAULTS}


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    made = Simulator(PACK, tmp_path, FAULTS)
    yield made
    made.close()


def play(simulator: Simulator, *names: str, **more: object):
    moment = KNOWN[names[0]].moment if names else Moment.RUNNING
    return simulator.play(Case(seed="test", faults=names, moment=moment, climate=CALM, **more))


@pytest.fixture(scope="module")
def world() -> World:
    return World(stack_for(PACK), FAULTS)


def test_the_same_seed_gives_the_same_run_whatever_was_played_before(simulator: Simulator, tmp_path: Path) -> None:
    cases = Cases(FAULTS, seed=5)
    first = [simulator.play(cases.case(number)) for number in range(30)]
    (tmp_path / "b").mkdir()
    other = Simulator(PACK, tmp_path / "b", FAULTS)
    again = [other.play(Cases(FAULTS, seed=5).case(number)) for number in reversed(range(30))][::-1]
    other.close()
    assert again == first


def test_another_seed_gives_other_cases() -> None:
    assert [Cases(FAULTS, 1).case(n) for n in range(10)] != [Cases(FAULTS, 2).case(n) for n in range(10)]


def test_cases_hold_one_to_three_faults_of_one_moment_and_controls() -> None:
    found = [Cases(FAULTS, 3).case(number) for number in range(400)]
    sizes = {len(case.faults) + len(case.late) for case in found}
    assert sizes == {1, 2, 3}
    assert any(KNOWN[case.faults[0]].control for case in found)
    assert any(case.late for case in found)
    for case in found:
        assert {KNOWN[name].moment for name in case.faults} == {case.moment}
        assert all(KNOWN[name].moment is Moment.RUNNING for _, name in case.late)


def test_a_run_that_nothing_happens_in_gives_no_order(simulator: Simulator) -> None:
    played = play(simulator, "healthy")
    assert (played.ending, played.orders) == (Ending.CONVERGED, ())


def test_a_foreign_stratum_port_is_left_alone_and_the_daemon_runs_on(simulator: Simulator) -> None:
    played = play(simulator, "stratum_port_foreign")
    assert played.ending == Ending.CONVERGED
    assert played.orders[0].act == "relocate_port"
    assert "daemon" not in played.restarted
    assert set(played.after.values()) == {Health.READY}


def test_a_fault_that_always_comes_back_is_given_up_within_the_budget(simulator: Simulator) -> None:
    played = play(simulator, "pool_crash_loop")
    assert played.ending == Ending.ESCALATED
    assert played.least is None
    assert len(played.orders) <= 16


def test_a_fault_that_comes_later_is_met_too(simulator: Simulator) -> None:
    played = play(simulator, "pool_killed", late=((1.5, "miner_killed"),))
    assert set(played.struck) == {"pool_killed", "miner_killed"}
    assert played.ending == Ending.CONVERGED
    assert played.left == frozenset()


def test_every_handler_that_crashes_ends_the_run_with_a_report(simulator: Simulator) -> None:
    case = Case(seed="storm", faults=("pool_killed",), climate=Climate(crash=1.0))
    played = simulator.play(case)
    assert played.ending == Ending.ESCALATED
    assert not played.changed


# -- the world ---------------------------------------------------------------------------------------------------


def test_a_restarted_daemon_makes_the_proof_worthless(world: World) -> None:
    facts = world.strike(world.begin(Moment.RUNNING), "daemon_killed")
    assert world.conditions(facts)["daemon"].kind is FailureKind.DIED
    assert world.conditions(facts)["wallet"].health is Health.ABSENT
    step = world.recover(facts, "restart_one", "daemon")
    assert step.started == {"daemon"}
    left = {name for name, seen in world.conditions(step.facts).items() if seen.health is not Health.READY}
    assert left == {"cycle"}
    assert world.conditions(step.facts)["cycle"].unproven


def test_what_does_not_cure_changes_nothing_of_the_fault(world: World) -> None:
    facts = world.strike(world.begin(Moment.RUNNING), "stratum_port_foreign")
    step = world.recover(facts, "restart_one", "pool")
    assert step.kind is FailureKind.PORT_FOREIGN
    assert "stratum_port_foreign" in step.facts.faults


def test_a_failed_reset_is_taken_back_with_its_data(world: World) -> None:
    before = world.strike(world.begin(Moment.STOPPED), "data_folder_locked")
    after = world.recover(before, "reset_environment", "daemon")
    assert after.kind is not None
    assert after.facts.aside == {"wallet", "cycle"}
    back = world.undo(after.facts, before).facts
    assert back == before
    assert world.undo(back, before).changes == ()


def test_damage_under_a_stopped_daemon_is_seen_only_when_it_starts(world: World) -> None:
    facts = world.strike(world.begin(Moment.STOPPED), "chainstate_corrupt")
    assert world.conditions(facts)["daemon"].health is Health.ABSENT
    tried = world.ensure(facts, "daemon")
    assert tried.kind is FailureKind.DATA_DAMAGED
    assert world.conditions(tried.facts)["daemon"].kind is FailureKind.DATA_DAMAGED


# -- the least -----------------------------------------------------------------------------------------------------


def test_the_least_equals_what_can_be_counted_by_hand(world: World) -> None:
    search = Search(world)
    running = world.begin(Moment.RUNNING)
    assert search.least(running) == 0
    # the pool is started again, and the proof made anew
    assert search.least(world.strike(running, "pool_killed")) == 2
    # the port is moved; pool and miner are started with it; the proof
    facts = world.strike(running, "stratum_port_foreign")
    assert search.path(facts) == [("relocate_port", "pool"), (ENSURE, "pool"), (ENSURE, "miner"), (ENSURE, "cycle")]
    # a configuration put right hurts nobody
    assert search.least(world.strike(running, "config_edited")) == 1
    # from nothing at all: every component once
    assert search.least(world.begin(Moment.NEW)) == len(world.stack.specs)


def test_two_faults_may_share_what_follows(world: World) -> None:
    search = Search(world)
    facts = world.strike(world.strike(world.begin(Moment.RUNNING), "pool_killed"), "miner_killed")
    assert search.least(facts) == 3  # pool, miner, and one proof for both


def test_what_nobody_can_cure_has_no_way() -> None:
    cureless = Fault(name="odd", what="nothing helps", component="pool", kinds=(FailureKind.REJECTED,))
    world = World(stack_for(PACK), [cureless])
    assert Search(world).least(world.strike(world.begin(Moment.RUNNING), "odd")) is None


def test_what_needs_consent_is_no_way(world: World) -> None:
    facts = world.strike(world.begin(Moment.STOPPED), "data_folder_locked")
    assert Search(world).least(facts) is None


# -- judging -------------------------------------------------------------------------------------------------------


def test_a_run_that_says_converged_over_a_broken_part_is_found_out(simulator: Simulator) -> None:
    played = play(simulator, "pool_killed")
    lied = played.but(after={**played.after, "pool": Health.BROKEN})
    assert judge(lied, simulator.world).wrong
    assert not judge(lied, simulator.world).result.mitigated
    assert not judge(played, simulator.world).wrong


def test_a_part_that_is_worse_off_than_before_is_found(simulator: Simulator) -> None:
    played = play(simulator, "pool_killed")
    harmed = played.but(ending="escalated", after={**played.after, "daemon": Health.ABSENT})
    assert judge(harmed, simulator.world).worse == ("daemon",)
    assert judge(played, simulator.world).worse == ()


def test_what_is_done_to_a_healthy_stack_is_a_false_action(simulator: Simulator) -> None:
    played = play(simulator, "healthy")
    meddled = played.but(changed=(("restart_one", "pool"),), restarted=frozenset({"pool"}))
    result = judge(meddled, simulator.world).result
    assert (result.control, result.false_action, result.collateral) == (True, True, ("pool",))
    assert judge(played, simulator.world).result.good
