"""What frontends draw is the fold of the events, live and afterwards alike."""

import asyncio

from demo.small import Driver, hub_stack, world_of
from shiftboss.model.events import (
    Delegated,
    EnvironmentEnded,
    NoteAdded,
    RunEnded,
    RunResumed,
    Warned,
    from_plain,
    kind_of,
    plain,
)
from shiftboss.model.run import Ending
from shiftboss.view import RunView, fold


def driven(drive) -> Driver:
    stack = hub_stack({"a": (), "b": ("a",)})
    world = world_of(stack)
    world.script["e/a"] = ["lie"]
    driver = drive(stack, world)
    asyncio.run(driver.run())
    return driver


def test_live_and_afterwards_it_is_the_same(drive) -> None:
    stack = hub_stack({"a": (), "b": ("a",)})
    driver = drive(stack, world_of(stack))
    live = fold(driver.events())
    driver.journal.listen(live.apply)
    asyncio.run(driver.run())
    assert live == fold(driver.events())


def test_it_shows_the_run(drive) -> None:
    view = fold(driven(drive).events())
    assert (view.run, view.ending, view.exit_code) == ("r1", Ending.CONVERGED, 0)
    assert [(one.component, one.ok, one.attempt) for one in view.delegations.values()] == [
        ("a", False, 1),
        ("a", True, 2),
        ("b", True, 1),
    ]
    assert view.mutations == 2
    assert view.in_flight == []
    assert view.components["e/b"].health == "ready"
    first = next(iter(view.delegations.values()))
    assert first.failure is not None
    assert first.failure["kind"] == "unverified"


def test_a_resumed_run_is_running_again(drive) -> None:
    driver = driven(drive)
    driver.journal.append("r1", 1.0, [RunResumed(pid=2), NoteAdded(text="hello"), Warned(text="mind the gap")])
    view = fold(driver.events())
    assert (view.ending, view.exit_code, view.endings, view.resumed) == (None, None, {}, 1)
    assert (view.notes, view.warnings) == (["hello"], ["mind the gap"])


def test_every_event_is_its_own_stored_form(drive) -> None:
    for record in driven(drive).events():
        assert from_plain(kind_of(record.event), plain(record.event)) == record.event


def test_an_open_delegation_is_in_flight(drive) -> None:
    stack = hub_stack({"a": ()})
    driver = drive(stack, world_of(stack))
    asyncio.run(driver.one_turn(0, driver.world.look(driver.hub.probes_due())))
    assert [one.id for one in fold(driver.events()).in_flight] == [event.id for event in driver.of(Delegated)]
    assert driver.of(EnvironmentEnded) == driver.of(RunEnded) == []


def test_nothing_is_shown_of_nothing() -> None:
    assert fold([]) == RunView()
