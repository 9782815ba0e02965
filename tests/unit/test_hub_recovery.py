"""A hub that recovers, in virtual time: credit, taking back, consent over a pause, forecasts, keeping watch."""

import asyncio
from dataclasses import replace
from itertools import pairwise

from demo.small import RESTART, START, Part, hub_stack, ready, world_of
from shiftboss.engine.ladder import Budget
from shiftboss.model.consent import Answer, rules_for
from shiftboss.model.events import (
    ApprovalAsked,
    Approved,
    Decided,
    Delegated,
    Denied,
    EnvironmentEnded,
    Learned,
    MendedByHand,
    Settled,
    Warned,
)
from shiftboss.model.failure import FailureKind
from shiftboss.model.forecast import Limit
from shiftboss.model.move import Mode, Risk
from shiftboss.model.observation import Health
from shiftboss.model.recovery import Strategy
from shiftboss.model.run import Ending, Goal

DIED = FailureKind.DIED
REPAIR = Strategy(
    name="repair",
    rung="repair_data",
    treats={DIED, FailureKind.DATA_DAMAGED},
    risk=Risk.DISRUPTIVE,
    what="mend its data",
    undo="the copy is put back",
)
RESET = Strategy(
    name="reset",
    rung="reset_environment",
    treats={DIED, FailureKind.DATA_DAMAGED},
    risk=Risk.DESTRUCTIVE,
    most=2,
    what="begin anew",
)
AGAIN = RESTART.but(risk=Risk.DISRUPTIVE)
STACK = hub_stack({"a": (), "b": ("a",)}, strategies=(AGAIN, REPAIR, RESET))


def broken(kind: FailureKind = DIED) -> Part:
    return Part(health=Health.BROKEN, failure=kind, summary=f"broken: {kind}")


def strategies(driver) -> list[str]:
    return [event.strategy for event in driver.of(Delegated) if event.mode == Mode.RECOVER]


def test_what_does_not_last_has_failed_and_the_rung_is_left(drive) -> None:
    """The document's story: it is started again twice, falls again, and the third time something else is done."""
    world = world_of(STACK, a=broken(), b=ready())
    world.script["e/a"] = ["break:died", "break:died", "break:died", "break:died", "ok"]
    driver = drive(STACK, world, budget=Budget(attempts=20, recoveries=20))
    assert asyncio.run(driver.run()) is Ending.CONVERGED
    assert strategies(driver) == ["restart_one", "restart_one", "repair", "repair", "reset"]


def test_credit_is_given_by_a_later_run_that_still_sees_the_same_process(drive) -> None:
    world = world_of(STACK, a=broken(), b=ready())
    first = drive(STACK, world, window=60.0, versions="v1")
    assert asyncio.run(first.run()) is Ending.CONVERGED
    assert not first.of(Learned), "the window is open when the run ends"
    assert [credit.strategy for credit in first.memory.credits(["e"], "v1")] == ["restart_one"]
    world.clock.time += 100
    second = drive(STACK, world, run="r2", versions="v1", credits=first.memory.credits(["e"], "v1"))
    assert asyncio.run(second.run()) is Ending.CONVERGED
    assert [(one.strategy, one.lasted) for one in second.of(Learned)] == [("restart_one", True)]
    assert [(one.strategy, one.lasted) for one in second.memory.lessons("v1")] == [("restart_one", 1)]
    assert second.memory.credits(["e"], "v1") == []


def test_a_replaced_process_earns_no_credit(drive) -> None:
    world = world_of(STACK, a=broken(), b=ready())
    first = drive(STACK, world, versions="v1")
    asyncio.run(first.run())
    world.clock.time += 100
    world.parts["e/a"] = ready(77)
    second = drive(STACK, world, run="r2", versions="v1", credits=first.memory.credits(["e"], "v1"))
    asyncio.run(second.run())
    assert second.of(Learned) == []
    assert second.memory.lessons() == []
    assert second.memory.credits(["e"], "v1") == []


def test_the_same_failure_within_the_window_is_a_failure_of_the_recovery_in_a_later_run_too(drive) -> None:
    world = world_of(STACK, a=broken(), b=ready())
    first = drive(STACK, world, versions="v1")
    asyncio.run(first.run())
    world.clock.time += 10
    world.parts["e/a"] = broken()
    second = drive(STACK, world, run="r2", versions="v1", credits=first.memory.credits(["e"], "v1"))
    asyncio.run(second.run())
    assert [(one.strategy, one.lasted) for one in second.of(Learned)] == [("restart_one", False)]
    assert [(one.strategy, one.failed) for one in second.memory.lessons("v1")] == [("restart_one", 1)]


