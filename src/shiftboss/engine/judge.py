"""Outcome + what the probes say now -> how the delegation really ended. Pure.

An agent cannot declare success (invariant 3): `done` with a component that is not as it should be is a failure.
"""

from shiftboss.model.failure import Failure, FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation, Snapshot
from shiftboss.model.outcome import Outcome, Status
from shiftboss.model.stack import Stack
from shiftboss.model.value import Value


class Verdict(Value):
    """What the hub writes down about a delegation."""

    ok: bool
    keyword: str  #: the agent's outcome word
    failure: Failure | None = None


def judge(order: Delegation, outcome: Outcome, seen: Observation | None, words: tuple[str, str]) -> Verdict:
    """Whether the delegation did what it was sent for; `words` are its keywords for success and failure."""
    success, failed = words
    if outcome.status is not Status.DONE:
        if _something_else_now(order, outcome, seen):
            return Verdict(ok=True, keyword=success)
        return Verdict(ok=False, keyword=failed, failure=outcome.failure)
    if order.mode is Mode.UNDO or _as_it_should_be(order, seen):
        return Verdict(ok=True, keyword=outcome.special or success)
    shown = seen.summary if seen else "nothing was seen of it"
    failure = Failure(
        component=order.component,
        kind=FailureKind.UNVERIFIED,
        message=shown if order.mode is Mode.VERIFY else f"{order.agent} said it was done, but: {shown}",
        evidence={"said": outcome.summary, "seen": dict(seen.evidence) if seen else {}},
    )
    return Verdict(ok=False, keyword=failed, failure=failure)


def stands_on(order: Delegation, stack: Stack) -> list[str]:
    """What must work for an order to come to a good end, as `environment/component`; only what brings up has any."""
    needs = stack.specs[order.component].requires if order.mode is Mode.ENSURE else ()
    return [f"{order.environment}/{name}" for name in needs]


def lost_ground(order: Delegation, stack: Stack, snapshot: Snapshot) -> str:
    """Which of these has failed, in a sentence; empty while none has."""
    seen = [snapshot[key] for key in stands_on(order, stack) if key in snapshot]
    failed = [one for one in seen if one.health in (Health.BROKEN, Health.ABSENT)]
    return "; ".join(f"{one.component}, which it needs, failed meanwhile: {one.summary}" for one in failed)


def excused(order: Delegation, outcome: Outcome, stack: Stack, snapshot: Snapshot) -> Outcome:
    """What fails because that fails which it stands on, has not failed itself: it is given up, and no attempt."""
    lost = lost_ground(order, stack, snapshot) if outcome.status is Status.FAILED else ""
    said = f"given up: {lost} ({outcome.summary})"
    return outcome.but(status=Status.CANCELLED, summary=said, failure=None) if lost else outcome


_NO_BETTER = frozenset({(FailureKind.DATA_DAMAGED, FailureKind.DATA_LOST)})
"""Pairs of failures of which the second is what a bad recovery makes of the first."""


def _something_else_now(order: Delegation, outcome: Outcome, seen: Observation | None) -> bool:
    """Whether a recovery got rid of its failure, and only met another one behind it: that is the next trouble."""
    if order.mode is not Mode.RECOVER or outcome.failure is None or seen is None or order.failure is None:
        return False
    now = outcome.failure.kind
    other = now != order.failure and seen.failure == now
    return other and (FailureKind(order.failure), now) not in _NO_BETTER


def _as_it_should_be(order: Delegation, seen: Observation | None) -> bool:
    if seen is None or seen.health is Health.UNKNOWN:
        return False
    match order.mode:
        case Mode.REMOVE:
            return seen.health is Health.ABSENT or seen.instance is None
        case Mode.RECOVER:
            return seen.failure is None or seen.failure != order.failure
        case _:
            return seen.health in (Health.READY, Health.STARTING)
