"""Limits that measures must not cross, and what is seen coming (DESIGN section 7). Packs declare limits as data."""

from shiftboss.model.failure import FailureKind
from shiftboss.model.value import Value


class Limit(Value):
    """A number that probes report, and the value at which the part fails."""

    measure: str  #: name in Observation.measures
    at: float  #: the value at which it fails
    falling: bool = False  #: it fails when the measure falls to it (free space); else when it rises to it
    margin: float = 0.0  #: so near to the limit counts as crossing whatever the trend
    horizon: float = 300.0  #: seconds ahead in which crossing matters
    kind: FailureKind  #: the failure that would come
    what: str  #: e.g. "free disk space (MB)"


class Forecast(Value):
    """A limit that will be crossed."""

    limit: Limit
    value: float  #: the last measure
    seconds: float  #: until it crosses, 0 when it is within the margin

    @property
    def why(self) -> str:
        """The evidence in one sentence; without its numbers always the same, as signatures need it."""
        about = self.limit
        return f"{about.what} reaches its limit of {about.at:g} in about {self.seconds:.0f} s: {self.value:g} now"
