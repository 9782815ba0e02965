"""`up --goal "..."`: a goal in words is read, shown, and then driven like any other."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from shiftboss import control
from shiftboss.app import Session
from shiftboss.errors import BadInput
from shiftboss.frontends import verbs_run
from shiftboss.frontends.arguments import Call, wrong
from shiftboss.frontends.plain import WIDTH, PlainScreen, write
from shiftboss.frontends.session import session_of
from shiftboss.frontends.text import wrap
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.run import Goal, Want
from shiftboss.model.wish import Wanted
from shiftboss.wishing import Understood, understand


def up(call: Call, components: Sequence[str]) -> int:
    """Read the goal, say how it was understood, and drive it."""
    findings = _both(components)
    given = (("--ci", call.more["ci"]), ("--junit", call.more["junit"]), ("--", call.command is not None))
    findings += [wrong(f"--goal can't go with {name}", "Leave one out.") for name, value in given if value]
    if findings:
        raise BadInput(findings)
    session = session_of(call)
    understood = _understood(call, session)
    if understood.wish.want is Wanted.RESET:
        return _reset(call, understood)
    return verbs_run.act(call, _drive(call, understood), session)


def _both(components: Sequence[str]) -> list[Diagnostic]:
    return [wrong(f"--goal and {', '.join(components)} both say which parts", "Leave one out.")] * bool(components)


def goal_to_plan(call: Call, session: Session, components: Sequence[str]) -> Goal:
    """The goal of `plan --goal`, which is about bringing up.

    Raises:
        BadInput: it is not understood, or asks for something else.
    """
    if components:
        raise BadInput(_both(components))
    understood = _understood(call, session)
    if understood.wish.want not in (Wanted.UP, Wanted.VALIDATE):
        what = f"plan shows what is brought up, not `{understood.wish}`"
        raise BadInput([wrong(what, "shiftboss up --goal does it.")])
    return goal_of(understood)


def _understood(call: Call, session: Session) -> Understood:
    """What the words ask for, shown; a model that reads them can be interrupted as a run can."""

    async def read() -> Understood:
        control.interruptible(cast("asyncio.Task[Any]", asyncio.current_task()))
        return await understand(session, call.more["goal"], call.brain)

    understood = asyncio.run(read())
    if not (call.json or call.quiet):
        write(wrap(f"Goal: {understood.wish}", WIDTH))
    return understood


def goal_of(understood: Understood) -> Goal:
    """The plain goal of a wish that needs no look at what runs."""
    wish = understood.wish
    want = Want.DOWN if wish.want is Wanted.DOWN else Want.UP
    return Goal(want=want, components=wish.components, untouched=wish.untouched, words=understood.words)


def _drive(call: Call, understood: Understood) -> verbs_run.Drive:
    async def drive(session: Session, screen: PlainScreen) -> control.Result:
        goal = goal_of(understood)
        if understood.wish.want is Wanted.RESTART:
            goal = await _to_restart(session, goal)
        asked = understood.asked
        return await control.run_goal(session, goal, brain=call.brain, listener=screen.show, asked=asked)

    return drive


async def _to_restart(session: Session, goal: Goal) -> Goal:
    """The running instances of the named parts (or of all) are to be replaced; what is not to be touched stays."""
    names = [name for name in goal.components or session.stack.specs if name not in goal.untouched]
    found = await control.restart_goal(session, names)
    if not found.replace:
        raise BadInput(
            [wrong(f"no process of ours runs for {', '.join(names)}", "shiftboss up starts what is missing.")]
        )
    return replace(found, untouched=goal.untouched, words=goal.words)


def _reset(call: Call, understood: Understood) -> int:
    """Two runs: everything down with its data moved aside, then up from nothing."""
    wish = understood.wish
    if wish.components or wish.untouched:
        what = "a reset is of the whole environment: its data goes aside together"
        raise BadInput([wrong(what, "Say `reset` alone, or `restart PARTS`.")])
    if not session_of(call).home.is_dir():
        return verbs_run.act(call, verbs_run.towards(call, Goal(words=understood.words)))
    down = Goal(want=Want.DOWN, purge=True, words=understood.words)
    code = verbs_run.act(call, verbs_run.towards(call, down), tell=lambda _document: None)
    if code:
        return code
    return verbs_run.act(call, verbs_run.towards(call, Goal(words=understood.words)))
