"""One difference between what is wanted and what is observed."""

from enum import StrEnum

from shiftboss.model.failure import FailureKind
from shiftboss.model.value import Value


class GapKind(StrEnum):
    """The ways in which the world can differ from the goal."""

    MISSING = "missing"  #: not there
    BROKEN = "broken"  #: there, not doing its job
    UNKNOWN = "unknown"  #: could not be asked
    NOT_YET = "not_yet"  #: starting; closed by waiting
    UNPROVEN = "unproven"  #: the evidence is not of these instances
    FORECAST = "forecast"  #: a trend will cross its limit
    UNWANTED = "unwanted"  #: there, and should not be (what `down` makes)


class Gap(Value):
    """A difference to be closed, with the evidence in one sentence."""

    environment: str
    component: str
    kind: GapKind
    why: str
    failure: FailureKind | None = None
    target: str = ""  #: the process in the way, where there is one: pid and command
    blocked_by: tuple[str, ...] = ()  #: components that must be ready (or gone) first

    @property
    def key(self) -> str:
        """`environment/component`: a component has at most one gap."""
        return f"{self.environment}/{self.component}"

    @property
    def id(self) -> str:
        """`environment/component/kind`, as decisions cite it."""
        return f"{self.environment}/{self.component}/{self.kind}"
