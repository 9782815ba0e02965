"""Measures over time -> limits that will be crossed (DESIGN section 7). Pure.

A straight line through the last measures (least squares) tells when the limit is reached. One measure alone announces
nothing unless it is within the margin; and a line through noise announces nothing either: it must fit.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from shiftboss.model.forecast import Forecast, Limit
from shiftboss.model.observation import Observation

KEPT = 24
"""Measures kept per component and limit."""

ENOUGH = 6
"""Measures before a trend is believed."""

SPREAD = 2.0
"""Seconds the measures must lie apart in all, or a burst of looks would make a trend."""

AHEAD = 5.0
"""How many times further ahead than it has been seen a trend is believed."""

FITS = ((KEPT, 0.9), (12, 0.95), (ENOUGH, 0.98))
"""The last so many measures, and the share of their variance that the line must explain: a trend may be young."""

Series = deque[tuple[float, float]]


class Trends:
    """The recent measures of a run, and what they announce."""

    def __init__(self, limits: Iterable[Limit]) -> None:
        self._limits = tuple(limits)
        self._series: dict[tuple[str, str], Series] = {}
        self.forecasts: dict[str, Forecast] = {}  #: by environment/component

    def take(self, seen: Observation) -> bool:
        """Take an answer's measures in; whether what is announced for its component has changed."""
        if not self._limits or not seen.measures:
            return False
        before = self.forecasts.pop(seen.key, None)
        found = [one for limit in self._limits if (one := self._announced(limit, seen)) is not None]
        if found:
            self.forecasts[seen.key] = min(found, key=lambda one: one.seconds)
        return (before is None) != (not found)

    def forget(self, key: str) -> None:
        """Begin anew with a component: something was done about it."""
        self.forecasts.pop(key, None)
        for limit in self._limits:
            self._series.pop((key, limit.measure), None)

    def _announced(self, limit: Limit, seen: Observation) -> Forecast | None:
        value = seen.measures.get(limit.measure)
        if value is None:
            return None
        series = self._series.setdefault((seen.key, limit.measure), deque(maxlen=KEPT))
        if not series or seen.at > series[-1][0]:
            series.append((seen.at, value))
        seconds = time_left(limit, series)
        return None if seconds is None else Forecast(limit=limit, value=value, seconds=seconds)


def time_left(limit: Limit, series: Sequence[tuple[float, float]]) -> float | None:
    """Seconds until the limit is reached; 0 within its margin; None when it is not in sight."""
    value = series[-1][1]
    room = value - limit.at if limit.falling else limit.at - value
    if room <= limit.margin:
        return 0.0
    found = (_reached(room, limit, list(series)[-count:], fit) for count, fit in FITS if len(series) >= ENOUGH)
    return min((seconds for seconds in found if seconds is not None), default=None)


def _reached(room: float, limit: Limit, series: Sequence[tuple[float, float]], wanted: float) -> float | None:
    """When the line through these measures reaches the limit; None if it does not, or is not to be believed."""
    seen = series[-1][0] - series[0][0]
    slope, fit = line(series)
    speed = -slope if limit.falling else slope
    if seen < SPREAD or speed <= 0 or fit < wanted:
        return None
    seconds = room / speed
    return seconds if seconds <= min(limit.horizon, seen * AHEAD) else None


def line(series: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope (units per second) of the least-squares line, and the share of the variance it explains."""
    count = len(series)
    mean_x = sum(x for x, _ in series) / count
    mean_y = sum(y for _, y in series) / count
    across = sum((x - mean_x) ** 2 for x, _ in series)
    together = sum((x - mean_x) * (y - mean_y) for x, y in series)
    up = sum((y - mean_y) ** 2 for _, y in series)
    if across <= 0 or up <= 0:
        return 0.0, 0.0
    return together / across, together**2 / (across * up)
