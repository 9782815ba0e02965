"""The hub against small worlds: what it orders, what it believes, and that it always comes to an end."""

import asyncio

import pytest

from demo.small import START, Driver, Part, hub_stack, ready, world_of
from shiftboss.brains.policy import PolicyBrain
from shiftboss.model.events import Decided, Delegated, EnvironmentEnded, NotAdmitted, RunEnded, Settled
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Decision
from shiftboss.model.observation import Health
from shiftboss.model.outcome import done
from shiftboss.model.recovery import Strategy
from shiftboss.model.run import Ending, Goal, Want

CHAIN = {"a": (), "b": ("a",), "c": ("b",)}


def run(driver: Driver) -> Ending:
    return asyncio.run(driver.run())


def ordered(driver: Driver) -> list[str]:
    return [f"{event.component}/{event.mode}" for event in driver.of(Delegated)]


class Says:
    """A brain that says what it was told to, turn by turn; afterwards it is as wise as the policy (or `silent`)."""

    name = "stranger"

    def __init__(self, *answers: list[str], silent: bool = False) -> None:
        self.answers = list(answers)
        self.silent = silent

    async def decide(self, situation):
        if not self.answers and not self.silent:
            return await PolicyBrain().decide(situation)
        moves = self.answers.pop(0) if self.answers else []
        return Decision(moves=tuple(moves), reasoning="because", source=self.name)


# -- the ordinary way ------------------------------------------------------------------------------------------


def test_a_chain_is_brought_up_in_order_and_completed(drive) -> None:
    stack = hub_stack(CHAIN)
    driver = drive(stack, world_of(stack))
    assert run(driver) is Ending.CONVERGED
    assert ordered(driver) == ["a/ensure", "b/ensure", "c/ensure"]
    assert driver.of(RunEnded)[-1].ending == "converged"


def test_a_ready_stack_is_left_alone(drive) -> None:
    stack = hub_stack(CHAIN)
    driver = drive(stack, world_of(stack, a=ready(), b=ready(), c=ready()))
    assert run(driver) is Ending.CONVERGED
    assert ordered(driver) == []


def test_a_goal_for_one_component_brings_up_what_it_requires_and_no_more(drive) -> None:
    stack = hub_stack({**CHAIN, "d": ()})
    driver = drive(stack, world_of(stack), goal=Goal(components=("b",)))
    assert run(driver) is Ending.CONVERGED
    assert ordered(driver) == ["a/ensure", "b/ensure"]


def test_down_stops_users_first(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack, a=ready(1), b=ready(2), c=ready(3))
    driver = drive(stack, world, goal=Goal(want=Want.DOWN))
    assert run(driver) is Ending.CONVERGED
    assert ordered(driver) == ["c/remove", "b/remove", "a/remove"]


def test_down_does_not_take_silence_for_an_end(drive) -> None:
    stack = hub_stack({"a": ()})
    world = world_of(stack, a=Part(health=Health.UNKNOWN, summary="no answer within 5 s"))
    world.always["e/a"] = "lie"
    driver = drive(stack, world, goal=Goal(want=Want.DOWN))
    assert run(driver) is Ending.ESCALATED
    assert "no answer within 5 s" in driver.of(EnvironmentEnded)[0].report["why"]


def test_restart_replaces_the_instance_and_nothing_else(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack, a=ready(1), b=ready(2), c=ready(3))
    driver = drive(stack, world, goal=Goal(want=Want.RESTART, replace=("e/b=i2",)))
    assert run(driver) is Ending.CONVERGED
    assert ordered(driver) == ["b/remove", "b/ensure"]


# -- agents can't declare success ------------------------------------------------------------------------------


def test_a_lying_handler_is_unverified(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack)
    world.script["e/a"] = ["lie"]
    driver = drive(stack, world)
    assert run(driver) is Ending.CONVERGED
    first = driver.of(Settled)[0]
    assert (first.ok, first.outcome, first.failure["kind"]) == (False, "lost", "unverified")
    assert "nothing is there" in first.failure["message"]


def test_an_eternal_liar_escalates_with_a_report(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack)
    world.always["e/a"] = "lie"
    driver = drive(stack, world)
    assert run(driver) is Ending.ESCALATED
    assert len(ordered(driver)) <= 5
    (ended,) = driver.of(EnvironmentEnded)
    assert "said it was done" in ended.report["why"]
    assert ended.report["why"] in ended.reasoning


def test_completion_is_not_claimed(drive) -> None:
    stack = hub_stack(CHAIN)
    driver = drive(stack, world_of(stack), brain=Says(["e/complete"]))
    assert run(driver) is Ending.CONVERGED
    (refused,) = driver.of(NotAdmitted)
    assert (refused.move, refused.source) == ("e/complete", "stranger")
    assert [one.source for one in driver.of(Decided)][:2] == ["stranger", "policy"]
    assert ordered(driver) == ["a/ensure", "b/ensure", "c/ensure"]


