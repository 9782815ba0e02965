"""Measures that drift towards their limit, stay where they are, or only frighten: what forecasts are tried on.

A pure function of time and chance; simulator_site.py gives the values to the hub as a probe would.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from random import Random

from shiftboss.model.forecast import Limit
from shiftboss.model.value import Value


class Course(StrEnum):
    """How a measure goes."""

    DRIFTS = "drifts"  #: from some moment on straight to its limit
    STEADY = "steady"  #: noise about one value
    FRIGHTENS = "frightens"  #: jumps about, and climbs for a while, but comes back each time


PLACES: Mapping[str, tuple[str, float, float]] = {
    "free_mb": ("daemon", 2000.0, 4.0),
    "rss_mb": ("pool", 60.0, 3.0),
    "fds": ("pool", 0.05, 0.002),
    "reject_rate": ("miner", 0.02, 0.01),
    "template_age": ("pool", 0.5, 0.3),
}
"""Measure -> who reports it, its usual value, and how much it scatters."""

CROSSES = (60.0, 240.0)
"""Seconds from the beginning of a drift to the failure."""

BEGINS = 40.0
SCARE_SECONDS = 45.0


class Drift(Value):
    """One measure and its course."""

    limit: Limit
    course: Course
    seconds: float  #: from the beginning of the drift to the limit

    @property
    def component(self) -> str:
        """Who reports it."""
        return PLACES[self.limit.measure][0]

    @property
    def fails_at(self) -> float | None:
        """When it would fail, in seconds from the start; None where it never does."""
        return BEGINS + self.seconds if self.course is Course.DRIFTS else None

    def value(self, passed: float, noise: float) -> float:
        """The measure so many seconds after the start, with that much noise (1 is usual)."""
        _, usual, scatter = PLACES[self.limit.measure]
        value = usual + noise * scatter + (self.limit.at - usual) * self._share(passed)
        return value if self.limit.falling else max(0.0, value)

    def _share(self, passed: float) -> float:
        """How much of the way to the limit is gone."""
        match self.course:
            case Course.DRIFTS:
                return max(0.0, passed - BEGINS) / self.seconds
            case Course.FRIGHTENS:
                phase = passed % SCARE_SECONDS / SCARE_SECONDS
                return 0.15 * (phase if phase < 0.5 else 1.0 - phase)  # up and down again, never near
            case Course.STEADY:
                return 0.0


def drifts(limits: Sequence[Limit], each: int, seed: int) -> list[Drift]:
    """So many drifting courses of each limit that has a place here, and as many harmless ones."""
    chance = Random(f"drift/{seed}")  # noqa: S311 - for variety, not for secrets
    found: list[Drift] = []
    for limit in limits:
        if limit.measure not in PLACES:
            continue
        for number in range(each * 2):
            harmless = Course.STEADY if number % 4 == 1 else Course.FRIGHTENS
            course = Course.DRIFTS if number % 2 == 0 else harmless
            found.append(Drift(limit=limit, course=course, seconds=chance.uniform(*CROSSES)))
    return found
