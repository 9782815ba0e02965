"""How an outcome is judged by what is seen, and what a handler's exception means."""

import asyncio
import errno
from typing import Any

import pytest

from shiftboss.engine.delegate import carry_out, outcome_of
from shiftboss.engine.judge import judge
from shiftboss.engine.observe import Observer
from shiftboss.errors import Failed
from shiftboss.model.failure import Failure, FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, Status, done

WORDS = ("kept", "lost")


class Bench:
    """Just enough of a workbench to look and act with."""

    class clock:  # noqa: N801 - stands for an attribute
        @staticmethod
        def now() -> float:
            return 5.0


BENCH: Any = Bench()


def order(mode: Mode = Mode.ENSURE, *, deadline: float = 60.0, failure: str | None = None) -> Delegation:
    return Delegation(
        id="r/0/0",
        run="r",
        environment="e",
        component="a",
        agent="keeper",
        mode=mode,
        strategy=None,
        keyword="k",
        attempt=1,
        deadline=deadline,
        failure=failure,
    )


def seen(health: Health, failure: FailureKind | None = None, instance: str | None = None) -> Observation:
    return Observation(
        environment="e", component="a", health=health, summary="as it is", failure=failure, instance=instance
    )


@pytest.mark.parametrize(
    ("mode", "shown", "ok"),
    [
        (Mode.ENSURE, seen(Health.READY), True),
        (Mode.ENSURE, seen(Health.STARTING), True),
        (Mode.ENSURE, seen(Health.ABSENT), False),
        (Mode.ENSURE, seen(Health.BROKEN, FailureKind.DIED), False),
        (Mode.ENSURE, seen(Health.UNKNOWN), False),
        (Mode.ENSURE, None, False),
        (Mode.FORCE, seen(Health.READY), True),
        (Mode.FORCE, seen(Health.UNKNOWN), False),
        (Mode.VERIFY, seen(Health.ABSENT), False),
        (Mode.REMOVE, seen(Health.ABSENT), True),
        (Mode.REMOVE, seen(Health.READY), True),  # not ours: there is no instance
        (Mode.REMOVE, seen(Health.READY, instance="1"), False),
        (Mode.REMOVE, seen(Health.BROKEN, instance="1"), False),
        (Mode.REMOVE, seen(Health.UNKNOWN), False),
        (Mode.RECOVER, seen(Health.ABSENT), True),  # the way is free; its owner brings it up
        (Mode.RECOVER, seen(Health.BROKEN, FailureKind.DIED), False),
        (Mode.RECOVER, seen(Health.BROKEN, FailureKind.CONFIG), True),  # another failure: the one it was for is gone
        (Mode.RECOVER, seen(Health.UNKNOWN), False),
    ],
)
def test_done_counts_only_if_it_is_seen(mode: Mode, shown: Observation | None, ok: bool) -> None:
    verdict = judge(order(mode, failure="died"), done("it is done"), shown, WORDS)
    assert verdict.ok is ok
    assert verdict.keyword == ("kept" if ok else "lost")
    assert (verdict.failure is None) is ok
    if verdict.failure:
        assert verdict.failure.kind is FailureKind.UNVERIFIED
        assert verdict.failure.evidence["said"] == "it is done"


def test_a_failure_is_kept_whatever_is_seen() -> None:
    failure = Failure(component="a", kind=FailureKind.NO_SPACE, message="full")
    outcome = Outcome(status=Status.FAILED, summary="full", failure=failure)
    verdict = judge(order(), outcome, seen(Health.READY), WORDS)
    assert (verdict.ok, verdict.keyword, verdict.failure) == (False, "lost", failure)


def test_a_special_outcome_needs_the_world_to_agree_too() -> None:
    outcome = Outcome(status=Status.DONE, summary="reset", special="environment_reset")
    assert judge(order(Mode.RECOVER), outcome, seen(Health.ABSENT), WORDS).keyword == "environment_reset"
    assert judge(order(Mode.ENSURE), outcome, seen(Health.ABSENT), WORDS).keyword == "lost"


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (Failed(FailureKind.CONFIG, "line 3 is odd", {"line": 3}), "config", "line 3 is odd"),
        (PermissionError(errno.EACCES, "no"), "permission", "no"),
        (OSError(errno.ENOSPC, "full"), "no_space", "full"),
        (OSError(errno.EIO, "bad disk"), "crashed", "bad disk"),
        (KeyError("x"), "crashed", "KeyError: 'x'"),
        (TimeoutError(), "timeout", "did not end within 60 s"),
    ],
)
def test_an_exception_is_a_typed_failure(error: Exception, kind: str, says: str) -> None:
    outcome = outcome_of(error, order())
    assert outcome.status is Status.FAILED
    assert outcome.failure is not None
    assert (outcome.failure.kind, says in outcome.summary) == (kind, True)


