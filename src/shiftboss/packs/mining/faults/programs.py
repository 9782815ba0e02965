"""Faults of the private daemon program: gone, not runnable, or without a library it needs.

Only the program that shiftboss installed itself (in the working directory) is ever harmed, and by replacing files,
never by writing into them: the copy may share its files with another working directory.
"""

from pathlib import Path

from shiftboss.errors import Refused
from shiftboss.model.failure import FailureKind
from shiftboss.model.fault import ENSURE, Fault, Moment
from shiftboss.model.observation import Health
from shiftboss.packs.mining.binaries import daemon_program
from shiftboss.packs.mining.faults.keeping import Note, overwrite, take_away
from shiftboss.packs.mining.faults.parts import must_be_down
from shiftboss.packs.mining.layout import DAEMON
from shiftboss.system.workbench import Workbench

_HERE = "shiftboss.packs.mining.faults.programs"
_CLEAR = "shiftboss.packs.mining.faults.keeping:put_back"

PROGRAM_FAULTS = (
    Fault(
        name="binary_missing",
        what="the private daemon program is gone",
        component="daemon.binary",
        moment=Moment.STOPPED,
        mended_by=(ENSURE, "reinstall"),
        inject=f"{_HERE}:remove_program",
        clear=_CLEAR,
        breaks=Health.ABSENT,
        cures=(ENSURE, "reinstall"),
    ),
    Fault(
        name="binary_broken",
        what="the private daemon program was replaced by one that does not start",
        component="daemon.binary",
        moment=Moment.STOPPED,
        kinds=(FailureKind.MISSING_BINARY,),
        mended_by=(ENSURE, "reinstall"),
        inject=f"{_HERE}:break_program",
        clear=_CLEAR,
        cures=("reinstall",),
    ),
    Fault(
        name="library_missing",
        what="a private library of the daemon program is gone",
        component="daemon",
        moment=Moment.STOPPED,
        kinds=(FailureKind.MISSING_BINARY,),
        mended_by=("reinstall", ENSURE),
        inject=f"{_HERE}:remove_library",
        clear=_CLEAR,
        cures=("reinstall",),
    ),
)

_BROKEN = b"#!/bin/sh\necho 'cannot execute: required file not found' >&2\nexit 127\n"
_LIBRARY = "libstdc++.so.6"


def remove_program(bench: Workbench, note: Note) -> None:
    """Take the private daemon program away."""
    take_away(note, _private(bench))


def break_program(bench: Workbench, note: Note) -> None:
    """Replace the private daemon program by one that does not start."""
    overwrite(note, _private(bench), _BROKEN)


def remove_library(bench: Workbench, note: Note) -> None:
    """Take a library of the private daemon program away."""
    root = _private(bench).parent.parent
    found = sorted(root.rglob(_LIBRARY))
    if not found:
        raise Refused(f"There is no {_LIBRARY} below {root}.")
    for path in found:
        take_away(note, path)


def _private(bench: Workbench) -> Path:
    """The program of the working directory's own prefix.

    Raises:
        Refused: another program is used, which is not ours to harm; or the daemon runs.
    """
    must_be_down(bench, DAEMON)
    found = daemon_program(bench)
    if found is None or bench.home / "prefix" not in found.parents:
        raise Refused(f"The daemon program here ({found}) is not one that shiftboss installed into {bench.home}.")
    return found
