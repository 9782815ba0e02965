"""The runner over real processes: what fails is judged, what hangs is cut off, messages are heard."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from demo.stack import COMPONENTS, FOLDER, PROCESSES, Demo
from shiftboss import control
from shiftboss.errors import Refused
from shiftboss.model.events import Delegated, Recorded, RunEnded, Settled
from shiftboss.model.pipeline import Catalogue
from shiftboss.model.run import Ending, Goal, Want
from shiftboss.templates.loader import load_shipped, load_user


@pytest.fixture
def demo(home: Path) -> Demo:
    return Demo(home)


def outcomes(result: control.Result, component: str) -> list[tuple[str, str | None]]:
    """Mode and failure kind of a component's delegations."""
    return [
        (one.mode, one.failure["kind"] if one.failure else None)
        for one in result.view.delegations.values()
        if one.component == component
    ]


def test_the_demo_pack_is_without_findings() -> None:
    nothing = Catalogue(agents={}, pipelines={})
    assert load_user([FOLDER], nothing) == load_shipped(FOLDER)


def test_a_fresh_stack_is_brought_up_and_left_alone_the_second_time(demo: Demo) -> None:
    first = demo.up()
    assert first.view.ending is Ending.CONVERGED
    assert {one.component for one in first.view.delegations.values()} == set(COMPONENTS)
    before = demo.running()
    assert {name: len(found) for name, found in before.items()} == {f"one/{name}": 1 for name in PROCESSES}
    second = demo.up()
    assert (second.view.ending, second.view.mutations, second.view.delegations) == (Ending.CONVERGED, 0, {})
    assert demo.running() == before


def test_what_was_killed_is_recovered_and_nothing_else_is_touched(demo: Demo) -> None:
    demo.up()
    before = demo.running()
    os.kill(before["one/beta"][0], signal.SIGKILL)
    result = demo.up()
    assert result.view.ending is Ending.CONVERGED
    after = demo.running()
    assert after["one/alpha"] == before["one/alpha"]
    assert after["one/beta"] != before["one/beta"]
    assert [one.component for one in result.view.delegations.values()] == ["beta", "proof"]
    assert (demo.starts("beta"), demo.starts("alpha")) == (2, 1)


def test_what_is_frozen_is_recovered(demo: Demo) -> None:
    demo.up()
    (pid,) = demo.running()["one/gamma"]
    os.kill(pid, signal.SIGSTOP)
    result = demo.up()
    assert result.view.ending is Ending.CONVERGED
    assert outcomes(result, "gamma") == [("recover", None)]
    assert demo.running()["one/gamma"] != [pid]


def test_a_lie_a_crash_and_a_leak_are_typed_and_tried_again(demo: Demo) -> None:
    demo.wish("notes", "lie")
    demo.wish("alpha.config", "crash")
    demo.wish("alpha", "leak")
    result = demo.up()
    assert result.view.ending is Ending.CONVERGED
    assert outcomes(result, "notes") == [("ensure", "unverified"), ("ensure", None)]
    assert outcomes(result, "alpha.config") == [("ensure", "crashed"), ("ensure", None)]
    assert outcomes(result, "alpha") == [("ensure", "crashed"), ("ensure", None)]


def test_what_hangs_is_cut_off_when_the_time_is_spent(demo: Demo) -> None:
    demo.wish("alpha", "hang")
    result = demo.up(sets=["limits.seconds=0.6"])
    assert (result.view.ending, result.view.exit_code) == (Ending.EXHAUSTED, 5)
    assert result.view.in_flight == []
    last = list(result.view.delegations.values())[-1]
    assert (last.component, last.ok) == ("alpha", False)
    report = result.view.endings["one"].report
    assert "0.6 seconds" in report["why"]
    assert report["suggestions"] == [{"command": "look at alpha", "effect": "safe"}]


def test_a_hopeless_environment_does_not_stop_the_other(home: Path) -> None:
    demo = Demo(home, ("one", "two"))
    demo.wish("alpha", "fail:no_provider")
    result = demo.up()
    assert result.view.ending is Ending.ESCALATED
    assert {name: event.ending for name, event in result.view.endings.items()} == {
        "one": "escalated",
        "two": "converged",
    }
    assert set(demo.running()) == {f"two/{name}" for name in PROCESSES}


def test_independent_parts_are_worked_on_at_the_same_time(demo: Demo) -> None:
    demo.wish("beta", "slow")
    demo.wish("gamma", "slow")
    most = now = 0

    def count(record: Recorded) -> None:
        nonlocal most, now
        now += isinstance(record.event, Delegated) - isinstance(record.event, Settled)
        most = max(most, now)

    assert demo.up(listener=count).view.ending is Ending.CONVERGED
    assert most == 2


def test_one_lane_is_one_lane(demo: Demo) -> None:
    most = now = 0

    def count(record: Recorded) -> None:
        nonlocal most, now
        now += isinstance(record.event, Delegated) - isinstance(record.event, Settled)
        most = max(most, now)

    assert demo.up(listener=count, sets=["limits.parallel=1"]).view.ending is Ending.CONVERGED
    assert most == 1