def carried(handler: Any, deadline: float = 60.0) -> Outcome:
    return asyncio.run(carry_out(order(deadline=deadline), {"keeper": handler}, BENCH))


async def raises(_order: Delegation, _bench: object) -> Outcome:
    raise ZeroDivisionError


async def forgets(_order: Delegation, _bench: object) -> None:
    """Has no return statement."""


async def hangs(_order: Delegation, _bench: object) -> Outcome:
    await asyncio.Event().wait()
    return done("never")


async def waits_for_somebody(_order: Delegation, _bench: object) -> Outcome:
    raise TimeoutError("the socket said nothing")


async def leaks(_order: Delegation, _bench: object) -> Outcome:
    """Awaits a task that somebody else cancelled, and forgets that this raises."""
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await task
    return done("never")


def test_a_handler_may_do_what_it_likes() -> None:
    for handler in (raises, forgets, leaks):
        outcome = carried(handler)
        assert outcome.failure is not None
        assert outcome.failure.kind is FailureKind.CRASHED


def test_a_handler_that_hangs_is_given_up_at_its_deadline() -> None:
    outcome = carried(hangs, deadline=0.02)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.TIMEOUT
    assert "within 0.02 s" in outcome.summary


def test_a_time_out_of_its_own_is_not_called_the_deadline() -> None:
    outcome = carried(waits_for_somebody)
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.TIMEOUT
    assert "the socket said nothing" in outcome.summary
    assert "60" not in outcome.summary


def test_an_agent_without_a_handler_fails_and_stops_nobody() -> None:
    assert asyncio.run(carry_out(order(), {}, BENCH)).status is Status.FAILED


def test_looking_only_calls_nobody() -> None:
    assert asyncio.run(carry_out(order(Mode.VERIFY), {}, BENCH)).status is Status.DONE


def test_being_told_to_stop_passes_through() -> None:
    async def told() -> bool:
        task = asyncio.create_task(carry_out(order(), {"keeper": hangs}, BENCH))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert asyncio.run(told())


async def says_nothing(_bench: object) -> None:
    """A probe without an answer."""


async def answers_for_another(_bench: object) -> Observation:
    return Observation(environment="e", component="b", health=Health.READY, summary="fine")


async def breaks(_bench: object) -> Observation:
    raise ZeroDivisionError


async def never_answers(_bench: object) -> Observation:
    await asyncio.Event().wait()
    return seen(Health.READY)


async def leaking_probe(_bench: object) -> Observation:
    raise asyncio.CancelledError


async def answers(_bench: object) -> Observation:
    return seen(Health.READY)


@pytest.mark.parametrize("probe", [says_nothing, answers_for_another, breaks, never_answers, leaking_probe])
@pytest.mark.parametrize("company", [[], ["e/good"]])
def test_a_probe_that_can_not_answer_is_unknown(probe: Any, company: list[str]) -> None:
    async def good(_bench: object) -> Observation:
        return Observation(environment="e", component="good", health=Health.READY, summary="fine")

    observer = Observer({"a": probe, "good": good}, {"e": BENCH}, 0.02)
    found = asyncio.run(observer.look(["e/a", *company]))
    assert [one.key for one in found] == ["e/a", *company]
    assert (found[0].health, found[0].at) == (Health.UNKNOWN, 5.0)
    assert all(one.health is Health.READY for one in found[1:])


def test_an_answer_is_dated_and_kept() -> None:
    observer = Observer({"a": answers}, {"e": BENCH}, 0.02)
    assert asyncio.run(observer.look([])) == []
    (found,) = asyncio.run(observer.look(["e/a"]))
    assert (found.health, found.at) == (Health.READY, 5.0)


@pytest.mark.parametrize(
    ("treated", "told", "shown", "ok"),
    [
        ("wallet_damaged", "data_damaged", "data_damaged", True),  # another trouble stood behind it: the next one
        ("died", "data_lost", "data_lost", True),  # it runs again, and now it is seen what it lost
        ("data_damaged", "data_lost", "data_lost", False),  # a repair that lost blocks is none
        ("data_damaged", "data_damaged", "data_damaged", False),
        ("wallet_damaged", "data_damaged", "wallet_damaged", False),  # the probe sees the old one still
        ("wallet_damaged", "data_damaged", None, False),
    ],
)
def test_a_recovery_that_only_met_the_next_failure_has_done_its_part(
    treated: str, told: str, shown: str | None, ok: bool
) -> None:
    failure = Failure(component="a", kind=FailureKind(told), message="it is so")
    outcome = Outcome(status=Status.FAILED, summary="it is so", failure=failure)
    now = seen(Health.BROKEN, FailureKind(shown) if shown else None)
    verdict = judge(order(Mode.RECOVER, failure=treated), outcome, now, WORDS)
    assert (verdict.ok, verdict.keyword) == (ok, WORDS[0] if ok else WORDS[1])
    assert judge(order(Mode.ENSURE, failure=treated), outcome, now, WORDS).ok is False
