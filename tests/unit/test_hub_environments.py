"""Several environments under one hub: none holds up another, each has its own parts, what is shared is done once."""

import asyncio
from dataclasses import replace

import pytest

from demo.small import Driver, hub_stack, specs_of, world_of
from shiftboss.engine.fairness import PATIENCE_SECONDS
from shiftboss.model.events import Delegated, EnvironmentEnded, NotAdmitted, Observed
from shiftboss.model.run import Ending, Goal, Want

CHAIN = {"a": (), "b": ("a",), "c": ("b",)}
DEADLINE = 60.0


def run(driver: Driver) -> Ending:
    return asyncio.run(driver.run())


def ended_at(driver) -> dict[str, float]:
    """Seconds from the beginning to the end of each environment."""
    records = driver.journal.read(driver.run_id)
    began = records[0].at
    return {r.event.environment: r.at - began for r in records if isinstance(r.event, EnvironmentEnded)}


@pytest.mark.parametrize("lanes", [1, 2])
def test_what_hangs_costs_the_others_no_more_than_their_patience(drive, lanes) -> None:
    stack = hub_stack(CHAIN, deadline=DEADLINE)
    names = ["w", "x", "y"]
    world = world_of(stack, names)
    world.always["w/a"] = world.always["x/a"] = "hang"
    driver = drive(stack, world, environments=names, parallel=lanes)
    assert run(driver) is Ending.ESCALATED
    ends = ended_at(driver)
    assert ends["y"] <= PATIENCE_SECONDS * len(CHAIN) + len(CHAIN) + 5 < DEADLINE
    assert min(ends["w"], ends["x"]) > DEADLINE
    assert max(map(len, driver.together)) <= max(lanes, len(names))
    assert not driver.of(NotAdmitted)


def test_while_nothing_hangs_the_lanes_are_kept(drive) -> None:
    stack = hub_stack(CHAIN)
    names = [f"e{number}" for number in range(6)]
    driver = drive(stack, world_of(stack, names), environments=names, parallel=2)
    assert run(driver) is Ending.CONVERGED
    assert max(map(len, driver.together)) == 2


def test_only_what_belongs_to_an_environment_is_looked_at_and_done_there(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack, ["x", "y"])
    driver = drive(stack, world, environments=["x", "y"], parts={"y": frozenset("a")})
    assert run(driver) is Ending.CONVERGED
    assert {order.key for order in world.orders} == {"x/a", "x/b", "x/c", "y/a"}
    assert {seen.component for seen in driver.of(Observed) if seen.environment == "y"} == {"a"}


def test_a_failure_there_makes_nobody_look_at_what_does_not_belong(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack, ["y"])
    world.script["y/a"] = ["crash", "fail:died"]
    driver = drive(stack, world, environments=["y"], parts={"y": frozenset("a")})
    assert run(driver) is Ending.CONVERGED
    assert {seen.component for seen in driver.of(Observed)} == {"a"}


def test_a_goal_of_some_components_and_the_parts_of_an_environment_both_count(drive) -> None:
    stack = hub_stack({**CHAIN, "d": ()})
    world = world_of(stack, ["x", "y"])
    goal = Goal(want=Want.UP, components=("b",))
    driver = drive(stack, world, environments=["x", "y"], parts={"y": frozenset("ad")}, goal=goal)
    assert run(driver) is Ending.CONVERGED
    assert {order.key for order in world.orders} == {"x/a", "x/b", "y/a"}


def one_for_all(world, name, environments):
    """A component that is the same thing in every environment of this world."""
    first = f"{environments[0]}/{name}"
    look, act = world.seen, world.act
    here = {f"{one}/{name}" for one in environments}

    def seen(key):
        return replace(look(first), environment=key.partition("/")[0]) if key in here else look(key)

    def do(order, word):
        return act(order.but(environment=environments[0]) if order.key in here else order, word)

    world.seen, world.act = seen, do


def test_what_is_shared_is_done_once_for_all(drive) -> None:
    specs = specs_of(CHAIN)
    specs["a"] = specs["a"].but(shared=True)
    stack = hub_stack(specs=specs)
    names = ["x", "y", "z"]
    world = world_of(stack, names)
    one_for_all(world, "a", names)
    driver = drive(stack, world, environments=names, parallel=9)
    assert run(driver) is Ending.CONVERGED
    assert [order.component for order in driver.of(Delegated)].count("a") == 1
    assert [order.component for order in driver.of(Delegated)].count("b") == len(names)


def test_one_that_can_not_do_what_is_shared_leaves_it_to_the_next(drive) -> None:
    specs = specs_of(CHAIN)
    specs["a"] = specs["a"].but(shared=True)
    stack = hub_stack(specs=specs)
    world = world_of(stack, ["x", "y"])
    world.always["x/a"] = "fail:no_provider"
    driver = drive(stack, world, environments=["x", "y"], parallel=9)
    run(driver)
    endings = {event.environment: event.ending for event in driver.of(EnvironmentEnded)}
    assert endings == {"x": "escalated", "y": "converged"}
    assert all(
        len({order.environment for order in flying if order.component == "a"}) <= 1 for flying in driver.together
    )


def test_an_ending_says_nothing_of_other_environments(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack, ["x", "y"])
    world.script["y/a"] = ["slow"]
    driver = drive(stack, world, environments=["x", "y"], parallel=9)
    assert run(driver) is Ending.CONVERGED
    for event in driver.of(EnvironmentEnded):
        other = "y" if event.environment == "x" else "x"
        assert f"{other}/" not in event.reasoning
        assert f"{other}:" not in event.reasoning