def test_down_stops_everything_of_ours_users_first_and_keeps_the_data(demo: Demo) -> None:
    demo.up()
    result = demo.up(Goal(want=Want.DOWN))
    assert result.view.ending is Ending.CONVERGED
    order = [one.component for one in result.view.delegations.values()]
    assert set(order[:2]) == {"beta", "gamma"}
    assert order[2:] == ["alpha"]
    assert demo.running() == {}
    assert (demo.folder() / "notes.txt").exists()
    assert demo.up(Goal(want=Want.DOWN)).view.mutations == 0


def test_restart_replaces_one_instance(demo: Demo) -> None:
    demo.up()
    before = demo.running()
    opened = demo.session()
    goal = asyncio.run(control.restart_goal(opened, ["gamma"]))
    result = demo.up(goal)
    assert result.view.ending is Ending.CONVERGED
    after = demo.running()
    assert after["one/gamma"] != before["one/gamma"]
    assert {name: after[name] for name in ("one/alpha", "one/beta")} == {
        name: before[name] for name in ("one/alpha", "one/beta")
    }


def test_the_script_does_it_all_again(demo: Demo) -> None:
    assert demo.up().view.ending is Ending.CONVERGED
    result = demo.up(pipeline="demo-script")
    assert result.view.ending is Ending.CONVERGED
    assert {name: demo.starts(name) for name in PROCESSES} == dict.fromkeys(PROCESSES, 2)
    assert all(len(found) == 1 for found in demo.running().values())


def test_a_note_is_journalled_and_a_stop_is_obeyed(demo: Demo) -> None:
    demo.wish("alpha", "hang")
    told: list[str] = []

    def tell(record: Recorded) -> None:
        if isinstance(record.event, Delegated) and record.event.component == "alpha" and not told:
            told.append(record.run)
            opened = demo.session()
            control.send(opened, record.run, "note", text="hello")
            control.send(opened, record.run, "stop")

    result = demo.up(listener=tell)
    assert (result.view.ending, result.view.exit_code) == (Ending.INTERRUPTED, 130)
    assert result.view.notes == ["hello"]
    assert result.view.in_flight == []
    assert list(result.view.delegations.values())[-1].summary == "stopped by a message"


def test_cancelling_ends_as_interrupted_and_leaves_the_parts(demo: Demo) -> None:
    demo.wish("beta", "hang")
    demo.wish("gamma", "hang")

    async def cancelled() -> None:
        orders = asyncio.Event()
        waiting = {"beta", "gamma"}

        def tell(record: Recorded) -> None:
            waiting.discard(getattr(record.event, "component", "") if isinstance(record.event, Delegated) else "")
            if not waiting:
                orders.set()

        task = asyncio.create_task(control.run_goal(demo.session(), Goal(), listener=tell))
        await orders.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(cancelled())
    (view,) = demo.views().values()
    assert view.ending is Ending.INTERRUPTED
    assert view.in_flight == []
    assert set(demo.running()) == {"one/alpha"}


def test_a_second_hub_is_refused_and_changes_nothing(demo: Demo) -> None:
    demo.wish("notes", "slow")
    refusals: list[str] = []

    async def both() -> None:
        begun = asyncio.Event()

        def tell(record: Recorded) -> None:
            if isinstance(record.event, Delegated):
                begun.set()

        first = asyncio.create_task(control.run_goal(demo.session(), Goal(), listener=tell))
        await begun.wait()
        try:
            await control.run_goal(demo.session(), Goal())
        except Refused as error:
            refusals.append(str(error))
        assert (await first).view.ending is Ending.CONVERGED

    asyncio.run(both())
    assert str(os.getpid()) in refusals[0]
    assert len(demo.views()) == 1


def test_the_last_event_is_the_end(demo: Demo) -> None:
    events: list[Recorded] = []
    demo.up(listener=events.append)
    assert isinstance(events[-1].event, RunEnded)
    assert [record.seq for record in events] == sorted(record.seq for record in events)


def test_an_order_is_given_up_when_what_it_needs_fails_meanwhile(demo: Demo) -> None:
    """It could only wait in vain, for as long as its deadline allows."""
    demo.wish("proof", "hang")

    def kill(record: Recorded) -> None:
        if isinstance(record.event, Delegated) and record.event.component == "proof":
            for pid in demo.running().get("one/beta", [])[:1]:
                if demo.starts("beta") == 1:
                    os.kill(pid, signal.SIGKILL)

    result = demo.up(listener=kill)
    assert result.view.ending is Ending.CONVERGED
    proofs = [one for one in result.view.delegations.values() if one.component == "proof"]
    assert [one.ok for one in proofs] == [False, True]
    assert "beta, which it needs, failed meanwhile" in proofs[0].summary
    assert (proofs[0].seconds or 99) < 10
    assert demo.starts("beta") == 2
