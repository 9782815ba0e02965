"""The learned order in the hub: who goes first, why, and where the declared order stays."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.small import Driver, Part, hub_stack, ready, world_of
from shiftboss.engine.board import Board
from shiftboss.engine.moves import Options
from shiftboss.engine.precedence import Precedence
from shiftboss.frontends.explain import explained
from shiftboss.model.duration import Conditions, Duration
from shiftboss.model.estimate import Estimates
from shiftboss.model.events import Decided
from shiftboss.model.failure import FailureKind
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.move import Mode, Move
from shiftboss.model.observation import Health
from shiftboss.model.run import Ending, Goal, Want

HERE = Conditions(profile="regtest", host="h", versions="v")
BRANCHES = {"a": (), "b": (), "base": (), "top": ("base",), "roof": ("top",)}
Start = Callable[..., Driver]


class Known:
    """What the memory of a run would say, and how often it was asked."""

    def __init__(self, **seconds: float) -> None:
        self.asked = 0
        self._known = [
            Duration(
                agent="keeper", component=name, mode="ensure", conditions=HERE, samples=(value,), count=1, seen=1.0
            )
            for name, value in seconds.items()
        ]

    def __call__(self) -> dict[str, Estimates]:
        self.asked += 1
        return {"e": Estimates(self._known, HERE)}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Makes drivers, on two lanes where nothing else is said."""
    made: list[Driver] = []

    def make(requires: Any = BRANCHES, known: Known | None = None, **more: Any) -> Driver:
        stack, parts = hub_stack(requires), more.pop("parts", {})
        world = more.pop("world", None) or world_of(stack, **parts)
        made.append(Driver(stack, world, tmp_path, **{"parallel": 2, "expect": known, **more}))
        return made[-1]

    yield make
    for driver in made:
        driver.close()


def ran(driver: Driver) -> list[str]:
    """The components in the order in which they were worked on."""
    assert asyncio.run(driver.run()) is Ending.CONVERGED
    driver.hub.flush()
    return [order.component for order in driver.world.orders]


def test_without_durations_the_declared_order_stays(start: Start) -> None:
    assert ran(start()) == ["a", "b", "base", "top", "roof"]


def test_the_longest_way_goes_first_where_that_is_quicker(start: Start) -> None:
    driver = start(known=Known())
    assert ran(driver) == ["base", "a", "top", "b", "roof"]
    assert driver.clock.monotonic() == 3.0


def test_on_one_lane_no_order_is_quicker_so_the_declared_one_stays(start: Start) -> None:
    assert ran(start(known=Known(), parallel=1)) == ["a", "b", "base", "top", "roof"]


def test_what_was_learned_counts_more_than_what_is_declared(start: Start) -> None:
    assert ran(start({"a": (), "b": (), "slow": ()}, Known(slow=9.0)))[:2] == ["slow", "a"]


def test_the_reason_says_what_comes_after_it_and_explain_shows_it(start: Start) -> None:
    driver = start(known=Known(base=2.0, top=4.0))
    ran(driver)
    first, *_, last = explained(driver.events())
    assert (
        "base: nothing is there; top waits for it; before others, as 7.0 s are still to go from here, by "
        in (first["reasoning"])
    )
    assert "by base -> top -> roof." in first["reasoning"]
    assert "before others" not in last["reasoning"]


def test_where_nothing_has_to_wait_no_reason_for_an_order_is_given(start: Start) -> None:
    driver = start(known=Known(), parallel=8)
    ran(driver)
    assert not any("before others" in event.reasoning for event in driver.of(Decided))


def test_where_the_declared_order_is_as_quick_the_reason_says_so(start: Start) -> None:
    driver = start(known=Known(), parallel=1)
    ran(driver)
    assert "; before others, as declared." in driver.of(Decided)[0].reasoning


def test_memory_is_not_asked_when_nothing_is_to_be_done(start: Start) -> None:
    known = Known()
    assert ran(start(known=known, parts={name: ready() for name in BRANCHES})) == []
    assert known.asked == 0


