"""How runs end: budgets, consent, time, several environments. Whatever the world does, a run comes to an end."""

import asyncio
from itertools import pairwise

import pytest

from demo.small import RELOCATE, RESTART, Driver, Part, hub_stack, world_of
from shiftboss.engine.ladder import Budget
from shiftboss.model.events import Decided, Delegated, EnvironmentEnded, RunEnded
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Risk
from shiftboss.model.observation import Health
from shiftboss.model.recovery import Strategy
from shiftboss.model.run import Ending

CHAIN = {"a": (), "b": ("a",), "c": ("b",)}


def run(driver: Driver) -> Ending:
    return asyncio.run(driver.run())


def ordered(driver: Driver) -> list[str]:
    return [f"{event.component}/{event.mode}" for event in driver.of(Delegated)]


# -- budgets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["permission", "no_provider", "external_down"])
def test_what_can_not_be_retried_escalates_at_once(drive, kind) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack)
    world.always["e/a"] = f"fail:{kind}"
    driver = drive(stack, world)
    assert run(driver) is Ending.ESCALATED
    assert ordered(driver) == ["a/ensure"]
    assert driver.of(EnvironmentEnded)[0].report["gaps"] == ["e/a", "e/b", "e/c"]


def test_a_foreign_port_is_treated_by_moving_ours(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack)
    world.script["e/b"] = ["fail:port_foreign"]
    driver = drive(stack, world)
    assert run(driver) is Ending.CONVERGED
    assert ordered(driver) == ["a/ensure", "b/ensure", "b/recover", "c/ensure"]
    recovery = driver.of(Delegated)[2]
    assert (recovery.strategy, recovery.failure, recovery.keyword) == (
        "relocate_port",
        "port_foreign",
        "delegate_recovery",
    )
    assert recovery.treated is not None


def test_a_strategy_is_used_a_bounded_number_of_times(drive) -> None:
    stack = hub_stack({"a": ()})
    world = world_of(stack)
    world.always["e/a"] = "break:port_foreign"
    driver = drive(stack, world, budget=Budget(attempts=50, recoveries=50))
    assert run(driver) is Ending.ESCALATED
    assert ordered(driver).count("a/recover") == RELOCATE.uses


def test_a_part_that_never_gets_ready_is_given_up_after_a_few_orders(drive) -> None:
    stack = hub_stack({"a": ()})
    world = world_of(stack)
    world.always["e/a"] = "start_forever"
    driver = drive(stack, world)
    assert run(driver) is Ending.ESCALATED
    orders = ordered(driver)
    assert orders.count("a/ensure") <= 2
    assert orders.count("a/recover") == RESTART.uses


def test_a_part_that_never_gets_ready_and_has_no_strategy_is_given_up_too(drive) -> None:
    stack = hub_stack({"a": ()}, strategies=())
    world = world_of(stack)
    world.always["e/a"] = "start_forever"
    driver = drive(stack, world)
    assert run(driver) is Ending.ESCALATED
    assert len(ordered(driver)) <= 3


def test_patience_starts_anew_with_a_new_instance(drive) -> None:
    stack = hub_stack({"a": ()})
    world = world_of(stack)
    world.script["e/a"] = ["start_forever", "start_forever", "start_forever"]
    driver = drive(stack, world)
    run(driver)
    times = [record.at for record in driver.events() if isinstance(record.event, Delegated)]
    assert all(later - earlier >= 29 for earlier, later in pairwise(times))


def test_a_part_that_starts_and_silently_goes_again_is_given_up(drive) -> None:
    stack = hub_stack({"a": ()})
    world = world_of(stack)
    world.always["e/a"] = "start_die"
    driver = drive(stack, world, seconds=100_000.0)
    assert run(driver) is Ending.ESCALATED
    assert len(ordered(driver)) <= 16
    assert "does not last" in driver.of(EnvironmentEnded)[0].report["why"]


def test_spent_time_is_exhausted_with_a_report_and_nothing_left_open(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack)
    world.always["e/b"] = "slow"
    world.slow = 1000.0
    driver = drive(stack, world, seconds=10.0)
    assert run(driver) is Ending.EXHAUSTED
    (ended,) = driver.of(EnvironmentEnded)
    assert "10 seconds" in ended.reasoning
    assert ended.report["gaps"] == ["e/b", "e/c"]


def test_the_budget_of_recoveries_holds_for_all_parts_together(drive) -> None:
    names = dict.fromkeys("abcdef", ())
    stack = hub_stack(names)
    world = world_of(stack)
    world.always = {f"e/{name}": "break:port_foreign" for name in names}
    driver = drive(stack, world, budget=Budget(attempts=50, recoveries=4), parallel=3)
    assert run(driver) is Ending.ESCALATED
    assert sum(one.endswith("recover") for one in ordered(driver)) <= 4


def test_what_needs_consent_is_not_done_and_waits_for_it(drive) -> None:
    install = Strategy(
        name="install", rung="repair_data", treats={FailureKind.DIED}, risk=Risk.SYSTEM, what="install it system-wide"
    )
    stack = hub_stack({"a": ()}, strategies=(install,))
    world = world_of(stack, a=Part(health=Health.BROKEN, failure=FailureKind.DIED, summary="dead"))
    driver = drive(stack, world)
    assert run(driver) is Ending.NEEDS_APPROVAL
    assert ordered(driver) == []
    assert "consent" in driver.of(EnvironmentEnded)[0].reasoning
    assert len(driver.of(Decided)) <= 1


def test_a_gentler_way_that_needs_no_consent_is_taken_first(drive) -> None:
    push = Strategy(name="push", rung="wait", treats={FailureKind.DIED}, risk=Risk.FOREIGN, what="push it away")
    stack = hub_stack({"a": ()}, strategies=(push, RESTART))
    world = world_of(stack, a=Part(health=Health.BROKEN, failure=FailureKind.DIED, summary="dead"))
    driver = drive(stack, world)
    assert run(driver) is Ending.CONVERGED
    assert [event.strategy for event in driver.of(Delegated)] == ["restart_one"]


# -- environments ----------------------------------------------------------------------------------------------


def test_a_hopeless_environment_does_not_stop_another(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack, ["x", "xy"])
    world.always["x/a"] = "fail:no_provider"
    driver = drive(stack, world, environments=["x", "xy"], parallel=1)
    assert run(driver) is Ending.ESCALATED
    ended = {event.environment: event for event in driver.of(EnvironmentEnded)}
    assert {name: event.ending for name, event in ended.items()} == {"x": "escalated", "xy": "converged"}
    assert [event.component for event in driver.of(Delegated) if event.environment == "xy"] == ["a", "b", "c"]


def test_the_reason_of_one_environment_does_not_speak_of_another(drive) -> None:
    stack = hub_stack({"a": (), "b": ()})
    world = world_of(stack, ["x", "xy"])
    world.always["x/a"] = world.always["xy/b"] = "fail:no_provider"
    driver = drive(stack, world, environments=["x", "xy"], parallel=9)
    run(driver)
    reasons = {event.environment: event.report["why"] for event in driver.of(EnvironmentEnded)}
    assert "xy/" not in reasons["x"]


def test_each_environment_ends_once_and_the_run_once(drive) -> None:
    stack = hub_stack({"a": ()})
    driver = drive(stack, world_of(stack, ["x", "y", "z"]), environments=["x", "y", "z"])
    run(driver)
    assert sorted(event.environment for event in driver.of(EnvironmentEnded)) == ["x", "y", "z"]
    assert len(driver.of(RunEnded)) == 1
