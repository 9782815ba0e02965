"""logs: the end of a component's log, and what is written to it from now on."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from shiftboss import control, looking
from shiftboss.app import Session
from shiftboss.errors import BadInput
from shiftboss.frontends.arguments import Call, wrong
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.session import session_of
from shiftboss.frontends.text import clean
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.redact import redact
from shiftboss.system.files import new_lines, read_text_tail

LOOK_SECONDS = 0.2
LONGEST_LINE = 2_000
"""Bytes kept ready for each line asked for; a log line is far shorter."""


def logs(call: Call) -> int:
    """Print a log; secrets and control characters are taken out."""
    session = session_of(call)
    count: int = call.more["lines"]
    if count < 0:
        raise BadInput([wrong(f"--lines {count} is less than none", "Give 0 or more.")])
    component: str = call.more["component"]
    path = looking.log_of(session, component)
    if call.more["follow"]:
        offset = path.stat().st_size if path.exists() else 0
        _print(_tail(path, count), call, component)
        asyncio.run(_follow(session, call, path, offset))
        return 0
    if not path.exists():
        what, remedy = "there is no log yet", f"{component} writes it when it is started: shiftboss up"
        raise BadInput([Diagnostic(place=str(path), what=what, remedy=remedy)])
    lines = _tail(path, count)
    if call.json:
        print_document({"component": component, "file": str(path), "lines": lines})
    else:
        _print(lines, call, component)
    return 0


def _tail(path: Path, count: int) -> list[str]:
    lines = read_text_tail(path, max(1, count) * LONGEST_LINE).splitlines()
    return [_safe(line) for line in lines[len(lines) - min(count, len(lines)) :]]


def _safe(line: str) -> str:
    return redact(clean(line))


async def _follow(session: Session, call: Call, path: Path, offset: int) -> None:
    """Until the reader has seen enough (Ctrl-C); a log that is not there yet is waited for."""
    control.interruptible(cast("asyncio.Task[Any]", asyncio.current_task()))
    while True:
        text, offset = new_lines(path, offset)
        _print([_safe(line) for line in text.splitlines()], call, call.more["component"])
        await session.clock.sleep(LOOK_SECONDS)


def _print(lines: Sequence[str], call: Call, component: str) -> None:
    shown = [json.dumps({"component": component, "line": line}) if call.json else line for line in lines]
    sys.stdout.write("".join(f"{line}\n" for line in shown))
    sys.stdout.flush()
