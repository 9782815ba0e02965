"""Every error shiftboss raises on purpose, in one tree.

    ShiftbossError
    +- BadInput          what the user wrote: settings, templates, arguments (exit 2, all findings at once)
    +- Refused           another hub owns the environment, or the store can't be trusted (exit 6)
    +- StoreBroken       the journal can't be written or read as it should (exit 1)
    +- MindFailed        a model gave no usable answer (whoever asked does without it)
    +- Failed            a handler's typed bad outcome (becomes a Failure, never an exit by itself)

The text of an error says what, where and what to do.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.failure import FailureKind
from shiftboss.model.mind import Usage


class ShiftbossError(Exception):
    """An error with a message for a person; never shown as a traceback."""


class BadInput(ShiftbossError):
    """What the user wrote can't be used; holds every finding, not just the first."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(finding) for finding in self.diagnostics))


class Refused(ShiftbossError):
    """Shiftboss will not start: somebody else owns the environment, or acting would not be safe."""


class StoreBroken(ShiftbossError):
    """The journal can't be written or read; nothing is done that could not be recorded first."""


class Failed(ShiftbossError):
    """A handler's way to end with a typed failure and its evidence."""

    def __init__(self, kind: FailureKind, message: str, evidence: Mapping[str, Any] | None = None) -> None:
        self.kind = kind
        self.evidence = dict(evidence or {})
        self.changes: list[str] = []  #: what was changed before it failed
        super().__init__(message)


class MindFailed(ShiftbossError):
    """A model gave no usable answer; `verdict` is the journal's word.

    It is one of failed, late, refused, unreadable, spent, unrecorded.
    """

    def __init__(self, verdict: str, why: str, usage: Usage | None = None, seconds: float = 0.0) -> None:
        self.verdict = verdict
        self.usage = usage or Usage()  #: what it cost all the same
        self.seconds = seconds  #: how long it was waited for
        super().__init__(why)