def test_the_second_time_it_goes_straight_to_what_lasted(drive) -> None:
    kind = FailureKind.DATA_DAMAGED
    world = world_of(STACK, a=broken(kind), b=ready())
    world.script["e/a"] = ["fail:data_damaged", "fail:data_damaged", "ok"]
    first = drive(STACK, world, versions="v1")
    assert asyncio.run(first.run()) is Ending.CONVERGED
    assert strategies(first) == ["repair", "repair", "reset"]
    world.clock.time += 100
    second = drive(STACK, world, run="r2", versions="v1", credits=first.memory.credits(["e"], "v1"))
    asyncio.run(second.run())
    world.parts["e/a"] = broken(kind)
    third = drive(STACK, world, run="r3", versions="v1", lessons=second.memory.lessons("v1"))
    assert asyncio.run(third.run()) is Ending.CONVERGED
    assert strategies(third) == ["reset"]


def test_what_is_learned_counts_in_the_same_run(drive) -> None:
    """The third time, although the run before knew of one failure only."""
    kind = FailureKind.DATA_DAMAGED
    world = world_of(STACK, a=broken(kind), b=ready())
    runs = []
    for number in (1, 2, 3):
        before = runs[-1].memory if runs else None
        known = {"lessons": before.lessons("v1"), "credits": before.credits(["e"], "v1")} if before else {}
        driver = drive(STACK, world, run=f"r{number}", versions="v1", **known)
        assert asyncio.run(driver.run()) is Ending.CONVERGED
        runs.append(driver)
        world.clock.time += 10
        world.parts["e/a"] = broken(kind)
    assert [strategies(driver) for driver in runs] == [["repair"], ["repair"], ["reset"]]


def test_lessons_of_other_versions_are_dropped(drive) -> None:
    world = world_of(STACK, a=broken(), b=ready())
    world.script["e/a"] = ["fail:died"]
    first = drive(STACK, world, versions="v1")
    asyncio.run(first.run())
    assert first.memory.lessons("v1")
    assert first.memory.lessons("v2") == []
    world.parts["e/a"] = broken()
    world.script["e/a"] = ["fail:died"]
    second = drive(STACK, world, run="r2", versions="v2")
    asyncio.run(second.run())
    assert {one.versions for one in second.memory.lessons()} == {"v2"}


def test_a_failed_recovery_is_taken_back_and_then_another_is_tried(drive) -> None:
    world = world_of(STACK, a=broken(FailureKind.DATA_DAMAGED), b=ready())
    world.script["e/a"] = ["harm:data_damaged", "ok", "ok"]
    driver = drive(STACK, world)
    assert asyncio.run(driver.run()) is Ending.CONVERGED
    orders = [event for event in driver.of(Delegated) if event.component == "a"]
    assert [(one.mode, one.strategy) for one in orders] == [
        ("recover", "repair"),
        ("undo", None),
        ("recover", "repair"),
    ]
    assert orders[1].undoes == orders[0].id


def test_before_a_person_is_called_what_had_worked_works_again(drive) -> None:
    """The health of every part after a failed recovery is never below the one before."""
    world = world_of(STACK, a=broken(FailureKind.DATA_DAMAGED), b=ready())
    world.always["e/a"] = "harm:data_damaged"
    world.parts["e/c"] = ready()
    driver = drive(STACK, world)
    before = dict(world.parts)
    assert asyncio.run(driver.run()) is Ending.ESCALATED
    assert world.parts["e/a"] == before["e/a"], "every attempt was taken back"
    assert [e.mode for e in driver.of(Delegated)].count("undo") == len(strategies(driver))


def test_a_working_part_that_falls_is_brought_up_although_another_is_hopeless(drive) -> None:
    once = REPAIR.but(uses=1)
    stack = hub_stack({"a": (), "c": ()}, strategies=(once,))
    world = world_of(stack, a=broken(FailureKind.DATA_DAMAGED))
    world.parts["e/c"] = replace(ready(), later=(START + 0.5, Part()))  # it falls while `a` is worked on
    world.always["e/a"] = "fail:data_damaged"
    driver = drive(stack, world)
    assert asyncio.run(driver.run()) is Ending.ESCALATED
    assert world.parts["e/c"].health is Health.READY


def asking(*risks: Risk) -> dict:
    return {"consent": {"e": rules_for("regtest", dict.fromkeys(risks, Answer.ASK))}}