def test_stopping_keeps_the_declared_order(start: Start) -> None:
    up = {name: ready() for name in BRANCHES}
    declared, known = ran(start(parts=up, goal=Goal(want=Want.DOWN))), Known(base=9.0)
    assert ran(start(known=known, parts=up, goal=Goal(want=Want.DOWN), run="r2")) == declared
    assert known.asked == 0


def test_only_what_is_wanted_and_missing_counts(start: Start) -> None:
    parts = {"base": ready(), "top": ready(), "roof": ready()}
    requires = {**BRANCHES, "c": (), "over": ("c",)}
    assert ran(start(requires, Known(base=99.0), parts=parts))[:2] == ["c", "a"]
    assert ran(start(requires, Known(), goal=Goal(components=("a", "b", "over")), run="r2"))[:2] == ["c", "a"]


def test_a_restart_brings_the_longest_way_up_first(start: Start) -> None:
    requires = {"daemon": (), "a": ("daemon",), "b": ("daemon",), "base": ("daemon",), "top": ("base",)}
    parts = {"daemon": ready(7)}
    driver = start(requires, Known(), parts=parts, goal=Goal(want=Want.RESTART, replace=("e/daemon=i7",)))
    assert ran(driver) == ["daemon", "daemon", "base", "a", "b", "top"]


def test_a_run_that_is_taken_up_again_ranks_what_is_left(start: Start) -> None:
    first = start(known=Known())
    asyncio.run(first.one_turn(0, first.world.look(first.hub.probes_due())))
    second = start(known=Known(), world=first.world)
    assert ran(second) == ["base", "a", "top", "b", "roof"]


def test_what_fails_meanwhile_stands_where_its_dependents_stood(start: Start) -> None:
    precedence = Precedence(start(known=Known(top=5.0)).charter)
    precedence.begin({f"e/{name}": missing(name) for name in ("a", "b", "top", "roof")})
    assert precedence.ranking.remaining == {"e/a": 1.0, "e/b": 1.0, "e/top": 6.0, "e/roof": 1.0}
    assert precedence.place("e/base") == (-7.0, 2)


def test_a_new_trouble_is_ranked_anew_and_an_old_one_is_not(start: Start) -> None:
    known = Known(a=1.0)
    precedence = Precedence(start(known=known).charter)
    precedence.begin({"e/roof": missing("roof")})
    precedence.begin({"e/roof": missing("roof"), "e/top": missing("top")})
    assert set(precedence.ranking.remaining) == {"e/roof"}
    precedence.begin({})
    precedence.begin({"e/top": missing("top")})
    assert set(precedence.ranking.remaining) == {"e/top"}
    assert known.asked == 1


def missing(name: str) -> Gap:
    return Gap(environment="e", component=name, kind=GapKind.MISSING, why="nothing is there")


def test_the_board_offers_by_priority_then_as_declared_over_all_environments() -> None:
    board = Board()
    for key, place in {"x/a": (0.0, 0), "x/b": (-2.0, 1), "y/a": (0.0, 0), "y/b": (-3.0, 1), "x/c": (0.0, 2)}.items():
        board.put(key, place, options(key))
    assert [move.key for move in board] == ["y/b", "x/b", "x/a", "y/a", "x/c"]
    board.put("x/b", (-1.0, 1), None)
    assert [move.key for move in board.of("x")] == ["x/a", "x/c"], "taken away from where it stood"


def options(key: str) -> Options:
    environment, _, name = key.partition("/")
    move = Move(id=f"{key}/ensure", environment=environment, component=name, mode=Mode.ENSURE, keyword="k", why="w")
    return Options(moves=(move,))


def test_what_orders_took_is_learned_by_conditions_and_strategy(start: Start) -> None:
    parts = {"a": Part(health=Health.BROKEN, failure=FailureKind.PORT_FOREIGN, summary="port held")}
    driver = start({"a": (), "b": ()}, parts=parts, conditions={"e": HERE})
    driver.world.always["e/b"] = "slow"
    ran(driver)
    found = {one.kind: one for one in driver.memory.durations()}
    assert set(found) == {("medic", "a", "recover/relocate_port"), ("keeper", "b", "ensure")}
    assert found["keeper", "b", "ensure"].samples == (driver.world.slow,)
    assert {one.conditions for one in found.values()} == {HERE}
