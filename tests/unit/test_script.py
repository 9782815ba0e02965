"""Scripted pipelines: they follow the connections, ignore what is there, and still can't declare success."""

import asyncio
import dataclasses

import pytest

from demo.small import Driver, ready, script_stack, world_of
from shiftboss.engine.scripted import walk
from shiftboss.model.events import Delegated, EnvironmentEnded, RunEnded, Settled
from shiftboss.model.pipeline import Connection, Pipeline, PipelineKind, Stage, StageMode
from shiftboss.model.recovery import Attempt
from shiftboss.model.run import Ending

CHAIN = {"a": (), "b": ("a",), "c": ("b",)}


def run(driver: Driver) -> Ending:
    return asyncio.run(driver.run())


def ordered(driver: Driver) -> list[str]:
    return [f"{event.component}/{event.mode}" for event in driver.of(Delegated)]


def test_a_script_does_everything_in_its_order(drive) -> None:
    stack = script_stack(CHAIN)
    driver = drive(stack, world_of(stack))
    assert run(driver) is Ending.CONVERGED
    assert ordered(driver) == ["a/force", "b/force", "c/force"]


def test_a_script_does_again_what_is_there_already(drive) -> None:
    stack = script_stack(CHAIN)
    driver = drive(stack, world_of(stack, a=ready(7), b=ready(8), c=ready(9)))
    assert run(driver) is Ending.CONVERGED
    assert ordered(driver) == ["a/force", "b/force", "c/force"]


def test_a_stage_that_only_looks_changes_nothing(drive) -> None:
    stack = script_stack(CHAIN, modes={"a": StageMode.VERIFY})
    driver = drive(stack, world_of(stack, a=ready(7)))
    assert run(driver) is Ending.CONVERGED
    assert next(event.changes for event in driver.of(Settled)) == []


def test_a_failed_stage_goes_to_recovery_and_back(drive) -> None:
    stack = script_stack(CHAIN)
    world = world_of(stack)
    world.script["e/b"] = ["fail:died"]
    driver = drive(stack, world)
    assert run(driver) is Ending.CONVERGED
    assert ordered(driver) == ["a/force", "b/force", "b/recover", "a/force", "b/force", "c/force"]


def test_a_lie_takes_the_road_of_failure(drive) -> None:
    stack = script_stack(CHAIN)
    world = world_of(stack)
    world.script["e/a"] = ["lie"]
    driver = drive(stack, world)
    assert run(driver) is Ending.ESCALATED  # nothing treats `unverified`, and a stands on nothing
    assert driver.of(Settled)[0].failure["kind"] == "unverified"
    assert "no strategy for a" in driver.of(EnvironmentEnded)[0].report["why"]


def test_what_nothing_treats_is_put_down_to_the_nearest_part_it_stands_on(drive) -> None:
    stack = script_stack(CHAIN)
    world = world_of(stack)
    world.script["e/b"] = ["crash"]  # as when the daemon dies under the wallet
    driver = drive(stack, world)
    assert run(driver) is Ending.CONVERGED
    assert ordered(driver) == ["a/force", "b/force", "a/recover", "a/force", "b/force", "c/force"]


def test_a_script_without_an_end_is_exhausted_after_its_steps(drive) -> None:
    stack = script_stack(CHAIN)
    world = world_of(stack)
    world.script["e/c"] = ["fail:died", "ok"] * 30  # it fails, recovery works, it fails again
    driver = drive(stack, world, steps=20)
    assert run(driver) is Ending.EXHAUSTED
    assert len(ordered(driver)) <= 20
    (ended,) = driver.of(EnvironmentEnded)
    assert "20 visits" in ended.reasoning
    assert ended.report


def endless() -> Pipeline:
    """Two stages that always lead to each other."""
    stages = tuple(
        Stage(id=f"do_{name}", agent="keeper", decisions=("fine", "bad"), components=(name,), mode=StageMode.FORCE)
        for name in "ab"
    )
    connections = tuple(
        Connection(source=f"do_{one}", target=f"do_{other}", condition=word)
        for one, other in ("ab", "ba")
        for word in ("fine", "bad")
    )
    return Pipeline(id="endless", kind=PipelineKind.SCRIPTED, stages=stages, connections=connections, start="do_a")


def test_an_endless_script_over_a_ready_stack_ends_once_and_exhausted(drive) -> None:
    stack = dataclasses.replace(script_stack({"a": (), "b": ()}), pipeline=endless())
    driver = drive(stack, world_of(stack, ["x", "y"], a=ready(), b=ready()), environments=["x", "y"], steps=6)
    assert run(driver) is Ending.EXHAUSTED
    assert sorted(event.environment for event in driver.of(EnvironmentEnded)) == ["x", "y"]
    assert {event.ending for event in driver.of(EnvironmentEnded)} == {"exhausted"}
    assert len(driver.of(RunEnded)) == 1


