"""`up` for CI: plain lines, a JUnit file, a command to run on the stack, and nothing left running where that is asked.

verbs_run.up hands over to it. What is torn down is torn down by a run of its own, so that it stands in the journal.
"""

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shiftboss import control
from shiftboss.app import Session
from shiftboss.errors import BadInput, ShiftbossError
from shiftboss.frontends.arguments import Call, wrong
from shiftboss.frontends.exports import variables
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.plain import PlainScreen, SilentScreen
from shiftboss.frontends.session import session_of
from shiftboss.frontends.verbs_run import Drive, act
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.events import Recorded
from shiftboss.model.run import EXIT_CODES, Ending, Goal, Want
from shiftboss.system.passing import Signals, hold_back

DOWN_SECONDS = 120
"""What tearing down may take, whatever the run was given: a daemon with much to write needs its time."""

Proofs = Mapping[str, Mapping[str, Any]]


def up(call: Call, goal: Goal) -> int:
    """Bring the stack up, run the command on it if there is one, and tear down what is not to stay; the exit code.

    Raises:
        BadInput: the command is not there, or the file can't be written; nothing has been done then.
    """
    _check(call)
    heard = _Heard()
    signals = Signals(_complain)
    code = EXIT_CODES[Ending.INTERRUPTED]
    try:
        code = act(call, heard.drive(call, goal), screen=_screen(call), tell=heard.document.update)
    finally:
        with signals.kept():
            _write_junit(call, heard)
            try:
                if signals.came:  # after the run's end
                    code = code or EXIT_CODES[Ending.INTERRUPTED]
                elif code == 0 and call.command:
                    code = heard.command_code = _run_command(call, signals)
            finally:
                _print(call, heard, code)
                if heard.events and (call.command or (call.more["ci"] and code != 0)):
                    _tear_down(call)
    return code


class _Heard:
    """What a run told, kept for its file."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []
        self.proof: Proofs = {}
        self.order: Mapping[str, int] = {}
        self.document: dict[str, Any] = {}  #: of --json; printed when the command has ended
        self.command_code: int | None = None

    def drive(self, call: Call, goal: Goal) -> Drive:
        """As `towards`, and every event is kept."""

        async def drive(session: Session, screen: PlainScreen) -> control.Result:
            def listen(record: Recorded) -> None:
                self.events.append(record)
                screen.show(record)

            self.order = session.stack.order
            try:
                result = await control.run_goal(session, goal, brain=call.brain, listener=listen)
                self.proof = result.proof
                return result
            finally:
                hold_back()

        return drive


def _check(call: Call) -> None:
    findings = [*_check_command(call), *_check_junit(call)]
    if findings:
        raise BadInput(findings)


def _check_command(call: Call) -> list[Diagnostic]:
    if call.command is None:
        return []
    if not call.command:
        return [wrong("there is no command after --", "Name one, or leave -- out; is a variable there empty?")]
    if shutil.which(call.command[0]) is not None:
        return []
    what = f"the command {call.command[0]!r} is not there or can't be executed"
    return [wrong(what, "Nothing was started; correct what stands after --")]


def _check_junit(call: Call) -> list[Diagnostic]:
    if not call.more["junit"]:
        return []
    path = Path(call.more["junit"]).absolute()
    try:
        if path.is_file() or not path.exists():
            _try_folder(path.parent)
            return []
        why = "it is no file"
    except OSError as error:
        why = error.strerror or str(error)
    return [wrong(f"--junit {path} can't be written: {why}", "Name a file in a folder that is yours")]


def _try_folder(folder: Path) -> None:
    """Make the folder and a file in it, and take away again what was made: root may write in /proc by its mode."""
    import tempfile

    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    finally:
        with contextlib.suppress(OSError):
            for one in missing:
                one.rmdir()


def _screen(call: Call) -> PlainScreen | None:
    """Lines for CI; None: what `up` shows otherwise."""
    if call.json:
        return SilentScreen()
    return PlainScreen(quiet=call.quiet) if call.more["ci"] else None


def _write_junit(call: Call, heard: _Heard) -> None:
    if not (call.more["junit"] and heard.events):
        return
    from shiftboss.frontends import junit

    path = Path(call.more["junit"])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        junit.write(path, heard.events, heard.proof, heard.order)
    except OSError as error:
        _complain(f"--junit {call.more['junit']} can't be written: {error.strerror}.")


def _print(call: Call, heard: _Heard, code: int) -> None:
    """The document of --json, with the exit code that the process will have."""
    if heard.document:
        more = {"command_exit_code": heard.command_code} if call.command else {}
        print_document({**heard.document, "exit_code": code, **more})


def _run_command(call: Call, signals: Signals) -> int:
    """Run the command with the endpoints in its environment; its stdout goes to stderr beside a --json document."""
    session = session_of(call)  # opened again: the run may have allotted other ports
    found = asyncio.run(_endpoints(session))
    sys.stdout.flush()
    out = sys.stderr.fileno() if call.json else None
    return signals.run(call.command or (), {**os.environ, **variables(found)}, out)


async def _endpoints(session: Session) -> Proofs:
    return {name: await session.pack.endpoints(bench) for name, bench in session.benches.items()}


def _tear_down(call: Call) -> None:
    """Stop everything of the run's environments; a signal does not get in its way. What can't be done is said."""
    sets = (*call.sets, f"limits.seconds={DOWN_SECONDS}")
    screen = SilentScreen() if call.json else PlainScreen(quiet=call.quiet)
    try:
        session = control.as_brought_up(session_of(call.but(pipeline=None, brain=None, sets=sets)))
        goal, by = Goal(want=Want.DOWN), f"down (after up{' --ci' if call.more['ci'] else ''})"
        result = asyncio.run(control.run_goal(session, goal, listener=screen.show, command=by))
    except ShiftbossError as error:
        _complain(f"The stack could not be torn down: {error}.")
        return
    if result.view.exit_code != 0:
        _complain("Not all of the stack could be torn down; shiftboss down tries again.")


def _complain(text: str) -> None:
    sys.stderr.write(f"shiftboss: {text}\n")