@pytest.mark.parametrize(
    "nonsense",
    ["e/c/ensure", "e/a/remove", "e/a/recover/magic", "f/a/ensure", "e/escalate", "", "rm -rf /", "e/a/ensure/x"],
)
def test_what_is_not_legal_is_journalled_and_the_policy_decides(drive, nonsense) -> None:
    stack = hub_stack(CHAIN)
    driver = drive(stack, world_of(stack), brain=Says([nonsense]))
    assert run(driver) is Ending.CONVERGED
    assert [event.move for event in driver.of(NotAdmitted)] == [nonsense]
    assert ordered(driver) == ["a/ensure", "b/ensure", "c/ensure"]


def test_a_silent_brain_does_not_keep_the_run_from_ending(drive) -> None:
    stack = hub_stack(CHAIN)
    driver = drive(stack, world_of(stack), brain=Says(silent=True), seconds=60.0)
    assert run(driver) is not Ending.CONVERGED


def test_the_same_move_twice_in_one_decision_is_one_order(drive) -> None:
    stack = hub_stack(CHAIN)
    driver = drive(stack, world_of(stack), brain=Says(["e/a/ensure", "e/a/ensure"], ["e/b/ensure"], ["e/c/ensure"]))
    asyncio.run(driver.one_turn(0, driver.world.look(driver.hub.probes_due())))
    assert ordered(driver) == ["a/ensure"]
    assert len(driver.of(NotAdmitted)) == 1


def test_choosing_to_wait_ends_nothing(drive) -> None:
    stack = hub_stack({"a": (), "b": ()})
    world = world_of(stack, a=Part(health=Health.STARTING, summary="starting", later=(START + 5, ready())))
    driver = drive(stack, world, brain=Says(["e/a/wait"]))
    assert run(driver) is Ending.CONVERGED
    assert driver.of(Decided)[0].moves == ["e/a/wait"]
    assert ordered(driver) == ["b/ensure"]


def test_an_environment_that_is_given_up_gets_no_new_orders_in_the_same_breath(drive) -> None:
    stack = hub_stack({"a": (), "b": ()})
    world = world_of(stack)
    world.always["e/a"] = "fail:permission"
    driver = drive(stack, world, brain=Says(["e/a/ensure"], ["e/escalate", "e/b/ensure"]), parallel=1)
    assert run(driver) is Ending.ESCALATED
    assert ordered(driver) == ["a/ensure"]
    assert any(event.move == "e/b/ensure" for event in driver.of(NotAdmitted))


def test_nothing_is_ordered_in_an_environment_that_has_ended(drive) -> None:
    stack = hub_stack({"a": (), "b": ()})
    world = world_of(stack, ["x", "y"])
    world.always["x/a"] = "fail:permission"
    world.always["y/a"] = "slow"
    brain = Says(["x/a/ensure", "y/a/ensure"], ["x/escalate"], ["x/b/ensure"])
    driver = drive(stack, world, brain=brain, environments=["x", "y"])
    run(driver)
    assert [one.component for one in driver.of(Delegated) if one.environment == "x"] == ["a"]


# -- saying it twice -------------------------------------------------------------------------------------------


def test_a_turn_with_the_same_number_gives_the_recorded_answer(drive) -> None:
    stack = hub_stack({"a": (), "b": ()})
    driver = drive(stack, world_of(stack))
    seen = driver.world.look(driver.hub.probes_due())
    first = asyncio.run(driver.hub.turn(0, seen))
    before = driver.events()
    assert asyncio.run(driver.hub.turn(0, seen)) == first
    assert driver.events() == before
    assert [order.id for order in first] == ["r1/0/0", "r1/0/1"]


def test_settling_twice_changes_nothing(drive) -> None:
    stack = hub_stack({"a": (), "b": ()})
    world = world_of(stack)
    driver = drive(stack, world)
    order = asyncio.run(driver.hub.turn(0, world.look(driver.hub.probes_due())))[0]
    outcome = world.act(order, "ok")
    driver.hub.settle(order, outcome, world.look(["e/a"]))
    before = driver.events()
    driver.hub.settle(order, outcome, world.look(["e/a"]))
    driver.hub.settle(order, done("something else"), [])
    assert driver.events() == before


def test_a_turn_after_the_end_changes_nothing(drive) -> None:
    stack = hub_stack({"a": ()})
    driver = drive(stack, world_of(stack, a=ready()))
    run(driver)
    before = driver.events()
    assert asyncio.run(driver.hub.turn(99, [])) == []
    driver.clock.time += 10_000
    assert asyncio.run(driver.hub.turn(100, [])) == []
    driver.hub.end(Ending.INTERRUPTED, "again")
    assert driver.events() == before


