"""A run is the fold of its events; and random worlds, in which every run ends as it should."""

import asyncio
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from demo.small import RELOCATE, RESTART, Driver, Part, World, hub_stack, ready, script_stack, world_of
from shiftboss.engine.moves import RETRIES, Budget
from shiftboss.engine.state import RunState
from shiftboss.model.events import Delegated, EnvironmentEnded, RunEnded, RunResumed, RunStarted, Settled
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Mode
from shiftboss.model.observation import Health
from shiftboss.model.outcome import Status
from shiftboss.model.pipeline import ComponentSpec
from shiftboss.model.recovery import Strategy
from shiftboss.model.run import Ending, Goal, Want
from shiftboss.view import fold

WORDS = ["ok", "ok", "lie", "crash", "hang", "slow", "start", "start_forever", "start_die", "flap", "clear"]
WORDS += [f"fail:{kind}" for kind in ("died", "port_foreign", "timeout", "config", "permission", "no_space")]
WORDS += [f"break:{kind}" for kind in ("died", "port_foreign", "frozen", "credential")]
PARTS = [
    Part(),
    ready(50),
    Part(health=Health.STARTING, summary="starting"),
    Part(health=Health.UNKNOWN, summary="can't say"),
    Part(health=Health.BROKEN, summary="odd"),
    Part(health=Health.BROKEN, failure=FailureKind.DIED, summary="dead"),
    Part(health=Health.ABSENT, unproven=True, summary="stale"),
]
TOUCHING = Strategy(name="mend", rung="reload", treats={FailureKind.DIED}, touches=("c0",), what="mend it and more")


def plain(state: RunState) -> dict[str, Any]:
    """All of a state but the dates of answers and what nobody can tell apart."""
    values = {name: value for name, value in vars(state).items() if name not in ("since", "snapshot")}
    for name in ("ledger", "history", "recoveries"):
        values[name] = {key: value for key, value in values[name].items() if value}
    values["snapshot"] = {key: replace(seen, at=0.0) for key, seen in state.snapshot.items()}
    return values


def folded(driver: Driver) -> RunState:
    state = RunState(run=driver.run_id)
    for record in driver.events():
        state.apply(record.event, record.at)
    return state


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    names = [f"c{number}" for number in range(draw(st.integers(1, 5)))]
    specs = {
        name: ComponentSpec(
            name=name,
            probe="x:p",
            requires=tuple(draw(st.lists(st.sampled_from(names[:index]), unique=True))) if index else (),
            locks=draw(st.sampled_from([(), (), ("disk",)])),
        )
        for index, name in enumerate(names)
    }
    environments = draw(st.sampled_from([("x",), ("x", "xy")]))
    keys = [f"{e}/{name}" for e in environments for name in names]
    words = st.lists(st.sampled_from(WORDS), max_size=6)
    return {
        "specs": specs,
        "environments": environments,
        "parts": {key: draw(st.sampled_from(PARTS)) for key in keys},
        "script": {key: draw(words) for key in keys},
        "always": {key: draw(st.sampled_from(WORDS)) for key in keys},
        "strategies": draw(st.sampled_from([(), (RESTART, RELOCATE), (RESTART, RELOCATE, TOUCHING)])),
        "want": draw(st.sampled_from([Want.UP, Want.UP, Want.DOWN])),
        "limits": {
            "parallel": draw(st.integers(1, 4)),
            "budget": Budget(attempts=draw(st.integers(1, 5)), recoveries=draw(st.integers(0, 6))),
            "seconds": draw(st.sampled_from([20.0, 900.0, 5000.0])),
        },
    }


def driver_for(drawn: dict[str, Any], folder: str) -> Driver:
    stack = hub_stack(specs=drawn["specs"], strategies=drawn["strategies"])
    world = world_of(stack, drawn["environments"])
    world.parts.update(drawn["parts"])
    world.script = {key: list(words) for key, words in drawn["script"].items()}
    world.always = drawn["always"]
    goal = Goal(want=drawn["want"])
    return Driver(stack, world, Path(folder), goal=goal, environments=drawn["environments"], **drawn["limits"])


def check_end(driver: Driver, world: World, environments: tuple[str, ...], want: Want) -> None:
    ends = {event.environment: event.ending for event in driver.of(EnvironmentEnded)}
    assert sorted(ends) == sorted(environments)
    assert len(driver.of(EnvironmentEnded)) == len(environments)
    assert len(driver.of(RunEnded)) == 1
    for environment, ending in ends.items():
        if ending == Ending.CONVERGED:
            seen = [one for one in driver.state.snapshot.values() if one.environment == environment]
            as_wanted = [one.instance is None if want is Want.DOWN else one.health is Health.READY for one in seen]
            assert all(as_wanted)
    assert world.clock.now() - driver.state.started <= driver.charter.seconds + 1