def test_asking_pauses_the_run_and_a_yes_takes_it_up_again(drive) -> None:
    world = world_of(STACK, a=broken(), b=ready())
    terms = asking(Risk.DISRUPTIVE, Risk.DESTRUCTIVE)
    first = drive(STACK, world, **terms)
    assert asyncio.run(first.run()) is Ending.NEEDS_APPROVAL
    asked = {one.move: one.act for one in first.of(ApprovalAsked)}
    assert list(asked) == ["e/a/recover/restart_one", "e/a/recover/repair", "e/a/recover/reset"]
    assert [one["act"] for one in first.of(EnvironmentEnded)[0].report["approvals"]] == list(asked.values())
    assert world.orders == [], "nothing was done"
    again = drive(STACK, world, **terms)
    again.inbox = [Approved(act=asked["e/a/recover/repair"])]
    assert asyncio.run(again.run()) is Ending.CONVERGED
    assert strategies(again) == ["repair"], "exactly what was approved"


def test_a_no_leaves_the_others_and_when_all_are_denied_a_person_is_called(drive) -> None:
    world = world_of(STACK, a=broken(), b=ready())
    terms = asking(Risk.DISRUPTIVE, Risk.DESTRUCTIVE)
    first = drive(STACK, world, **terms)
    asyncio.run(first.run())
    acts = [one.act for one in first.of(ApprovalAsked)]
    second = drive(STACK, world, **terms)
    second.inbox = [Denied(act=acts[0])]
    assert asyncio.run(second.run()) is Ending.NEEDS_APPROVAL
    third = drive(STACK, world, **terms)
    third.inbox = [Denied(act=act, reason="not tonight") for act in acts[1:]]
    assert asyncio.run(third.run()) is Ending.ESCALATED
    assert "denied" in third.of(Decided)[-1].reasoning
    assert world.orders == []


def test_what_a_person_mended_is_kept_as_a_lesson(drive) -> None:
    world = world_of(STACK, a=Part(health=Health.BROKEN, failure=FailureKind.PERMISSION, summary="denied"), b=ready())
    first = drive(STACK, world)
    assert asyncio.run(first.run()) is Ending.ESCALATED
    world.parts["e/a"] = ready(5)
    again = drive(STACK, world)
    assert asyncio.run(again.run()) is Ending.CONVERGED
    assert [one.component for one in again.of(MendedByHand)] == ["a"]
    assert [one.what for one in again.memory.remedies()] == ["denied -> works"]
    assert world.orders == [], "it looked first, and there was nothing left to do"


def test_what_fails_because_of_what_it_stands_on_has_not_failed(drive) -> None:
    """A part that loses its ground again and again spends its own budget for nothing, and takes the blame."""
    world = world_of(STACK, a=ready())
    world.script["e/b"] = ["fail:crashed"] * 4
    driver = drive(STACK, world, budget=Budget(attempts=4, recoveries=20))
    act = world.act

    def fall(order, word):
        if word.startswith("fail"):
            world.parts["e/a"] = broken(FailureKind.DATA_DAMAGED)  # `a` goes while `b` is worked on
        return act(order, word)

    world.act = fall
    asyncio.run(driver.run())
    given_up = [event for event in driver.of(Settled) if event.status == "cancelled"]
    assert given_up
    assert all("a, which it needs, failed meanwhile" in event.summary for event in given_up)
    assert "could not do it: crashed" in given_up[0].summary, "what it said itself is kept"
    assert driver.state.ledger["e/b"] == [] or all(one.ok for one in driver.state.ledger["e/b"])
    assert "e/b" not in driver.of(Decided)[-1].reasoning


WAIT = RESTART.but(name="wait", rung="wait", treats={FailureKind.DISCONNECTED})


def test_before_what_has_just_broken_is_treated_its_ground_is_looked_at(drive) -> None:
    """It broke because that broke which it stands on, and that was last seen well."""
    stack = hub_stack({"a": (), "b": ("a",)}, strategies=(WAIT, RESTART))
    cut = broken(FailureKind.DISCONNECTED)
    starting = Part(health=Health.STARTING, summary="starting", instance="i2", later=(START + 1, cut))
    world = world_of(stack, a=replace(ready(), later=(START + 1, broken())), b=starting)
    act = world.act

    def heal(order, word):
        if order.component == "a":
            world.parts["e/b"] = ready(3)  # it finds its way back
        return act(order, word)

    world.act = heal
    driver = drive(stack, world)
    assert asyncio.run(driver.run()) is Ending.CONVERGED
    assert [(order.component, order.strategy) for order in world.orders] == [("a", "restart_one")]


