"""How long kinds of orders take here, and how far that can be relied on. Pure.

store/memory.py keeps the samples, engine/schedule.py plans with the estimates, `plan` shows them. Nothing here decides
anything: a wrong estimate costs time, never correctness.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from shiftboss.model.value import Value

KEPT = 15
"""Newest samples that are kept of each kind: enough for a spread, few enough to follow a change."""

NEWEST = 3
"""So many samples in a row, all far from the older ones, mean that the machine has changed."""

FAR = 3.0
"""Spreads from the middle beyond which a sample is far."""

STEADY, VARYING = 0.2, 0.5
"""Spread over mean: up to the one an estimate is good, beyond the other a poor one."""

SMALL = 0.1
"""Seconds: a spread below it decides nothing, however large it is beside its mean."""

Kind = tuple[str, str, str]
"""Agent, component, mode; each strategy of a recovery is a mode of its own."""


def kind_of(agent: str, component: str, mode: str, strategy: str | None = None) -> Kind:
    """The kind of a move or an order."""
    return agent, component, f"{mode}/{strategy}" if strategy else mode


class Conditions(Value):
    """Where something took its time: durations of elsewhere say less."""

    profile: str = ""  #: kind of environment
    host: str = ""  #: fingerprint of the machine (system.host)
    versions: str = ""


class Duration(Value):
    """What one kind of order took in one place."""

    agent: str
    component: str
    mode: str
    conditions: Conditions
    samples: tuple[float, ...]  #: seconds, oldest first
    count: int  #: over all runs, dropped samples too
    seen: float  #: unix seconds of the newest

    @property
    def kind(self) -> Kind:
        """Agent, component, mode."""
        return self.agent, self.component, self.mode


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


def added(samples: Sequence[float], seconds: float) -> tuple[float, ...]:
    """The samples with one more; older ones are dropped when the newest say that the machine has changed."""
    found = (*samples, seconds)[-KEPT:]
    older, newest = found[:-NEWEST], found[-NEWEST:]
    if len(older) < NEWEST:
        return found
    middle = _median(older)
    limit = FAR * max(spread(older), 0.05 * middle)
    return newest if all(abs(one - middle) > limit for one in newest) else found


def mean(samples: Sequence[float]) -> float:
    """The mean of the middle half.

    Work adds up by means, which a median of skewed times is not; without the outer quarters one download that hung
    does not count.
    """
    cut = round(len(samples) / 4)
    middle = sorted(samples)[cut : len(samples) - cut]
    return sum(middle) / len(middle)


def spread(samples: Sequence[float]) -> float:
    """The median distance from the median, scaled so that it is the standard deviation where times are normal."""
    middle = _median(samples)
    return 1.4826 * _median([abs(one - middle) for one in samples])


def _median(samples: Sequence[float]) -> float:
    ordered = sorted(samples)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


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
