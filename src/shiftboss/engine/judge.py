"""Outcome + what the probes say now -> how the delegation really ended. Pure.

An agent cannot declare success (invariant 3): `done` with a component that is not as it should be is a failure.
"""

from shiftboss.model.failure import Failure, FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, Status
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
