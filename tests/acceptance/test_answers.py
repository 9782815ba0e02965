"""Consent over real processes: a run asks, ends with exit code 4, is answered, and goes on (or not) when resumed."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from demo.stack import FOLDER, Demo
from helpers import eventually
from shiftboss import answering, control
from shiftboss.answering import APPROVED, DENIED
from shiftboss.app import open_records
from shiftboss.errors import BadInput
from shiftboss.model.events import Approved
from shiftboss.model.run import Ending
from shiftboss.system import proc

HUB = FOLDER / "hub_program.py"


@pytest.fixture
def demo(home):
    """A stack that is up, and asks before it restarts anything."""
    made = Demo(home)
    home.mkdir()
    (home / "shiftboss.toml").write_text('[consent]\nsafe = "ask"\n')
    assert made.up().view.ending is Ending.CONVERGED
    return made


def kill(demo, part):
    (pid,) = demo.running()[f"one/{part}"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not proc.is_running(pid), what=f"the end of {part}")


def asks(demo, part="alpha"):
    """Kill a part and run: the run, and the one question it ends with."""
    kill(demo, part)
    view = demo.up().view
    assert (view.ending, view.exit_code) == (Ending.NEEDS_APPROVAL, 4)
    (asked,) = view.asked.values()
    assert asked.move == f"one/{part}/recover/restart_one"
    return view, asked


def resume(demo, run):
    return asyncio.run(control.resume(demo.session(), run)).view


def inbox(demo, run):
    records = open_records(demo.session())
    try:
        return [(message.kind, message.data) for message in records.inbox.messages(run)]
    finally:
        records.close()


def refused(call):
    with pytest.raises(BadInput) as caught:
        call()
    (one,) = caught.value.diagnostics
    return one


def test_an_approved_act_is_done_when_the_run_is_resumed_and_only_then(demo):
    view, asked = asks(demo)
    (report,) = [one.report for one in view.endings.values()]
    assert [one["act"] for one in report["approvals"]] == [asked.act]
    assert demo.starts("alpha") == 1
    answered = answering.answer(demo.session(), asked.act, APPROVED, run=view.run)
    assert (answered.run, answered.new, answered.live) == (view.run, True, False)
    assert demo.starts("alpha") == 1, "an answer does nothing by itself"
    resumed = resume(demo, view.run)
    assert resumed.ending is Ending.CONVERGED
    assert resumed.answers == {asked.act: APPROVED}
    assert demo.starts("alpha") == 2


@pytest.mark.parametrize("name", ["beginning", "move"])
def test_an_act_may_be_named_shortly_and_the_run_left_out(demo, name):
    view, asked = asks(demo)
    said = asked.act[:4] if name == "beginning" else asked.move
    first = answering.answer(demo.session(), said, APPROVED)
    again = answering.answer(demo.session(), said, APPROVED)
    assert (first.run, first.new, again.run, again.new) == (view.run, True, view.run, False)
    assert inbox(demo, view.run) == [("approve", {"act": asked.act})]
    assert resume(demo, view.run).ending is Ending.CONVERGED
    late = answering.answer(demo.session(), said, APPROVED, run=view.run)
    assert not late.new, "it was taken in long ago"
    assert inbox(demo, view.run) == []


def test_of_several_runs_that_ask_the_newest_is_meant(demo):
    _, asked = asks(demo)
    second = demo.up().view
    assert list(second.asked) == [asked.act], "the same act has the same number"
    assert answering.answer(demo.session(), asked.act, APPROVED).run == second.run


def test_a_denied_act_is_not_done_and_the_run_needs_a_human(demo):
    view, asked = asks(demo)
    answering.answer(demo.session(), asked.act, DENIED, reason="not at night")
    resumed = resume(demo, view.run)
    assert resumed.ending is Ending.ESCALATED
    assert "consent to what could help is denied" in resumed.endings["one"].report["why"]
    assert demo.starts("alpha") == 1
    problem = refused(lambda: answering.answer(demo.session(), asked.act, APPROVED, run=view.run))
    assert "a denial outweighs an approval" in problem.what
    assert "shiftboss up" in problem.remedy


def test_consent_to_one_act_is_none_to_another(demo):
    view, asked = asks(demo, "beta")
    answering.answer(demo.session(), asked.act, APPROVED)
    kill(demo, "gamma")
    resumed = resume(demo, view.run)
    assert resumed.ending is Ending.NEEDS_APPROVAL
    assert [one.move for one in resumed.asked.values()] == ["one/gamma/recover/restart_one"]
    assert demo.starts("gamma") == 1
    answering.answer(demo.session(), "one/gamma/recover/restart_one", APPROVED)
    assert resume(demo, view.run).ending is Ending.CONVERGED, "and the first consent still holds"
    assert (demo.starts("beta"), demo.starts("gamma")) == (2, 2)


def test_what_nobody_asked_is_refused_with_what_is_open(demo):
    assert "No question is open" in refused(lambda: answering.answer(demo.session(), "abc", APPROVED)).remedy
    view, asked = asks(demo)
    for act, run in (("ffffffffffff", None), ("", None), ("one/beta/recover/restart_one", view.run)):
        problem = refused(lambda act=act, run=run: answering.answer(demo.session(), act, APPROVED, run=run))
        assert asked.act in problem.remedy
        assert "start it again" in problem.remedy
    assert "does not ask" in refused(lambda: answering.answer(demo.session(), asked.act, DENIED, run="no-run")).what
    assert inbox(demo, view.run) == []


def test_a_question_of_a_run_that_got_through_is_closed(demo):
    view, asked = asks(demo)
    (demo.home / "shiftboss.toml").unlink()
    assert resume(demo, view.run).ending is Ending.CONVERGED
    assert (
        refused(lambda: answering.answer(demo.session(), asked.act, APPROVED)).what == f"no run asks for {asked.act!r}"
    )


def test_an_approval_outlives_the_hub_that_took_it_in(demo):
    view, asked = asks(demo)
    answering.answer(demo.session(), asked.act, APPROVED)
    killed = subprocess.run(
        [sys.executable, str(HUB), str(demo.home), "resume", "Approved", "1"],
        check=False,
        timeout=60,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL
    assert inbox(demo, view.run) == [], "the message went with the event, in one transaction"
    resumed = resume(demo, view.run)
    assert resumed.ending is Ending.CONVERGED
    assert demo.starts("alpha") == 2


def test_a_hub_at_work_takes_an_answer_in_at_once(home):
    demo = Demo(home, environments=("one", "two"))
    home.mkdir()
    (home / "shiftboss.toml").write_text('[consent]\nsafe = "ask"\n')
    demo.up()
    kill(demo, "beta")
    demo.wish("notes", *["ok"] * len(demo.calls("notes", "two")), "hang", environment="two")
    (demo.folder("two") / "notes.txt").unlink()

    async def scene():
        seen = []
        run = asyncio.create_task(control.run_goal(demo.session(), control.Goal(), listener=seen.append))
        while not (asked := [one for one in seen if type(one.event).__name__ == "ApprovalAsked"]):
            await asyncio.sleep(0.02)
        answered = answering.answer(demo.session(), asked[0].event.act, APPROVED)
        assert (answered.run, answered.live) == (asked[0].run, True)
        async with asyncio.timeout(20):
            while not any(isinstance(one.event, Approved) for one in seen):
                await asyncio.sleep(0.02)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

    asyncio.run(scene())