def check_budgets(driver: Driver) -> None:
    budget = driver.charter.budget
    orders: dict[str, list[Delegated]] = {}
    recoveries: dict[str, int] = {}
    for event in driver.of(Delegated):
        orders.setdefault(f"{event.environment}/{event.component}", []).append(event)
        recoveries[event.environment] = recoveries.get(event.environment, 0) + (event.mode == Mode.RECOVER)
    settled = {event.id: event for event in driver.of(Settled)}
    cancelled = {name for name, event in settled.items() if event.status == Status.CANCELLED}  # these are no attempts
    for some in orders.values():
        assert sum(event.id not in cancelled for event in some) <= budget.attempts + budget.recoveries + 1
    assert all(number <= budget.recoveries for number in recoveries.values())
    for some in orders.values():
        ended = [settled[event.id] for event in some if event.id in settled.keys() - cancelled]
        assert sum(not event.ok for event in ended) <= budget.attempts


def check_company(driver: Driver) -> None:
    """Nothing in flight together disturbed each other."""
    for flying in driver.together:
        assert len(flying) <= max(driver.charter.parallel, len(driver.charter.environments))
        for index, one in enumerate(flying):
            for other in flying[index + 1 :]:
                if one.environment == other.environment:
                    assert not {one.component, *one.touches} & {other.component, *other.touches}
                    assert not set(one.locks) & set(other.locks)


@settings(max_examples=120, deadline=None)
@given(worlds())
def test_whatever_happens_a_run_ends_within_its_budgets(drawn: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        driver = driver_for(drawn, folder)
        try:
            asyncio.run(driver.run())
            check_end(driver, driver.world, drawn["environments"], drawn["want"])
            check_budgets(driver)
            check_company(driver)
            assert plain(folded(driver)) == plain(driver.state)
        finally:
            driver.close()


@settings(max_examples=60, deadline=None)
@given(worlds(), st.integers(0, 12))
def test_a_run_that_is_cut_anywhere_can_be_taken_up_again(drawn: dict[str, Any], turns: int) -> None:
    with TemporaryDirectory() as folder:
        first = driver_for(drawn, folder)
        try:
            asyncio.run(some_turns(first, turns))
        finally:
            first.close()
        second = driver_for(drawn, folder)
        try:
            assert plain(folded(first_again := second)) == plain(second.state)
            resumed = RunResumed(pid=1)
            second.clock.time = first.clock.time + 5
            second.world.parts = first.world.parts
            second.journal.append(second.run_id, second.clock.now(), [resumed])
            second.state.apply(resumed, second.clock.now())
            assert asyncio.run(second.run()) in Ending
            assert {event.id for event in second.of(Delegated)} == {event.id for event in second.of(Settled)} | {
                order.id for order in second.state.in_flight.values()
            }
            assert plain(folded(first_again)) == plain(second.state)
        finally:
            second.close()


async def some_turns(driver: Driver, turns: int) -> None:
    """Begin a run and stop in the middle, as a killed hub does."""
    observations = driver.world.look(driver.hub.probes_due())
    driver.hub.reconcile(observations)
    for number in range(turns):
        await driver.one_turn(number, observations)
        if driver.state.ended is not None:
            return
        driver.wait()
        driver.settle()
        observations = driver.world.look(driver.hub.probes_due())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25), st.integers(3, 30))
def test_a_script_ends_too(words: list[str], steps: int) -> None:
    stack = script_stack({"a": (), "b": ("a",)})
    world = world_of(stack)
    world.script = {"e/a": words[::2], "e/b": words[1::2]}
    with TemporaryDirectory() as folder:
        driver = Driver(stack, world, Path(folder), steps=steps, seconds=1e6)
        try:
            asyncio.run(driver.run())
            check_end(driver, world, ("e",), Want.UP)
            assert len(driver.of(Delegated)) <= steps
            assert plain(folded(driver)) == plain(driver.state)
        finally:
            driver.close()


def test_a_resumed_run_has_new_budgets_and_keeps_its_history() -> None:
    stack = hub_stack({"a": ()})
    world = world_of(stack)
    world.always["e/a"] = "crash"
    with TemporaryDirectory() as folder:
        first = Driver(stack, world, Path(folder))
        assert asyncio.run(first.run()) is Ending.ESCALATED
        first.close()
        second = Driver(stack, world, Path(folder))
        assert second.state.ended is None
        assert second.state.attempts("e/a", Mode.ENSURE) == 0
        assert len(second.state.history["e"]) == RETRIES + 1
        world.always["e/a"] = "ok"
        assert asyncio.run(second.run()) is Ending.CONVERGED
        view = fold(second.events())
        assert (view.ending, view.resumed, view.exit_code) == (Ending.CONVERGED, 1, 0)
        assert isinstance(view.start, RunStarted)
        second.close()