def test_a_script_that_says_it_is_over_is_not_believed(drive) -> None:
    stack = script_stack({"a": (), "b": ()})
    world = world_of(stack)
    world.script["e/a"] = ["flap"]
    world.script["e/b"] = ["slow"]  # a is gone again by then
    driver = drive(stack, world)
    assert run(driver) is Ending.ESCALATED
    assert "the script ended with fine" in driver.of(EnvironmentEnded)[0].report["why"]


def test_two_environments_follow_the_script_on_their_own(drive) -> None:
    stack = script_stack(CHAIN)
    world = world_of(stack, ["x", "y"])
    world.script["x/a"] = ["lie"]
    driver = drive(stack, world, environments=["x", "y"])
    assert run(driver) is Ending.ESCALATED
    ends = {event.environment: event.ending for event in driver.of(EnvironmentEnded)}
    assert ends == {"x": "escalated", "y": "converged"}


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_resumed_script_goes_on_where_it_was(drive, cut) -> None:
    stack = script_stack(CHAIN)
    world = world_of(stack)
    first = drive(stack, world)
    number, observations = 0, world.look(first.hub.probes_due())
    while len(first.of(Settled)) < cut:
        asyncio.run(first.one_turn(number, observations))
        first.wait()
        first.settle()
        observations = world.look(first.hub.probes_due())
        number += 1
    second = drive(stack, world)
    assert run(second) is Ending.CONVERGED
    assert ordered(second) == ["a/force", "b/force", "c/force"]


def attempt(keyword: str, component: str, **more) -> Attempt:
    told = {"delegation": "r/0/0", "mode": "force", "strategy": None, "ok": True, **more}
    return Attempt(component=component, keyword=keyword, **told)


def test_walking_is_bounded_also_where_nothing_is_to_be_done() -> None:
    """Two recovery stages lead to each other and there was no failure: nothing settles, and still it must end."""
    stages = tuple(
        Stage(id=name, agent="medic", decisions=("recovered", "not_recovered"), mode=StageMode.RECOVER)
        for name in ("one", "two")
    )
    connections = tuple(
        Connection(source=a, target=b, condition="recovered") for a, b in (("one", "two"), ("two", "one"))
    )
    pipeline = Pipeline(id="idle", kind=PipelineKind.SCRIPTED, stages=stages, connections=connections, start="one")
    assert walk(pipeline, [], steps=10).visits == 11


def test_a_script_taken_up_again_stands_where_it_failed() -> None:
    one, two = (Stage(id=name, agent="medic", decisions=("fine", "bad"), components=(name,)) for name in ("one", "two"))
    ways = (
        Connection(source="one", target="two", condition="fine"),
        Connection(source="one", target="two", condition="bad"),
        Connection(source="two", target=None, condition="bad"),
    )
    pipeline = Pipeline(id="s", kind=PipelineKind.SCRIPTED, stages=(one, two), connections=ways, start="one")
    failed = [attempt("one", "one"), attempt("two", "two", ok=False)]
    assert walk(pipeline, failed, steps=9).ended == "bad"
    again = walk(pipeline, failed, steps=9, mended={2})
    assert (again.stage.id, again.todo, again.visits) == ("two", ("two",), 1)
    assert walk(pipeline, [*failed, attempt("two", "two")], steps=9, mended={2}).ended == "fine"
    earlier = [attempt("one", "one", ok=False), attempt("two", "two")]
    assert walk(pipeline, earlier, steps=9, mended={2}).stage.id == "one", "what failed is done again, then the rest"


def test_a_script_taken_up_again_has_all_its_steps_again() -> None:
    stage = Stage(id="round", agent="medic", decisions=("fine", "bad"), components=("a",))
    way = Connection(source="round", target="round", condition="fine")
    pipeline = Pipeline(id="s", kind=PipelineKind.SCRIPTED, stages=(stage,), connections=(way,), start="round")
    rounds = [attempt("round", "a")] * 4
    assert walk(pipeline, rounds, steps=3).visits == 4
    assert walk(pipeline, rounds, steps=3, mended={3}).visits == 2
    assert walk(pipeline, rounds, steps=3, mended={3}).todo == ("a",)


def test_a_special_outcome_has_its_own_road() -> None:
    stage = Stage(id="mend", agent="medic", decisions=("fine", "bad", "environment_reset"), components=("a",))
    after = Stage(id="after", agent="medic", decisions=("fine", "bad"), components=("a",))
    connections = (Connection(source="mend", target="after", condition="environment_reset"),)
    pipeline = Pipeline(
        id="s", kind=PipelineKind.SCRIPTED, stages=(stage, after), connections=connections, start="mend"
    )
    assert walk(pipeline, [attempt("mend", "a", special="environment_reset")], steps=9).stage.id == "after"
    assert walk(pipeline, [attempt("mend", "a")], steps=9).ended == "fine"
    assert walk(pipeline, [attempt("mend", "a", ok=False)], steps=9).ended == "bad"
