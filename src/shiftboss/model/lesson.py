"""What earlier runs teach about strategies, and the credit that is still open (DESIGN section 7).

A strategy is credited only if the failure it was sent against does not return within its window. Pure: the engine
judges with it, store/memory.py keeps it.
"""

from collections.abc import Mapping, Sequence

from shiftboss.model.recovery import Strategy
from shiftboss.model.value import Value


class Lesson(Value):
    """How a strategy has done against one signature, over all runs with these versions."""

    signature: str
    strategy: str
    lasted: int = 0  #: times the failure stayed away (since it last failed)
    failed: int = 0  #: times it did not help, or the failure came back
    seconds: float = 0.0  #: mean duration
    versions: str = ""
    seen: float = 0.0  #: unix seconds of the last change

    @property
    def rate(self) -> float:
        """Smoothed share of lasting successes (Laplace): 0.5 when nothing is known."""
        return (self.lasted + 1) / (self.lasted + self.failed + 2)

    def after(self, *, lasted: bool, seconds: float, now: float) -> "Lesson":
        """The lesson after one more try; one that failed loses what it had earned."""
        if not lasted:
            return self.but(lasted=0, failed=self.failed + 1, seen=now)
        mean = self.seconds + (seconds - self.seconds) / min(self.lasted + 1, 20)
        return self.but(lasted=self.lasted + 1, seconds=mean, seen=now)


class Credit(Value):
    """A recovery that seems to have worked; whether it lasts is not known yet."""

    delegation: str
    environment: str
    component: str
    signature: str
    strategy: str
    at: float  #: unix seconds when it worked
    due: float  #: unix seconds when it has lasted
    instance: str | None = None  #: identity of the component's process at the time
    seconds: float = 0.0  #: how long the recovery took
    versions: str = ""

    @property
    def key(self) -> str:
        """`environment/component`."""
        return f"{self.environment}/{self.component}"


PROVEN, DISPROVEN = 0.5, 0.3
"""Above the one a strategy goes first; below the other it goes last (two failures in a row do that)."""


def proven(lessons: Mapping[str, Lesson], strategy: str | None) -> bool:
    """Whether a strategy has lasted more often than not against the signature that these lessons are about."""
    lesson = lessons.get(strategy or "")
    return lesson is not None and lesson.rate > PROVEN


def by_experience(strategies: Sequence[Strategy], lessons: Mapping[str, Lesson]) -> list[Strategy]:
    """Strategies in the order to try them: what lasted, then gentlest first, then what failed.

    Of those that lasted the best rate per second comes first. `lessons` are those of the signature at hand, by
    strategy. Ties go to the smaller blast radius.
    """

    def place(strategy: Strategy) -> tuple[int, float, int]:
        lesson = lessons.get(strategy.name)
        if lesson is not None and lesson.rate > PROVEN:
            cost = max(0.1, lesson.seconds or strategy.estimate)
            return 0, -lesson.rate / cost, strategy.radius
        if lesson is not None and lesson.rate < DISPROVEN:
            return 2, -lesson.rate, strategy.radius
        return 1, 0.0, strategy.radius

    return sorted(strategies, key=place)
