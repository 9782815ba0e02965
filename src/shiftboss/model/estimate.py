"""How long an order is expected to take, and how far that can be relied on. Pure.

engine/precedence.py ranks with it, engine/plan.py shows it. Nothing here decides anything: a wrong estimate costs time,
never correctness. Imported when there is something to do.
"""

from collections.abc import Iterable
from enum import StrEnum

from shiftboss.model.duration import NEWEST, Conditions, Duration, Kind, mean, spread
from shiftboss.model.value import Value

STEADY, VARYING = 0.2, 0.5
"""Spread over mean: up to the one an estimate is good, beyond the other a poor one."""

SMALL = 0.1
"""Seconds: a spread below it decides nothing, however large it is beside its mean."""


class Confidence(StrEnum):
    """How far an estimate can be relied on, worst first."""

    NONE = "none"  #: declared only
    LOW = "low"
    FAIR = "fair"
    GOOD = "good"


class Estimate(Value):
    """Expected seconds, and what they are worth."""

    seconds: float
    spread: float = 0.0  #: scaled median deviation, comparable to a standard deviation
    count: int = 0  #: samples it rests on
    confidence: Confidence = Confidence.NONE
    why: str = "declared, not measured yet"


class Estimates:
    """Estimates for one place, from all that is remembered."""

    def __init__(self, known: Iterable[Duration], conditions: Conditions) -> None:
        self._conditions = conditions
        self._best: dict[Kind, Duration] = {}
        for one in known:
            rank, other = self._rank(one), self._best.get(one.kind)
            if rank[0] >= 0 and (other is None or rank > self._rank(other)):
                self._best[one.kind] = one

    def of(self, kind: Kind, declared: float) -> Estimate:
        """From here with these versions; else this machine with others; else elsewhere; else as declared (seconds)."""
        best = self._best.get(kind)
        if best is None:
            return Estimate(seconds=declared)
        word, why = confidence(best, nearness=self._rank(best)[0])
        size = len(best.samples)
        return Estimate(seconds=mean(best.samples), spread=spread(best.samples), count=size, confidence=word, why=why)

    def _rank(self, one: Duration) -> tuple[int, float]:
        """How near to here it was learnt (-1: says nothing about here), then how lately."""
        if one.conditions.profile != self._conditions.profile:
            return -1, one.seen
        if one.conditions.host != self._conditions.host:
            return 0, one.seen
        return (2 if one.conditions.versions == self._conditions.versions else 1), one.seen


def confidence(one: Duration, *, nearness: int) -> tuple[Confidence, str]:
    """How far a duration can be relied on; `nearness` 2 is here, 1 with other versions, 0 on another machine."""
    size, wide = len(one.samples), spread(one.samples)
    where = ("on another machine", "here with other versions", "here")[nearness]
    told = f"{size} time{'s' if size > 1 else ''} {where}"
    if nearness == 0 or size < NEWEST:
        return Confidence.LOW, told
    ratio = 0.0 if wide < SMALL else wide / max(mean(one.samples), wide)
    told = f"{told}, give or take {round(100 * ratio)} %" if ratio else f"{told}, steady"
    if ratio > VARYING:
        return Confidence.LOW, told
    sure = nearness == 2 and size >= 5 and ratio <= STEADY
    return (Confidence.GOOD if sure else Confidence.FAIR), told
