"""How a delegation ended, as its handler tells it.

`Outcome` lives in memory; `events.Settled` is its stored form, written after the probes judged it.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from shiftboss.model.failure import Failure
from shiftboss.model.value import Value


class Status(StrEnum):
    """The ends a delegation can have."""

    DONE = "done"  #: the handler is content (the probes judge it still)
    FAILED = "failed"  #: typed failure
    CANCELLED = "cancelled"  #: we were told to stop
    OBSERVED = "observed"  #: found closed by looking, after the hub had died
    INTERRUPTED = "interrupted"  #: found open by looking, after the hub had died


class Outcome(Value):
    """What the handler did: every change one by one, and what it saw."""

    status: Status
    summary: str
    changes: tuple[str, ...] = ()
    failure: Failure | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])
    special: str | None = None  #: an outcome keyword of its own, e.g. environment_reset
    output: str = ""  #: what the agent put out in words, for those that come after it
    undoable: int = 0  #: steps written down that can be taken back (filled in by the one who calls the handler)


def done(summary: str, *changes: str, **evidence: Any) -> Outcome:
    """A content outcome with its changes."""
    return Outcome(status=Status.DONE, summary=summary, changes=changes, evidence=evidence)
