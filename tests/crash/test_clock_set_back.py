"""The date is set back or on by an hour, in mid-run and between runs: no run ends wrongly or never, no false credit."""

import asyncio
from collections.abc import Callable

import pytest

from demo.small import START, Driver, Part, StepClock, World, hub_stack, ready, world_of
from shiftboss.model.events import Learned, RunResumed
from shiftboss.model.failure import FailureKind
from shiftboss.model.forecast import Limit
from shiftboss.model.observation import Health
from shiftboss.model.run import Ending, Goal

HOUR = 3600.0
DIED = Part(health=Health.BROKEN, failure=FailureKind.DIED, summary="it died")
STACK = hub_stack({"a": (), "b": ("a",)}, patience=20.0)

Drive = Callable[..., Driver]


def set_at(world: World, after: float, seconds: float) -> None:
    """The date will be set when so much time has passed."""
    clock = world.clock
    look = world.look

    def looking(keys):
        if clock.time - START >= after:
            clock.set_by = seconds
        return look(keys)

    world.look = looking


def passed(clock: StepClock) -> float:
    return clock.time - START


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_what_starts_is_waited_for_no_longer_than_else(drive: Drive, seconds: float) -> None:
    world = world_of(STACK)
    world.script["e/a"] = ["start"]
    set_at(world, 0.5, seconds)
    driver = drive(STACK, world)
    assert asyncio.run(driver.run()) is Ending.CONVERGED
    assert passed(world.clock) < 10


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_what_never_starts_is_given_up_in_its_time(drive: Drive, seconds: float) -> None:
    def give_up(change: float) -> float:
        world = world_of(STACK)
        world.always["e/a"] = "start_forever"
        set_at(world, 5.0, change)
        driver = drive(STACK, world, run=f"r{change:g}")
        assert asyncio.run(driver.run()) is Ending.ESCALATED
        return passed(world.clock)

    assert give_up(seconds) == pytest.approx(give_up(0.0), abs=2.0)


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_the_time_of_a_run_is_what_really_passes(drive: Drive, seconds: float) -> None:
    world = world_of(STACK)
    world.always["e/a"] = "slow"
    world.slow = 50.0
    set_at(world, 0.0, 0.0)
    driver = drive(STACK, world, seconds=60.0)
    world.clock.set_by = seconds
    assert asyncio.run(driver.run()) in (Ending.CONVERGED, Ending.EXHAUSTED)
    assert 50 <= passed(world.clock) < 65


def test_a_run_that_waits_for_ever_is_exhausted_in_its_time(drive: Drive) -> None:
    stack = hub_stack({"a": ()}, patience=1000.0)
    world = world_of(stack, a=Part(health=Health.STARTING, summary="starting"))
    set_at(world, 5.0, -HOUR)
    driver = drive(stack, world, seconds=30.0)
    assert asyncio.run(driver.run()) is Ending.EXHAUSTED
    assert passed(world.clock) < 40


def test_answers_from_before_the_change_do_not_stay_fresh(drive: Drive) -> None:
    """`b` breaks while `a` is worked on for long; without a fresh look the run would end converged on an old answer."""
    stack = hub_stack({"a": (), "b": ()})
    world = world_of(stack, b=ready())
    world.script["e/a"] = ["slow"]
    world.parts["e/b"] = Part(
        health=Health.READY, summary="works", instance="i1", later=(START + 5, Part(summary="gone"))
    )
    set_at(world, 10.0, -HOUR)
    driver = drive(stack, world)
    assert asyncio.run(driver.run()) is Ending.CONVERGED
    assert world.part("e/b").health is Health.READY


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_no_recovery_is_credited_for_time_that_did_not_pass(drive: Drive, seconds: float) -> None:
    world = world_of(STACK, a=DIED, b=ready())
    first = drive(STACK, world)
    assert asyncio.run(first.run()) is Ending.CONVERGED
    held = first.memory.credits(["e"], "")
    assert len(held) == 1
    world.clock.time += 1.0
    world.clock.set_by = seconds
    second = drive(STACK, world, run="r2", credits=held)
    assert asyncio.run(second.run()) is Ending.CONVERGED
    if seconds < 0:
        assert second.of(Learned) == []
        assert second.memory.credits(["e"], "") == held
    world.parts["e/a"] = DIED
    third = drive(STACK, world, run="r3", credits=second.memory.credits(["e"], ""))
    assert asyncio.run(third.run()) is Ending.CONVERGED
    assert "-" not in "".join(event.why for event in third.of(Learned))


def test_a_run_taken_up_after_the_date_was_set_back_gives_nothing_an_hour_more(drive: Drive) -> None:
    world = world_of(STACK)
    world.always["e/a"] = "start_forever"
    first = drive(STACK, world)
    asyncio.run(first.one_turn(0, world.look(first.hub.probes_due())))
    first.wait()
    first.settle()
    asyncio.run(first.one_turn(1, world.look(first.hub.probes_due())))
    world.clock.set_by = -HOUR
    first.journal.append("r1", world.clock.now(), [RunResumed(pid=2)])  # the first hub is dead
    second = drive(STACK, world)
    began = passed(world.clock)
    assert asyncio.run(second.run()) is Ending.ESCALATED
    assert passed(world.clock) - began < 300


def test_a_trend_goes_on_when_the_date_is_set_back(drive: Drive) -> None:
    """Free space that falls is announced, and freed, however the date jumps; and steady space never is."""
    limit = Limit(measure="free", at=10.0, falling=True, margin=1.0, horizon=60.0, kind=FailureKind.NO_SPACE, what="x")
    stack = hub_stack({"a": ()})
    world = world_of(stack)
    steady = Part(health=Health.READY, summary="works", instance="i1", measures=lambda _now: {"free": 50.0})
    world.parts["e/a"] = steady
    set_at(world, 20.0, -HOUR)
    driver = drive(stack, world, goal=Goal(keep=True), limits=(limit,), interval=1.0)

    async def watch() -> None:
        observations = world.look(driver.hub.probes_due())
        driver.hub.reconcile(observations)
        for number in range(60):
            await driver.one_turn(number, observations)
            driver.wait()
            driver.settle()
            observations = world.look(driver.hub.probes_due())

    asyncio.run(watch())
    assert world.orders == []
    assert passed(world.clock) < 120  # it is still looked at every second
