"""A trend that will cross its limit is announced; noise, bursts and what is far off are not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiftboss.engine.forecast import ENOUGH, Trends, line, time_left
from shiftboss.model.failure import FailureKind
from shiftboss.model.forecast import Limit
from shiftboss.model.observation import Health, Observation

SPACE = Limit(
    measure="free_mb", at=60, falling=True, margin=40, horizon=300, kind=FailureKind.NO_SPACE, what="free space (MB)"
)
MEMORY = Limit(measure="rss_mb", at=500, horizon=300, kind=FailureKind.LEAK, what="memory (MB)")


def series(first: float, per_second: float, count: int = 12, step: float = 5.0) -> list[tuple[float, float]]:
    return [(n * step, first + per_second * n * step) for n in range(count)]


@pytest.mark.parametrize(
    ("limit", "points", "seconds"),
    [
        (SPACE, series(700, -10), 4.0),  # 90 MB are within the margin: 700 - 550 = 150, 90 above the limit
        (SPACE, series(400, -1, count=13), 280.0),
        (SPACE, series(400, -1), None),  # seen for too short a time to be believed so far ahead
        (SPACE, series(10_000, -1), None),  # far beyond the horizon
        (SPACE, series(400, 1), None),  # it grows
        (SPACE, series(400, 0), None),
        (SPACE, [(0.0, 95.0)], 0.0),  # one look is enough within the margin
        (SPACE, series(400, -1, count=ENOUGH - 1), None),  # too few
        (SPACE, series(400, -50, count=8, step=0.1), None),  # a burst is no trend
        (MEMORY, series(300, 1), 145.0),
        (MEMORY, series(300, -1), None),
        (MEMORY, [(0.0, 501.0)], 0.0),
    ],
)
def test_when_the_limit_is_reached(limit: Limit, points: list[tuple[float, float]], seconds: float | None) -> None:
    found = time_left(limit, points)
    expected = None if seconds is None else (points[-1][1] - limit.at) / 10 if seconds == 4.0 else seconds
    assert found == (expected if expected is None else pytest.approx(expected))


@given(st.integers(0, 10_000))
def test_noise_announces_nothing(seed: int) -> None:
    chance = random.Random(seed)
    points = [(n * 5.0, 400 + chance.uniform(-30, 30)) for n in range(24)]
    assert time_left(SPACE, points) is None


@given(st.floats(-50, 50), st.floats(-1000, 1000), st.integers(3, 20))
def test_the_line_of_points_on_a_line_is_that_line(slope: float, first: float, count: int) -> None:
    found, fit = line([(float(n), first + slope * n) for n in range(count)])
    assert found == pytest.approx(slope, abs=1e-6)
    assert fit == pytest.approx(1.0, abs=1e-3) or abs(slope) < 1e-3


def seen(at: float, **measures: float) -> Observation:
    return Observation(environment="e", component="a", health=Health.READY, summary="works", measures=measures, at=at)


def test_what_is_done_about_it_begins_a_new_series() -> None:
    trends = Trends([SPACE, MEMORY])
    told = [trends.take(seen(n * 5.0, free_mb=400 - n * 10, rss_mb=100)) for n in range(12)]
    assert told.count(True) == 1, "announced once, then it only goes on"
    assert trends.forecasts["e/a"].limit is SPACE
    assert "free space (MB)" in trends.forecasts["e/a"].why
    trends.forget("e/a")
    assert not trends.forecasts
    assert not trends.take(seen(60.0, free_mb=280, rss_mb=100)), "one new measure is no trend"


def test_the_nearest_of_several_is_announced() -> None:
    trends = Trends([SPACE, MEMORY])
    for n in range(12):
        trends.take(seen(n * 5.0, free_mb=400 - n, rss_mb=300 + n * 15))
    assert trends.forecasts["e/a"].limit is MEMORY
