"""Durations: robust estimates, where they come from, and how far they are to be relied on."""

import pytest

from shiftboss.model.duration import Conditions, Duration, added, kind_of, mean, spread
from shiftboss.model.estimate import Estimate, Estimates, confidence
from shiftboss.system import host

HERE = Conditions(profile="regtest", host="h1", versions="v1")
KIND = kind_of("keeper", "pool", "ensure")


def duration(*samples: float, seen: float = 1.0, **conditions: str) -> Duration:
    agent, component, mode = KIND
    return Duration(
        agent=agent,
        component=component,
        mode=mode,
        conditions=HERE.but(**conditions),
        samples=samples,
        count=len(samples),
        seen=seen,
    )


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ((2.0,), 2.0),
        ((2.0, 4.0), 3.0),
        ((2.0, 3.0, 100.0), 3.0),
        ((1.0, 2.0, 4.0, 100.0), 3.0),
        ((1.0, 2.0, 3.0, 4.0, 500.0), 3.0),
    ],
)
def test_one_wild_time_does_not_move_the_mean_of_three_or_more(samples, expected) -> None:
    assert mean(samples) == pytest.approx(expected)


def test_the_spread_is_that_of_most_and_scaled() -> None:
    assert spread((1.0,)) == 0.0
    assert spread((9.0, 10.0, 11.0, 10.0, 900.0)) == pytest.approx(1.4826)


def test_three_new_times_in_a_row_far_from_the_rest_replace_it() -> None:
    old = (10.0, 10.2, 9.8, 10.1)
    assert added((*old, 5.0), 5.1) == (*old, 5.0, 5.1)
    assert added((*old, 5.0, 5.1), 4.9) == (5.0, 5.1, 4.9)
    assert added((*old, 5.0, 10.0), 4.9) == (*old, 5.0, 10.0, 4.9), "one of the three was as before"
    assert added((10.0, 10.0, 5.0, 5.0), 5.0) == (10.0, 10.0, 5.0, 5.0, 5.0), "two are too few to know the spread"
    assert added((3.0, 3.0, 3.0, 3.1, 3.1), 3.1) == (3.0, 3.0, 3.0, 3.1, 3.1, 3.1), "that little is no change"


HERE_5, OTHER_VERSIONS, ELSEWHERE = duration(1.0), duration(2.0, versions="v0"), duration(3.0, host="h2")
NEWER_ELSEWHERE, OTHER_PROFILE = duration(4.0, host="h3", seen=9.0), duration(5.0, profile="testnet4")


@pytest.mark.parametrize(
    ("known", "seconds"),
    [
        ((ELSEWHERE, OTHER_VERSIONS, HERE_5, OTHER_PROFILE), 1.0),
        ((ELSEWHERE, OTHER_VERSIONS), 2.0),
        ((NEWER_ELSEWHERE, ELSEWHERE), 4.0),
        ((OTHER_PROFILE,), 8.0),
        ((), 8.0),
    ],
)
def test_the_nearest_experience_counts_else_what_is_declared(known, seconds) -> None:
    assert Estimates(known, HERE).of(KIND, 8.0).seconds == seconds


def test_what_is_only_declared_says_so() -> None:
    assert Estimates((), HERE).of(KIND, 8.0) == Estimate(seconds=8.0)
    assert Estimate(seconds=8.0).confidence == "none"


@pytest.mark.parametrize(
    ("samples", "nearness", "word", "why"),
    [
        ((1.0,), 2, "low", "1 time here"),
        ((1.0, 1.0), 2, "low", "2 times here"),
        ((10.0, 10.0, 10.0), 2, "fair", "3 times here, steady"),
        ((10.0, 11.0, 9.0, 10.0, 10.5), 2, "good", "5 times here, give or take 7 %"),
        ((10.0, 13.0, 7.0, 10.0, 8.0), 2, "fair", "5 times here, give or take 32 %"),
        ((10.0, 30.0, 1.0, 4.0, 8.0), 2, "low", "5 times here, give or take 81 %"),
        ((0.01, 0.03, 0.001, 0.004, 0.008), 2, "good", "5 times here, steady"),
        ((10.0,) * 9, 1, "fair", "9 times here with other versions, steady"),
        ((10.0,) * 9, 0, "low", "9 times on another machine"),
    ],
)
def test_confidence(samples, nearness, word, why) -> None:
    assert confidence(duration(*samples), nearness=nearness) == (word, why)


def test_recoveries_are_of_a_kind_by_strategy() -> None:
    assert kind_of("medic", "pool", "recover", "restart_one") != kind_of("medic", "pool", "recover", "relocate_port")


def test_the_machine_is_known_again_and_told_from_another() -> None:
    gib = 2**30
    assert host.host() == host.host()
    same = host.fingerprint("Some CPU\n", 4, 16 * gib)
    assert host.fingerprint("Some CPU", 4, 16 * gib - 2**24) == same, "a kernel takes a little more or less"
    others = {host.fingerprint("Another", 4, 16 * gib), host.fingerprint("Some CPU", 8, 16 * gib)}
    assert same not in others | {host.fingerprint("Some CPU", 4, 32 * gib)}
    assert host.model("processor\t: 0\nmodel name\t: Some CPU @ 3GHz\nflags: x") == "Some CPU @ 3GHz"
    assert host.model("nothing known") == ""
