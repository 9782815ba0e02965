"""kill -9 of the hub after each kind of event and amid its work: taken up again, same end, nothing done twice."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.stack import COMPONENTS, FOLDER, PROCESSES, Demo
from helpers import eventually
from shiftboss import control
from shiftboss.app import bound_to, open_records
from shiftboss.model.events import ApprovalAsked, Approved, Delegated, Learned, MendedByHand, NoteAdded
from shiftboss.model.run import Ending, Goal, Want
from shiftboss.store.database import Database
from shiftboss.store.journal import Journal

PROGRAM = FOLDER / "hub_program.py"
COMMITS = [
    ("RunStarted", 1),
    ("Observed", 1),
    ("Decided", 1),
    ("Decided", 3),
    ("Delegated", 1),
    ("Delegated", 5),
    ("Settled", 1),
    ("Settled", 6),
    ("EnvironmentEnded", 1),
    ("RunEnded", 1),
]


@pytest.fixture
def demo(home: Path) -> Demo:
    return Demo(home)


def hub(demo: Demo, verb: str = "up", kind: str = "-", nth: int = 0, sets: Sequence[str] = (), **more) -> int:
    """Run a hub as a process of its own; its exit code."""
    argv = [sys.executable, str(PROGRAM), str(demo.home), verb, kind, str(nth), *sets]
    return subprocess.run(argv, check=False, timeout=60, capture_output=True, **more).returncode


def over(demo: Demo) -> bool:
    """Whether the newest run has reached its goal, with nothing of it left to settle."""
    newest = list(demo.views().values())[-1]
    return newest.ending is Ending.CONVERGED and not newest.in_flight


def take_up(demo: Demo, way: str, **more) -> control.Result:
    if way == "resume" and not over(demo):
        return asyncio.run(control.resume(demo.session(**more)))
    return demo.up(**more)


def check(demo: Demo, result: control.Result, **starts: int) -> None:
    """The end state, and that nothing was done twice or is left over; `starts` where a part was started more often."""
    assert result.view.ending is Ending.CONVERGED
    assert {name: demo.starts(name) for name in PROCESSES} == {**dict.fromkeys(PROCESSES, 1), **starts}
    assert {name: len(found) for name, found in demo.running().items()} == {f"one/{name}": 1 for name in PROCESSES}
    for view in demo.views().values():
        assert view.ending is not None
        assert view.in_flight == [] or view.ending is Ending.INTERRUPTED  # settled, or its run is buried
    check_orders(demo)
    assert demo.up().view.mutations == 0


def check_orders(demo: Demo) -> None:
    """Nobody was sent without it standing in the journal."""
    ordered = {order for view in demo.views().values() for order in view.delegations}
    assert {line.split()[1] for name in COMPONENTS for line in demo.call_lines(name)} <= ordered


@pytest.mark.parametrize("way", ["resume", "up"])
@pytest.mark.parametrize(("kind", "nth"), COMMITS)
def test_killed_right_after_an_event(demo: Demo, kind: str, nth: int, way: str) -> None:
    assert hub(demo, "up", kind, nth) == -signal.SIGKILL
    way = "up" if over(demo) else way  # a run that has reached its goal is not resumed
    result = take_up(demo, way)
    check(demo, result)
    assert len(demo.views()) == (2 if way == "resume" else 3)  # the last `up` of the check is one of them


# -- while it recovers, asks and learns ------------------------------------------------------------------------------

ASK = ("consent.safe=ask",)
SOON = ("limits.window=0.05",)


@pytest.fixture
def hurt(demo: Demo) -> Demo:
    """A stack that was up, and one part of it has died; a note lies there for whoever looks next."""
    demo.up(sets=SOON)
    kill_alpha(demo)
    say(demo, "", "note", text="it fell over")
    return demo


def kill_alpha(demo: Demo) -> None:
    (pid,) = demo.running()["one/alpha"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: "one/alpha" not in demo.running(), what="the end of alpha")


def say(demo: Demo, run: str, kind: str, **data) -> None:
    records = open_records(demo.session())
    records.inbox.send(run, 1.0, kind, **data)
    records.close()


def told(demo: Demo, kind: type) -> list:
    """All events of a kind, over all runs."""
    store = Database(demo.home / "state.sqlite3", readonly=True)
    found = [one.event for run in demo.views() for one in Journal(store).read(run)]
    store.close()
    return [event for event in found if isinstance(event, kind)]


def recalled(demo: Demo) -> tuple[int, int, int]:
    """What memory holds: open credits, lasted, failed."""
    records = open_records(demo.session())
    open_ones, lessons = records.memory.credits(["one"], bound_to(demo.session())), records.memory.lessons()
    records.close()
    return len(open_ones), sum(one.lasted for one in lessons), sum(one.failed for one in lessons)


@pytest.mark.parametrize("way", ["resume", "up"])
@pytest.mark.parametrize("kind", ["Observed", "NoteAdded", "Decided", "Delegated", "Settled", "EnvironmentEnded"])
def test_killed_while_it_recovers(hurt: Demo, kind: str, way: str) -> None:
    assert hub(hurt, "up", kind, 1) == -signal.SIGKILL
    result = take_up(hurt, "up" if over(hurt) else way)
    check(hurt, result, alpha=2)
    assert len(told(hurt, NoteAdded)) == 1
    open_ones, lasted, failed = recalled(hurt)
    assert (lasted, failed) == (0, 0)
    assert open_ones <= 1  # none where nobody knows how the recovery ended
    assert told(hurt, MendedByHand) == []


@pytest.mark.parametrize("kind", ["Learned", "RunEnded"])
def test_what_was_learned_is_learned_once(hurt: Demo, kind: str) -> None:
    hurt.up(sets=SOON)
    time.sleep(0.06)  # the window
    assert hub(hurt, "up", kind, 1, SOON) == -signal.SIGKILL
    check(hurt, hurt.up(sets=SOON), alpha=2)
    assert [event.lasted for event in told(hurt, Learned)] == [True]
    assert recalled(hurt) == (0, 1, 0)


@pytest.mark.parametrize(("kind", "verb"), [("ApprovalAsked", "up"), ("RunEnded", "up"), ("Approved", "resume")])
def test_a_question_and_its_answer_outlive_the_hub(hurt: Demo, kind: str, verb: str) -> None:
    assert hub(hurt, "up", "-" if verb == "resume" else kind, 1, ASK) in (0, -signal.SIGKILL)
    acts = {event.act for event in told(hurt, ApprovalAsked)}
    assert len(acts) == 1
    say(hurt, list(hurt.views())[-1], "approve", act=acts.pop())
    if verb == "resume":
        assert hub(hurt, "resume", kind, 1, ASK) == -signal.SIGKILL
    check(hurt, take_up(hurt, "resume", sets=ASK), alpha=2)
    assert len(told(hurt, Approved)) == 1


@pytest.mark.parametrize("kind", ["RunResumed", "MendedByHand", "Settled", "RunEnded"])
def test_what_a_person_mended_is_kept_once(hurt: Demo, kind: str) -> None:
    deny = ("consent.safe=deny",)
    assert hub(hurt, sets=deny) == 0
    (hurt.folder() / "run" / "alpha.pid").unlink()  # a person has cleared up: it is gone, no longer broken
    assert hub(hurt, "resume", kind, 1, deny) == -signal.SIGKILL
    check(hurt, take_up(hurt, "resume", sets=deny), alpha=2)
    assert len(told(hurt, MendedByHand)) == 1
    records = open_records(hurt.session())
    assert len(records.memory.remedies()) == 1
    records.close()


@pytest.mark.parametrize("way", ["resume", "up"])
def test_a_recovery_cut_off_half_way_is_taken_back(hurt: Demo, way: str) -> None:
    hurt.wish("alpha", "ok", "tune_die_early")
    assert hub(hurt) == -signal.SIGKILL
    assert (hurt.folder() / "tuning.txt").read_text() == "tuned"
    check(hurt, take_up(hurt, way), alpha=2)
    assert not (hurt.folder() / "tuning.txt").exists()
    assert hurt.session().benches["one"].undo.open() == []
    assert [event.mode for event in told(hurt, Delegated) if event.undoes] == ["undo"]


@pytest.mark.parametrize("way", ["resume", "up"])
def test_a_recovery_found_to_have_worked_is_never_taken_back_later(hurt: Demo, way: str) -> None:
    hurt.wish("alpha", "ok", "tune_die_late")
    assert hub(hurt) == -signal.SIGKILL
    check(hurt, take_up(hurt, way), alpha=2)
    kill_alpha(hurt)
    check(hurt, hurt.up(), alpha=3)
    assert [event.mode for event in told(hurt, Delegated) if event.undoes] == []
    assert (hurt.folder() / "tuning.txt").read_text() == "tuned"


def test_a_recovery_that_worked_leaves_no_way_back_open(hurt: Demo) -> None:
    hurt.wish("alpha", "ok", "tune")
    result = hurt.up()
    assert hurt.session().benches["one"].undo.open() == []
    assert (hurt.folder() / "tuning.txt").read_text() == "tuned"
    check(hurt, result, alpha=2)


# -- amid the work ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["resume", "up"])
@pytest.mark.parametrize("word", ["die_after_start", "die_unrecorded"])
def test_killed_between_start_and_settlement(demo: Demo, word: str, way: str) -> None:
    demo.wish("alpha", word)
    assert hub(demo) == -signal.SIGKILL
    before = demo.running()["one/alpha"]
    check(demo, take_up(demo, way))
    assert demo.running()["one/alpha"] == before


@pytest.mark.parametrize("way", ["resume", "up"])
def test_helpers_of_a_dead_hub_are_stopped(demo: Demo, way: str) -> None:
    demo.wish("alpha.config", "helper_and_die")
    assert hub(demo) == -signal.SIGKILL
    assert len(demo.running()["helper"]) == 1
    check(demo, take_up(demo, way))


def test_killed_again_and_again(demo: Demo) -> None:
    assert hub(demo, "up", "Delegated", 2) == -signal.SIGKILL
    for kind, nth in (("RunResumed", 1), ("Settled", 1), ("Delegated", 1), ("Observed", 1), ("EnvironmentEnded", 1)):
        if not over(demo):
            assert hub(demo, "resume", kind, nth) in (-signal.SIGKILL, 0)
    check(demo, take_up(demo, "resume"))


def test_a_resumed_run_settles_what_the_dead_hub_had_ordered(demo: Demo) -> None:
    assert hub(demo, "up", "Delegated", 1) == -signal.SIGKILL
    (view,) = demo.views().values()
    assert len(view.in_flight) >= 1
    result = take_up(demo, "resume")
    assert result.view.in_flight == []
    first = next(iter(result.view.delegations.values()))
    assert (first.ok, first.summary) == (False, "cut off with its hub")


def test_killed_while_it_stops_the_stack(demo: Demo) -> None:
    demo.up()
    down = Goal(want=Want.DOWN)

    def die(record) -> None:
        if isinstance(record.event, Delegated):
            raise KeyboardInterrupt  # as sudden as it gets in this process

    with pytest.raises(KeyboardInterrupt):
        demo.up(down, listener=die)
    result = demo.up(down)
    assert result.view.ending is Ending.CONVERGED
    assert demo.running() == {}


def test_killed_while_it_moves_the_data_aside(demo: Demo) -> None:
    demo.up()

    def die(record) -> None:
        if isinstance(record.event, Delegated) and record.event.keyword == "purge":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.up(Goal(want=Want.DOWN, purge=True), listener=die)
    result = take_up(demo, "resume")
    assert (result.view.ending, result.view.in_flight) == (Ending.CONVERGED, [])
    assert demo.running() == {}
    assert len(list((demo.home / "aside").glob("one-*"))) == 1


def test_the_parts_outlive_their_hub_and_are_adopted(demo: Demo) -> None:
    assert hub(demo, "up", "Settled", 5) == -signal.SIGKILL
    before = demo.running()
    assert before
    demo.up()
    after = demo.running()
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("size", [8_192, 40_000, 90_000, 100_000])
def test_a_journal_that_can_not_be_written_means_that_nothing_more_is_done(demo: Demo, size: int) -> None:
    def no_room() -> None:
        """Nothing may be written beyond this size: for the journal it is as if the disk were full."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    assert hub(demo, "up", preexec_fn=no_room) not in (0, -signal.SIGKILL)
    if (demo.home / "state.sqlite3").exists():
        check_orders(demo)
    else:
        assert demo.running() == {}
    check(demo, demo.up())


def test_the_hub_program_runs_to_its_end_when_nobody_kills_it(demo: Demo) -> None:
    assert hub(demo) == 0
    check(demo, demo.up())
