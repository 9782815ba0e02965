"""The learned order: ranks, the simulated run of work on lanes with locks, and the choice between rules."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiftboss.engine.schedule import Graph, best_order, timetable, upward_ranks

Row = tuple[float, tuple[str, ...], tuple[str, ...]]


def graph(**rows: Row | float) -> Graph:
    """By component: seconds, what it waits for, locks."""
    whole = {f"e/{name}": row if isinstance(row, tuple) else (row, (), ()) for name, row in rows.items()}
    return Graph(
        seconds={key: row[0] for key, row in whole.items()},
        after={key: [f"e/{one}" for one in row[1]] for key, row in whole.items()},
        locks={key: [f"e/{one}" for one in row[2]] for key, row in whole.items()},
    )


def test_a_rank_is_the_longest_way_that_begins_there() -> None:
    ranks, onward = upward_ranks(graph(a=1.0, b=(5.0, ("a",), ()), c=(2.0, ("a",), ()), d=(4.0, ("c", "a"), ())))
    assert ranks == {"e/a": 7.0, "e/b": 5.0, "e/c": 6.0, "e/d": 4.0}
    assert onward == {"e/a": "e/c", "e/c": "e/d"}


def test_the_longest_way_goes_first_and_the_ranking_names_it() -> None:
    ranking = best_order(graph(a=1.0, b=1.0, c=1.0, d=(3.0, ("c",), ()), f=(1.0, ("d",), ())), 1)
    assert (ranking.rule, ranking.seconds, ranking.priorities) == ("declared", 7.0, {}), "one lane: nothing to gain"
    ranking = best_order(graph(a=1.0, b=1.0, c=1.0, d=(3.0, ("c",), ()), f=(1.0, ("d",), ())), 2)
    assert (ranking.rule, ranking.seconds, ranking.declared) == ("rank", 5.0, 6.0)
    assert max(ranking.priorities, key=ranking.priorities.__getitem__) == "e/c"
    assert ranking.way("e/c") == ("c", "d", "f")
    assert ranking.way("e/c", most=2) == ("c", "d", "...")


def test_locks_are_held_by_one_and_the_lane_is_used_by_another() -> None:
    found = timetable(graph(a=(2.0, (), ("l",)), b=(2.0, (), ("l", "m")), c=(1.0, (), ("m",)), d=1.0), {}, 2)
    assert found.starts == {"e/a": 0.0, "e/c": 0.0, "e/d": 1.0, "e/b": 2.0}
    assert found.critical == ("e/a", "e/b")


def test_what_waits_for_a_held_lock_wakes_the_next_when_it_meets_another() -> None:
    work = graph(a=(1.0, (), ("l",)), m=(9.0, (), ("m",)), b=(1.0, (), ("l", "m")), c=(1.0, (), ("l",)))
    assert timetable(work, {}, 4).starts == {"e/a": 0.0, "e/m": 0.0, "e/c": 1.0, "e/b": 9.0}


def test_lanes_are_shared_by_all_environments_and_filled_by_priority() -> None:
    keys = ("x/a", "x/b", "y/a", "y/b")
    work = Graph(seconds=dict.fromkeys(keys, 1.0), after=dict.fromkeys(keys, ()), locks={})
    assert timetable(work, {}, 1).starts == {"x/a": 0.0, "x/b": 1.0, "y/a": 2.0, "y/b": 3.0}
    assert timetable(work, {"y/b": 2.0}, 3).starts == {"y/b": 0.0, "x/a": 0.0, "x/b": 0.0, "y/a": 1.0}


def test_no_work_takes_no_time() -> None:
    found = timetable(graph(), {}, 4)
    assert (found.seconds, found.critical) == (0.0, ())
    assert best_order(graph(), 4).priorities == {}


def test_many_components_are_ranked_at_once() -> None:
    keys = [f"e/c{number}" for number in range(10_000)]
    after = {key: keys[max(0, n - 3) : n] for n, key in enumerate(keys)}
    work = Graph(seconds=dict.fromkeys(keys, 1.0), after=after, locks={})
    start = time.perf_counter()
    ranking = best_order(work, 8)
    assert time.perf_counter() - start < 1.0, "about 0.04 s where nothing else runs"
    assert (ranking.rule, ranking.remaining[keys[0]]) == ("rank", 10_000.0)


@st.composite
def works(draw: st.DrawFn, *, locks: bool = True) -> Graph:
    keys = [f"{draw(st.sampled_from('xy'))}/c{n}" for n in range(draw(st.integers(1, 12)))]
    after = {
        key: draw(st.lists(st.sampled_from(mine), unique=True, max_size=3))
        if (mine := [one for one in keys[:n] if one[0] == key[0]])
        else []
        for n, key in enumerate(keys)
    }
    names = st.lists(st.sampled_from("lm"), unique=True, max_size=2) if locks else st.just([])
    held = {key: [f"{key[0]}/{lock}" for lock in draw(names)] for key in keys}
    times = st.floats(0.1, 10.0).map(lambda value: round(value, 2))
    declared = draw(st.permutations(keys))
    return Graph(
        seconds={key: draw(times) for key in declared},
        after=after,
        locks=held,
    )


@given(works(), st.integers(1, 4))
def test_a_timetable_keeps_order_locks_and_lanes(work: Graph, lanes: int) -> None:
    found = timetable(work, upward_ranks(work)[0], lanes)
    ends = {key: at + work.seconds[key] for key, at in found.starts.items()}
    assert found.starts.keys() == work.seconds.keys()
    for key, at in found.starts.items():
        assert all(ends[before] <= at for before in work.after[key])
        beside = [one for one in found.starts if one != key and found.starts[one] <= at < ends[one]]
        assert not any(set(work.locks[key]) & set(work.locks[one]) for one in beside)
        assert len(beside) < lanes
    assert found.seconds == pytest.approx(max(ends.values()))


@given(works(), st.integers(1, 4))
def test_the_critical_chain_has_no_hole(work: Graph, lanes: int) -> None:
    found = timetable(work, {}, lanes)
    assert sum(work.seconds[key] for key in found.critical) == pytest.approx(found.seconds)


@given(works(), st.integers(1, 4))
def test_the_choice_is_never_worse_than_declared_and_never_below_the_bound(work: Graph, lanes: int) -> None:
    ranking = best_order(work, lanes)
    seconds = timetable(work, ranking.priorities, lanes).seconds
    assert seconds == pytest.approx(ranking.seconds)
    assert seconds <= timetable(work, {}, lanes).seconds + 1e-6
    bound = max(*upward_ranks(work)[0].values(), sum(work.seconds.values()) / lanes)
    assert seconds >= bound - 1e-6
    assert best_order(work, lanes) == ranking
