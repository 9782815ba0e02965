"""cache: what is downloaded: list it, fetch it before it is needed, verify it."""

import asyncio
import sys
from typing import Any

from shiftboss import caching
from shiftboss.app import Session
from shiftboss.caching import Damage, Held
from shiftboss.errors import BadInput, ShiftbossError
from shiftboss.frontends.arguments import Call
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.plain import WIDTH, table_lines, write
from shiftboss.frontends.session import session_of
from shiftboss.frontends.tables import Table
from shiftboss.frontends.text import clean, wrap
from shiftboss.model.run import EXIT_CODES, Ending

NEEDED = EXIT_CODES[Ending.ESCALATED]
"""Exit code when something is damaged, or can't be fetched: somebody has to do something."""

_MEGABYTE = 1_000_000
_FILL = "`shiftboss cache fetch` downloads what `up` needs; so does the next `up`."
_MEND = "`shiftboss cache fetch` downloads it again; so does the next `up` that needs it."


def cache(call: Call) -> int:
    """`list`, `fetch` or `verify`; the exit code."""
    works = {"list": _list, "fetch": _fetch, "verify": _verify}
    return works[call.more["action"]](call, session_of(call))


def _list(call: Call, session: Session) -> int:
    found = caching.held(session)
    folder = session.settings.cache.folder.absolute()
    if call.json:
        print_document({"folder": str(folder), "held": [_document(one) for one in found]})
    elif not found:
        write([f"Nothing is cached in {clean(folder)}"])
    else:
        for one in found:
            rows = [(deb.name, _size(deb.size), deb.version) for deb in one.files]
            write(table_lines(Table(title=_title(one), rows=rows)))
        write([f"They lie below {clean(folder)}"])
    return 0


def _title(one: Held) -> str:
    if not one.version:
        return f"{clean(one.name)}: not whole; `shiftboss cache fetch` completes it"
    return f"{clean(one.name)} {clean(one.version)}, {_size(one.size)}, fetched {clean(one.fetched)}"


def _size(size: int) -> str:
    return f"{size / _MEGABYTE:.1f} MB"


def _document(one: Held) -> dict[str, Any]:
    files = [dict(vars(deb)) for deb in one.files]
    return {**vars(one), "folder": str(one.folder), "size": one.size, "files": files}


def _fetch(call: Call, session: Session) -> int:
    silent = call.json or call.quiet
    try:
        got = asyncio.run(caching.fetch(session, lambda text: None if silent else write([clean(text)])))
    except BadInput:
        raise
    except ShiftbossError as error:
        return _failed(call, error)
    if call.json:
        print_document({"new": got.new, "warnings": list(got.warnings), "held": _document(got.held)})
        return 0
    for text in got.warnings:
        write(wrap(f"warning: {clean(text)}", WIDTH, hang=2))
    if not silent:
        done = "is in the cache now" if got.new else "was in the cache, undamaged"
        write(wrap(f"{_title(got.held)}: {done}. `shiftboss up` needs no network for it.", WIDTH))
    return 0


def _failed(call: Call, error: ShiftbossError) -> int:
    if call.json:
        print_document({"error": "not fetched", "what": str(error), "exit_code": NEEDED})
    else:
        text = f"shiftboss: {clean(error)} What was downloaded so far is kept; correct that and say it again."
        sys.stderr.write("\n".join(wrap(text, WIDTH, hang=2)) + "\n")
    return NEEDED


def _verify(call: Call, session: Session) -> int:
    found, damaged = caching.held(session), caching.damaged(session)
    code = NEEDED if damaged or not found else 0
    if call.json:
        plain = [{"folder": str(one.folder), "name": one.name, "files": list(one.files)} for one in damaged]
        print_document({"checked": sum(len(one.files) for one in found), "damaged": plain, "exit_code": code})
        return code
    for one in damaged:
        write(wrap(_told(one), WIDTH, hang=2))
    if damaged:
        write(wrap(_MEND, WIDTH))
    elif not found:
        write([f"Nothing is cached in {clean(session.settings.cache.folder.absolute())}", *wrap(_FILL, WIDTH)])
    elif not call.quiet:
        write([f"{sum(len(one.files) for one in found)} files, all as they were recorded."])
    return code


def _told(one: Damage) -> str:
    if not one.files:
        return f"{clean(one.name)}: the list of its files is not there or can't be read ({one.folder})"
    return f"{clean(one.name)}: gone or altered in {one.folder}: {', '.join(map(clean, one.files))}"
