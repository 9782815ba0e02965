"""Chance, from a seed: how long work takes, which handler breaks, when the next fault comes, what a probe misses.

The same seed gives the same weather whatever else happens, as long as it is asked in the same order. Knows nothing of
hubs or stacks.
"""

from enum import StrEnum
from random import Random

from shiftboss.model.value import Value


class Fate(StrEnum):
    """How an order goes, beside what it is about."""

    FINE = "fine"
    CRASH = "crash"  #: the handler raises before it has done anything
    LATE_CRASH = "late_crash"  #: it raises when all is done
    HANG = "hang"  #: nothing is done, and the deadline passes


class Climate(Value):
    """How bad the weather may be: shares of 1."""

    crash: float = 0.005
    late_crash: float = 0.005
    hang: float = 0.002
    blind: float = 0.001  #: a probe has no answer
    slow_look: float = 0.01  #: looking takes seconds
    idle: float = 0.5  #: a strategy that can't help says so only half of the time


CALM = Climate(crash=0.0, late_crash=0.0, hang=0.0, blind=0.0, slow_look=0.0, idle=1.0)
"""Nothing happens by chance but durations."""


class Weather:
    """The chance of one run."""

    def __init__(self, seed: str, climate: Climate) -> None:
        self._random = Random(seed)  # noqa: S311 - for variety, not for secrets
        self._climate = climate

    def fate(self) -> Fate:
        """How the next order goes."""
        drawn, climate = self._random.random(), self._climate
        for share, fate in (
            (climate.crash, Fate.CRASH),
            (climate.late_crash, Fate.LATE_CRASH),
            (climate.hang, Fate.HANG),
        ):
            if drawn < share:
                return fate
            drawn -= share
        return Fate.FINE

    def seconds(self, estimate: float) -> float:
        """How long work takes that is expected to take so long: half of it to twice as much."""
        return estimate * 2.0 ** self._random.uniform(-1.0, 1.0)

    def between(self, low: float, high: float) -> float:
        """Some moment."""
        return self._random.uniform(low, high)

    def look_seconds(self) -> float:
        """How long looking takes."""
        if self._random.random() < self._climate.slow_look:
            return self._random.uniform(1.0, 4.0)
        return self._random.uniform(0.005, 0.05)

    def blind(self) -> bool:
        """Whether a probe gets no answer."""
        return self._random.random() < self._climate.blind

    def admits(self) -> bool:
        """Whether a strategy that did not help says so itself."""
        return self._random.random() < self._climate.idle

    def noise(self, spread: float) -> float:
        """A measure's deviation."""
        return self._random.gauss(0.0, spread)
