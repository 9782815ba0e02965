"""chaos: put faults into a stack, take them away, list them, and run them against the hub."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shiftboss.app import Session
from shiftboss.chaos.inject import active, catalogue, clear, inject
from shiftboss.errors import BadInput
from shiftboss.frontends.arguments import Call, wrong
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.plain import table_lines, write
from shiftboss.frontends.session import session_of
from shiftboss.frontends.tables import Table
from shiftboss.frontends.text import clean

RUNS = 200
"""Simulated runs where nobody says how many."""


def chaos(call: Call) -> int:
    """`list`, `inject NAME...`, `clear [NAME...]` or `run`; the exit code."""
    works = {"list": _list, "inject": _inject, "clear": _clear, "run": _run}
    return works[call.more["action"]](call)


def _list(call: Call) -> int:
    """All faults, and which of them are in."""
    session = session_of(call)
    present = {note["name"] for note in active(session) if note["environment"] in session.benches}
    rows = [
        {
            "name": fault.name,
            "what": fault.what,
            "component": fault.component,
            "moment": str(fault.moment),
            "kinds": [str(kind) for kind in fault.kinds],
            "mended_by": list(fault.mended_by),
            "ending": str(fault.ending),
            "control": fault.control,
            "active": fault.name in present,
        }
        for fault in catalogue(session.pack).values()
    ]
    if call.json:
        print_document(rows)
        return 0
    told = [(str(row["name"]), str(row["moment"]), _mark(row) + str(row["what"])) for row in rows]
    write(table_lines(Table(title="Faults", heads=("name", "stack must be", "what it is"), rows=told)))
    return 0


def _mark(row: dict[str, Any]) -> str:
    return "IN NOW: " if row["active"] else "control: " if row["control"] else ""


def _inject(call: Call) -> int:
    """Put faults in, in the order given."""
    session, names = session_of(call), _names(call)
    if not names:
        raise BadInput([wrong("no fault is named", "shiftboss chaos list shows them")])
    new = [name for name in names if inject(session, name)]
    said = [f"{name} is in." if name in new else f"{name} was in already, or needs nothing done." for name in names]
    return _answer(call, session, said, injected=new)


def _clear(call: Call) -> int:
    """Take faults away: those named, or all."""
    session, names = session_of(call), _names(call)
    known = catalogue(session.pack)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BadInput([wrong(f"there is no fault {unknown[0]!r}", "shiftboss chaos list shows them")])
    gone = [one for name in names for one in clear(session, name)] if names else clear(session)
    said = [f"{name} is taken away." for name in gone] or ["No such fault is in."]
    return _answer(call, session, said, cleared=gone)


def _run(call: Call) -> int:
    """Run faults and draw the scorecard; on the simulated stack unless the real one is asked for."""
    import json
    from tempfile import TemporaryDirectory

    out: str | None = call.more.get("out")
    if not call.json:
        return _score(call, Path(out) if out else None)
    with TemporaryDirectory() as folder:
        place = Path(out or folder)
        code = _score(call, place)
        print_document(json.loads((place / "scorecard.json").read_text()))
    return code


def _score(call: Call, out: Path | None) -> int:
    from shiftboss.chaos.scorecard import run_command

    more, silent = call.more, call.quiet or call.json
    return run_command(
        simulated=bool(more.get("simulated")) or not more.get("real"),
        real=bool(more.get("real")),
        seed=int(more.get("seed") or 0),
        runs=_runs(more.get("runs", RUNS)),
        faults=[name.strip() for name in (more.get("faults") or "").split(",") if name.strip()],
        out=out,
        say=lambda text: None if silent else write(text.splitlines()),
    )


def _runs(wanted: int) -> int:
    if wanted < 1:
        raise BadInput([wrong(f"--runs {wanted}: there is nothing to run", "Give a number from 1")])
    return wanted


def _names(call: Call) -> list[str]:
    return list(call.more.get("names") or ())


def _answer(call: Call, session: Session, said: Sequence[str], **facts: Sequence[str]) -> int:
    if call.json:
        print_document({**facts, "active": [note["name"] for note in active(session)]})
    elif not call.quiet:
        write(map(clean, said))
    return 0
