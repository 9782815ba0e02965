"""up, down, restart, watch, resume: the verbs that act. They drive a run and show it."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

from shiftboss import control, looking
from shiftboss.app import Session
from shiftboss.errors import BadInput
from shiftboss.frontends.arguments import Call, wrong
from shiftboss.frontends.documents import run_document
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.plain import WIDTH, PlainScreen, SilentScreen, write
from shiftboss.frontends.session import in_order, pack_and_components, session_of
from shiftboss.frontends.tables import end_tables
from shiftboss.frontends.text import wrap
from shiftboss.model.run import EXIT_CODES, EXIT_INTERNAL, Ending, Goal, Want
from shiftboss.view import RunView

Drive = Callable[[Session, PlainScreen], Awaitable[control.Result]]
Print = Callable[[dict[str, Any]], None]

TICK_SECONDS = 0.2
"""How often what is in flight is drawn again."""


def up(call: Call) -> int:
    """Bring the stack up."""
    _, components = pack_and_components(call.more["words"])
    prove: str | None = call.more["prove"]
    call = call if prove is None else call.but(sets=(*call.sets, f"proof.until={prove}"))
    goal = Goal(want=Want.UP, components=components)
    timed = call.timed()
    if call.more["goal"] is not None:
        from shiftboss.frontends import verbs_goal

        return verbs_goal.up(timed, components)
    if call.more["ci"] or call.more["junit"] or call.command is not None:
        from shiftboss.frontends import verbs_ci

        return verbs_ci.up(timed, goal)
    return act(timed, towards(timed, goal))


def down(call: Call) -> int:
    """Stop what is ours."""
    _, components = pack_and_components(call.more["words"])
    goal = Goal(want=Want.DOWN, components=components, purge=bool(call.more["purge"]))
    session = session_of(call)
    unused = [name for name in session.benches if not _was_used(session, name)]
    if unused and call.environments and session.home.is_dir():
        here = ", ".join(set(session.neighbours).difference(unused)) or "none"
        raise BadInput([wrong(f"there is no environment {' or '.join(unused)} here", f"Those that are here: {here}.")])
    if len(unused) == len(session.benches):
        return _nothing_to_stop(call, session, goal)
    return act(call, towards(call, goal), control.as_brought_up(session))


def _was_used(session: Session, name: str) -> bool:
    """Whether an environment has a folder, or processes (its folder may have been removed by hand)."""
    bench = session.benches[name]
    return os.path.lexists(bench.environment.folder) or bool(bench.processes.components())


def _nothing_to_stop(call: Call, session: Session, goal: Goal) -> int:
    """Nothing was ever run there: that is said, and nothing is made."""
    looking.check_components(session, goal)
    if call.json:
        print_document({**run_document(RunView()), "ending": str(Ending.CONVERGED), "exit_code": 0})
    elif not call.quiet:
        names = f"{' or '.join(session.benches)} in " if session.home.is_dir() else ""
        write(wrap(f"Nothing was ever run in {names}{session.home}: there is nothing to stop.", WIDTH))
    return 0


def restart(call: Call) -> int:
    """Replace running instances."""

    async def drive(session: Session, screen: PlainScreen) -> control.Result:
        goal = await control.restart_goal(session, call.more["components"])
        if not goal.replace:
            what = f"no process of ours runs for {', '.join(call.more['components'])}"
            raise BadInput([wrong(what, "shiftboss up starts what is missing.")])
        return await control.run_goal(session, goal, brain=call.brain, listener=screen.show)

    return act(call, drive)


def watch(call: Call) -> int:
    """Bring the stack up and keep it so."""
    _, components = pack_and_components(call.more["words"])
    interval: str | None = call.more["interval"]
    if interval is not None:
        call = call.but(sets=(*call.sets, f"probes.interval={interval}"))
    screen = SilentScreen() if call.json else PlainScreen(quiet=call.quiet)  # for days on end: nothing that moves
    return act(call, towards(call, Goal(components=components, keep=True)), screen=screen)


def resume(call: Call) -> int:
    """Take a run up again."""

    async def drive(session: Session, screen: PlainScreen) -> control.Result:
        run = call.more["run"]
        looking.events_of(session, run)  # says what is missing before anything is made
        return await control.resume(session, run, listener=screen.show, earlier=screen.narrator.view.apply)

    return act(call, drive)


def towards(call: Call, goal: Goal) -> Drive:
    """Drives a run for a goal."""

    async def drive(session: Session, screen: PlainScreen) -> control.Result:
        return await control.run_goal(session, goal, brain=call.brain, listener=screen.show)

    return drive


def act(
    call: Call,
    drive: Drive,
    session: Session | None = None,
    screen: PlainScreen | None = None,
    tell: Print = print_document,
) -> int:
    """Drive a run, show it, and say how it ended; the exit code. `tell` gets the document of --json."""
    session = session or session_of(call)
    screen = screen or _screen(call, session)
    try:
        result = asyncio.run(_shown(session, drive, screen))
    except (KeyboardInterrupt, asyncio.CancelledError):
        screen.close()
        return _interrupted(call, screen, tell)
    finally:
        screen.close()
    return _ended(call, session, screen, result, tell)


async def _shown(session: Session, drive: Drive, screen: PlainScreen) -> control.Result:
    """Drive the run while the screen shows it."""
    control.interruptible(cast("asyncio.Task[Any]", asyncio.current_task()))
    ticker = asyncio.create_task(_tick(session, screen))
    try:
        return await drive(session, screen)
    finally:
        ticker.cancel()


async def _tick(session: Session, screen: PlainScreen) -> None:
    while True:
        await session.clock.sleep(TICK_SECONDS)
        screen.tick()


def _screen(call: Call, session: Session) -> PlainScreen:
    """Live on a terminal, lines elsewhere, nothing but the document with --json."""
    if call.json:
        return SilentScreen()
    if call.quiet or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return PlainScreen(quiet=call.quiet)
    from shiftboss.frontends.terminal import LiveScreen

    return LiveScreen(session.clock, session.stack.order, color=call.color)


def _interrupted(call: Call, screen: PlainScreen, tell: Print) -> int:
    code = EXIT_CODES[Ending.INTERRUPTED]
    if call.json:
        tell({**run_document(screen.narrator.view), "ending": str(Ending.INTERRUPTED), "exit_code": code})
    else:
        rest = "is stopped now" if call.command or call.more.get("ci") else "is left as it is"
        sys.stderr.write(f"Interrupted: nothing new is started, and the stack {rest}.\n")
    return code


def _ended(call: Call, session: Session, screen: PlainScreen, result: control.Result, tell: Print) -> int:
    view = in_order(session, result.view)
    code = EXIT_INTERNAL if view.exit_code is None else view.exit_code
    document = run_document(view, result.endpoints, result.proof)
    needs_report = "report" in document and view.ending is not Ending.INTERRUPTED
    if needs_report:
        from shiftboss.frontends.report_files import write_reports

        document["report_files"] = write_reports(session, view.run, document["report"])
    if call.json:
        tell(document)
        return code
    screen.end(end_tables(view, result.endpoints, result.proof))
    if needs_report and not screen.lost:
        from shiftboss.frontends.report_files import print_reports

        print_reports(document["report"], document["report_files"])
    return code
