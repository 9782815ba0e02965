"""How long kinds of orders have taken here. Pure.

store/memory.py keeps the samples; model/estimate.py makes of them what is expected.
"""

from collections.abc import Sequence

from shiftboss.model.value import Value

KEPT = 15
"""Newest samples that are kept of each kind: enough for a spread, few enough to follow a change."""

NEWEST = 3
"""So many samples in a row, all far from the older ones, mean that the machine has changed."""

FAR = 3.0
"""Spreads from the middle beyond which a sample is far."""

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
