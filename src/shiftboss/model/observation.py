"""What a probe may answer, and all answers of one turn."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from shiftboss.model.failure import FailureKind
from shiftboss.model.value import Value


class Health(StrEnum):
    """What a probe can say of a component. There is no sixth answer."""

    READY = "ready"  #: did its real job just now (not merely: the port is open)
    STARTING = "starting"  #: on its way; waiting is the remedy
    BROKEN = "broken"  #: there, and not doing its job
    ABSENT = "absent"  #: not there
    UNKNOWN = "unknown"  #: could not be asked; never counts as ready


class Observation(Value):
    """A probe's dated answer about one component of one environment, with its evidence."""

    environment: str
    component: str
    health: Health
    summary: str  #: one sentence a person understands
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])
    failure: FailureKind | None = None  #: set when BROKEN for a reason that is known
    instance: str | None = None  #: identity of our own running process, None if there is none
    unproven: bool = False  #: ABSENT because the evidence is of other instances
    measures: Mapping[str, float] = field(default_factory=dict[str, float])
    at: float = 0.0  #: unix seconds

    @property
    def key(self) -> str:
        """`environment/component`."""
        return f"{self.environment}/{self.component}"

    def same_answer(self, other: "Observation | None") -> bool:
        """Whether the other answer says the same (dates and measures may differ)."""
        return (
            other is not None
            and self.health is other.health
            and self.failure is other.failure
            and self.instance == other.instance
            and self.unproven == other.unproven
            and self.summary == other.summary
            and self.evidence == other.evidence
        )


Snapshot = Mapping[str, Observation]
"""The latest answer of each component, by `environment/component`."""
