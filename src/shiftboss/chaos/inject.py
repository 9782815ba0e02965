"""Puts faults into the real stack of a working directory and takes them away again.

Called by `shiftboss chaos inject|clear|list` and by chaos/real.py. What is put in is written to HOME/chaos.json first,
so that `clear` works after a crash at any moment. Only the disposable chain (regtest) is ever harmed, and nothing that
is not of this working directory.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

from shiftboss.app import Session
from shiftboss.contracts import Pack
from shiftboss.errors import BadInput, Refused, ShiftbossError
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.fault import Fault
from shiftboss.system.files import ensure_private_folder, write_atomic
from shiftboss.system.workbench import Workbench

Note = dict[str, Any]
Act = Callable[[Workbench, Note], None]

DISPOSABLE = "regtest"
NOTES, FOLDER = "chaos.json", "chaos"


def catalogue(pack: Pack) -> dict[str, Fault]:
    """The faults of a pack by name, in its order; none where it brings none."""
    if not pack.faults:
        return {}
    module, _, name = pack.faults.partition(":")
    found: Sequence[Fault] = getattr(import_module(module), name)
    return {fault.name: fault for fault in found}


def together(pack: Pack) -> Sequence[str]:
    """The pairs of faults (joined by +) that a pack wants to see in real parts; none where it names none."""
    return getattr(import_module(pack.faults.partition(":")[0]), "TOGETHER", ()) if pack.faults else ()


def fault_named(pack: Pack, name: str) -> Fault:
    """The fault of that name.

    Raises:
        BadInput: there is none.
    """
    known = catalogue(pack)
    if name in known:
        return known[name]
    near = get_close_matches(name, known, 1)
    remedy = f"Did you mean {near[0]}?" if near else "shiftboss chaos list shows them"
    raise BadInput([Diagnostic(place="command line", what=f"there is no fault {name!r}", remedy=remedy)])


def inject(session: Session, name: str) -> bool:
    """Put a fault in; False when it is in already.

    Raises:
        BadInput: there is no such fault.
        Refused: the environment is not disposable, or the fault can't be put in here (with why).
    """
    fault = fault_named(session.pack, name)
    bench = _bench(session)
    notes = active(session)
    if any(note["name"] == name and _is_of(note, bench) for note in notes):
        return False
    if not fault.inject:
        return False  # a control: being healthy needs no help
    note = _note(session, bench, name)
    _write(session, [*notes, note])
    try:
        act(fault.inject)(bench, note)
    except ShiftbossError:
        clear(session, name)
        raise
    return True


def clear(session: Session, name: str | None = None) -> list[str]:
    """Take away one fault of the session's environments, or all that were put in there; their names. Idempotent.

    What somebody has mended meanwhile is left as it is.

    Raises:
        Refused: one of them can't be taken away now (with why); it stays noted.
    """
    cleared = list[str]()
    for note in reversed(active(session)):
        bench = next((one for one in session.benches.values() if _is_of(note, one)), None)
        if bench is None or name not in (None, note["name"]):
            continue
        fault = fault_named(session.pack, note["name"])
        if fault.clear:
            act(fault.clear)(bench, note)
        _write(session, [one for one in active(session) if one["id"] != note["id"]])
        _tidy(Path(note["folder"]))
        cleared.append(note["name"])
    return cleared


def active(session: Session) -> list[Note]:
    """The faults that were put into the working directory and not taken away, oldest first."""
    try:
        return json.loads((session.home / NOTES).read_text())
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise Refused(f"{session.home / NOTES} can't be read ({error}). Look at it, then remove it.") from error


def act(name: str) -> Act:
    """The function that `module:function` names."""
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)


def _bench(session: Session) -> Workbench:
    """The environment to harm.

    Raises:
        BadInput: it is not said which.
        Refused: its chain is worth something, or there is none.
    """
    if len(session.benches) > 1:
        what = f"there are several environments here: {', '.join(session.benches)}"
        raise BadInput([Diagnostic(place="command line", what=what, remedy="Name the one to harm with --env")])
    bench = next(iter(session.benches.values()))
    if bench.environment.chain != DISPOSABLE:
        raise Refused(
            f"Faults are put into {DISPOSABLE} only, and {bench.environment.name} is on {bench.environment.chain}."
        )
    if not session.home.is_dir():
        raise Refused(f"There is nothing in {session.home} yet. Bring the stack up first with `shiftboss up`.")
    return bench


def _is_of(note: Note, bench: Workbench) -> bool:
    """Whether a fault was put into that environment."""
    return note["environment"] == bench.environment.name


def _note(session: Session, bench: Workbench, name: str) -> Note:
    mark = os.urandom(4).hex()
    folder = session.home / FOLDER / f"{name}-{mark}"
    return {
        "id": f"{name}-{mark}",
        "name": name,
        "environment": bench.environment.name,
        "token": f"chaos-{mark}",
        "folder": str(ensure_private_folder(folder)),
        "at": round(time.time(), 3),
    }


def _tidy(folder: Path) -> None:
    """Remove a fault's folder, unless it still holds what was taken from the stack (records alone are no loss)."""
    if all(path.suffix == ".json" for path in folder.rglob("*") if path.is_file()):
        shutil.rmtree(folder, ignore_errors=True)


def _write(session: Session, notes: Sequence[Note]) -> None:
    path = Path(session.home / NOTES)
    if notes:
        write_atomic(path, json.dumps(list(notes), indent=1))
    else:
        path.unlink(missing_ok=True)
