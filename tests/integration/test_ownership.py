"""Who works on which environment: let go when it has ended, and no run is closed on behalf of others."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from demo.stack import Demo
from shiftboss.control import run_goal
from shiftboss.looking import running
from shiftboss.model.events import EnvironmentEnded, RunEnded, RunStarted
from shiftboss.model.run import Ending, Goal
from shiftboss.store.database import Database
from shiftboss.store.journal import Journal


@pytest.fixture
def demo(home: Path) -> Demo:
    return Demo(home)


@pytest.fixture
def both(demo) -> Demo:
    """The demo stack twice, side by side."""
    return replace(demo, environments=("one", "two"))


def test_an_environment_is_free_as_soon_as_it_has_ended(both):
    both.wish("alpha", "slow", environment="two")
    session, held = both.session(), []

    def see(record):
        if isinstance(record.event, EnvironmentEnded):
            held.append((record.event.environment, set(running(session))))

    asyncio.run(run_goal(session, Goal(), listener=see))
    assert [name for name, _ in held] == ["one", "two"]
    assert held[-1][1] == {"two"}
    assert running(session) == {}


def test_a_run_of_more_environments_is_not_closed_on_their_behalf(demo, both):
    demo.home.mkdir(exist_ok=True)
    database = Database(demo.home / "state.sqlite3")
    started = RunStarted(pack="demo", pipeline="demo", brain="policy", goal={}, environments=["one", "two"])
    Journal(database).append("cut-off", 1.0, [started])
    database.close()
    assert demo.up().view.ending is Ending.CONVERGED
    assert ended(demo, "cut-off") == []
    assert both.up().view.ending is Ending.CONVERGED
    assert [event.ending for event in ended(demo, "cut-off")] == [Ending.INTERRUPTED]


def ended(demo: Demo, run: str) -> list[RunEnded]:
    database = Database(demo.home / "state.sqlite3", readonly=True)
    events = [record.event for record in Journal(database).read(run)]
    database.close()
    return [event for event in events if isinstance(event, RunEnded)]
