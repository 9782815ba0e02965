"""What stands between a component and its goal now: seen by its probe, or left by the last failure. Pure."""

from collections.abc import Sequence

from shiftboss.model.failure import FailureKind, signature
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.move import Mode
from shiftboss.model.pipeline import ComponentSpec
from shiftboss.model.recovery import Attempt
from shiftboss.model.value import Value

WAITED_FOR = frozenset({GapKind.NOT_YET, GapKind.UNKNOWN})
"""Gaps that time alone may close, within the component's patience."""


class Trouble(Value):
    """The failure that stands between a component and its goal now."""

    kind: FailureKind
    signature: str
    message: str
    late: bool = False  #: nothing failed, but it does not become ready


def is_late(gap: Gap, spec: ComponentSpec, waited: float) -> bool:
    """Whether something that time alone should have closed has had its time."""
    return gap.kind in WAITED_FOR and waited > spec.patience


def trouble_of(gap: Gap, spec: ComponentSpec, attempts: Sequence[Attempt], waited: float) -> Trouble | None:
    """What went wrong and still stands: seen by the probe, or the last failure no recovery has answered."""
    if is_late(gap, spec, waited):
        return _too_late(gap, waited)
    if gap.failure is not None:
        sign = signature(gap.component, gap.failure, gap.why)
        return Trouble(kind=gap.failure, signature=sign, message=gap.why)
    for attempt in reversed(attempts):
        if attempt.ok and attempt.mode != Mode.UNDO:
            return None
        if attempt.mode not in (Mode.RECOVER, Mode.UNDO) and attempt.kind and attempt.signature:
            return Trouble(kind=attempt.kind, signature=attempt.signature, message=attempt.message)
    return None


def _too_late(gap: Gap, waited: float) -> Trouble:
    message = f"not ready after {waited:.0f} s: {gap.why}"
    kind = FailureKind.TIMEOUT
    return Trouble(kind=kind, signature=signature(gap.component, kind, message), message=message, late=True)