# -- side by side ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parallel", [1, 2, 3, 9])
def test_no_more_than_the_limit_at_once(drive, parallel) -> None:
    stack = hub_stack(dict.fromkeys("abcdefgh", ()))
    driver = drive(stack, world_of(stack), parallel=parallel)
    assert run(driver) is Ending.CONVERGED
    assert max(map(len, driver.together)) == min(parallel, 8)


def test_locks_are_kept_within_an_environment(drive) -> None:
    stack = hub_stack(dict.fromkeys("abc", ()), locks=("disk",))
    driver = drive(stack, world_of(stack, ["x", "y"]), environments=["x", "y"], parallel=9)
    assert run(driver) is Ending.CONVERGED
    for flying in driver.together:
        places = [order.environment for order in flying]
        assert len(places) == len(set(places))
    assert max(map(len, driver.together)) == 2


def test_a_slow_part_does_not_hold_up_the_others(drive) -> None:
    stack = hub_stack({"a": (), "b": (), "c": ("b",)})
    world = world_of(stack)
    world.script["e/a"] = ["slow"]
    driver = drive(stack, world)
    assert run(driver) is Ending.CONVERGED
    settled = [event.id for event in driver.of(Settled)]
    assert [order.component for order in world.orders] == ["b", "c", "a"]
    assert len(settled) == 3


# -- looking ---------------------------------------------------------------------------------------------------


def test_slow_probes_do_not_keep_a_ready_stack_from_completing(drive) -> None:
    stack = hub_stack({"a": (), "b": ()})
    world = world_of(stack, a=ready(), b=ready())
    clock = world.clock
    honest = world.look

    def look(keys):
        """Both take longer than an answer stays fresh, the second longer than the first."""
        found = []
        for key in keys:
            clock.time += 2.5 if key == "e/a" else 4.0
            found += honest([key])
        return found

    world.look = look
    driver = drive(stack, world, seconds=500.0)
    assert run(driver) is Ending.CONVERGED


def test_what_a_recovery_touched_is_looked_at_with_all_that_requires_it(drive) -> None:
    mend = Strategy(
        name="mend", rung="reload", treats={FailureKind.DIED}, components={"a"}, touches=("b",), what="mend it"
    )
    stack = hub_stack({"a": (), "b": (), "c": ("b",)}, strategies=(mend,))
    world = world_of(
        stack, a=Part(health=Health.BROKEN, failure=FailureKind.DIED, summary="dead"), b=ready(2), c=ready(3)
    )
    driver = drive(stack, world)
    order = asyncio.run(driver.hub.turn(0, world.look(driver.hub.probes_due())))[0]
    assert order.touches == ("b",)
    outcome = world.act(order, "ok")
    driver.hub.settle(order, outcome, world.look(driver.hub.to_verify(order, outcome)))
    assert "e/c" in driver.hub.probes_due()


# -- taking a run up again -------------------------------------------------------------------------------------


def again(driver: Driver, drive, **more) -> Driver:
    """A new hub over the same journal and world, as after a crash."""
    return drive(driver.charter.stack, driver.world, goal=driver.charter.goal, **more)


def test_a_run_taken_up_again_with_nothing_changed_still_sees_its_gaps(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack)
    first = drive(stack, world)
    asyncio.run(first.hub.turn(0, world.look(first.hub.probes_due())))
    second = again(first, drive)
    assert run(second) is Ending.CONVERGED
    assert all(part.health is Health.READY for part in world.parts.values())
    statuses = [event.status for event in second.of(Settled)]
    assert statuses[0] == "interrupted"


def test_an_order_that_was_done_when_the_hub_died_is_found_so(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack)
    first = drive(stack, world)
    order = asyncio.run(first.hub.turn(0, world.look(first.hub.probes_due())))[0]
    world.act(order, "ok")
    second = again(first, drive)
    assert run(second) is Ending.CONVERGED
    assert second.of(Settled)[0].status == "observed"
    assert ordered(second) == ["a/ensure", "b/ensure", "c/ensure"]


def test_the_order_ids_of_a_resumed_run_are_new(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack)
    first = drive(stack, world)
    asyncio.run(first.hub.turn(0, world.look(first.hub.probes_due())))
    second = again(first, drive)
    run(second)
    ids = [event.id for event in second.of(Delegated)]
    assert len(ids) == len(set(ids))


def test_an_interrupted_run_has_settled_everything(drive) -> None:
    stack = hub_stack(CHAIN)
    world = world_of(stack)
    driver = drive(stack, world)
    asyncio.run(driver.one_turn(0, world.look(driver.hub.probes_due())))
    driver.cancel()
    driver.hub.end(Ending.INTERRUPTED, "told to")
    assert driver.state.ended is Ending.INTERRUPTED
    assert [event.status for event in driver.of(Settled)] == ["cancelled"]
    assert driver.state.in_flight == {}