def test_nothing_is_decided_on_an_answer_that_is_about_to_be_replaced(drive) -> None:
    """A part two steps above the one that was mended is well again, and nobody has looked yet."""
    stack = hub_stack({"a": (), "w": ("a",), "b": ("w",)}, strategies=(WAIT, RESTART))
    world = world_of(stack, a=broken(), b=broken(FailureKind.DISCONNECTED))
    act = world.act

    def heal(order, word):
        if order.component == "a":
            world.parts |= {"e/w": ready(2), "e/b": ready(3)}
        return act(order, word)

    world.act = heal
    driver = drive(stack, world)
    assert asyncio.run(driver.run()) is Ending.CONVERGED
    assert [(order.component, order.strategy) for order in world.orders] == [("a", "restart_one")]


SPACE = Limit(measure="free", at=10, falling=True, margin=5, kind=FailureKind.NO_SPACE, what="free space")
TIDY = Strategy(name="tidy", rung="free_space", treats={FailureKind.NO_SPACE}, uses=1, what="delete old logs")


def test_a_limit_in_sight_is_dealt_with_before_the_failure(drive) -> None:
    stack = hub_stack({"a": ()}, strategies=(TIDY,))
    low = Part(health=Health.READY, summary="works", instance="i1", measures=lambda _now: {"free": 12.0})
    world = world_of(stack, a=low)
    world.act = lambda order, _word: _freed(world, order)  # the only thing that is done here
    driver = drive(stack, world, limits=[SPACE])
    assert asyncio.run(driver.run()) is Ending.CONVERGED
    assert strategies(driver) == ["tidy"]
    assert any("e/a/forecast" in gap[0] for decision in driver.of(Decided) for gap in decision.gaps)


def _freed(world, order):
    from shiftboss.model.outcome import done

    world.orders.append(order)
    world.parts[order.key] = Part(
        health=Health.READY, summary="works", instance="i1", measures=lambda _now: {"free": 500.0}
    )
    return done("freed", "deleted a log")


def test_what_nothing_can_prevent_is_said_once_and_stops_nothing(drive) -> None:
    stack = hub_stack({"a": ()}, strategies=())
    world = world_of(
        stack, a=Part(health=Health.READY, summary="works", instance="i1", measures=lambda _now: {"free": 12.0})
    )
    driver = drive(stack, world, limits=[SPACE])
    assert asyncio.run(driver.run()) is Ending.CONVERGED
    assert len(driver.of(Warned)) == 1
    assert world.orders == []


def watch_until(driver, when, limit: int = 400) -> None:
    """Drive a run that keeps watch until something holds."""

    async def go() -> None:
        seen = driver.world.look(driver.hub.probes_due())
        driver.hub.reconcile(seen)
        for number in range(limit):
            await driver.one_turn(number, seen)
            if when() or driver.state.ended is not None:
                return
            driver.wait()
            driver.settle()
            seen = driver.world.look(driver.hub.probes_due())

    asyncio.run(go())


def test_watch_does_not_end_when_all_is_well_and_heals_what_falls(drive) -> None:
    world = world_of(STACK)
    driver = drive(STACK, world, goal=Goal(keep=True), seconds=100.0, interval=5.0)
    watch_until(driver, lambda: world.clock.time > START + 1000)
    assert driver.state.ended is None
    quiet = len(driver.events())
    fell = world.clock.time
    world.parts["e/b"] = broken()
    watch_until_healed(driver)
    assert world.parts["e/b"].health is Health.READY
    assert world.clock.time - fell < 5.0 + 3.0, "seen within the interval"
    assert len(driver.events()) > quiet


def watch_until_healed(driver) -> None:
    watch_until(driver, lambda: driver.world.parts["e/b"].health is Health.READY and not driver.flying)


def test_watch_gives_a_flapping_part_ever_more_time_and_in_the_end_calls_a_person(drive) -> None:
    world = world_of(STACK, a=ready())
    world.always["e/b"] = "flap"
    driver = drive(STACK, world, goal=Goal(keep=True), interval=1.0)
    watch_until(driver, lambda: False, limit=4000)
    assert driver.state.ended is Ending.ESCALATED
    times = [record.at for record in driver.events() if isinstance(record.event, Delegated)]
    pauses = [after - before for before, after in pairwise(times)]
    assert max(pauses[-4:]) > 4 * max(pauses[:2])


def test_a_trouble_after_a_quiet_time_has_budgets_of_its_own(drive) -> None:
    """The hundredth failure in a month is no reason to give up."""
    world = world_of(STACK, a=ready(), b=ready())
    driver = drive(STACK, world, goal=Goal(keep=True), interval=5.0, window=60.0)
    for _ in range(30):
        now = world.clock.time
        watch_until(driver, lambda now=now: world.clock.time > now + 200)
        world.parts["e/b"] = broken()
        watch_until_healed(driver)
    assert driver.state.ended is None
    assert len([e for e in driver.of(Settled) if e.ok]) == 30
