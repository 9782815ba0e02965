"""Faults of the disk: it is full, by what is not ours or by our own left-overs.

They need a disk of their own for the working directory (chaos/real.py gives it a small tmpfs): to fill the disk of a
whole machine would harm others, and is refused.
"""

import asyncio
import contextlib
import os
from pathlib import Path

from shiftboss.errors import Refused
from shiftboss.model.failure import FailureKind
from shiftboss.model.fault import ENSURE, Fault, Moment
from shiftboss.model.run import Ending
from shiftboss.packs.mining.faults.foreign import until
from shiftboss.packs.mining.faults.keeping import Note, folder_of, load, save
from shiftboss.packs.mining.faults.parts import must_be_down, part
from shiftboss.packs.mining.layout import DAEMON, log_file, rpc
from shiftboss.system.files import free_bytes
from shiftboss.system.instance import alive
from shiftboss.system.rpc import RpcFailure
from shiftboss.system.workbench import Workbench

_HERE = "shiftboss.packs.mining.faults.space"
_CLEAR = f"{_HERE}:give_back"

SPACE_FAULTS = (
    Fault(
        name="disk_full_at_start",
        what="the disk is full of what is not ours when the stack is to start",
        component="daemon",
        moment=Moment.STOPPED,
        kinds=(FailureKind.NO_SPACE,),
        mended_by=("free_space", ENSURE),
        ending=Ending.ESCALATED,
        own_disk=True,
        inject=f"{_HERE}:fill",
        clear=_CLEAR,
    ),
    Fault(
        name="disk_full_running",
        what="the disk fills up under the running daemon, which aborts",
        component="daemon",
        kinds=(FailureKind.NO_SPACE, FailureKind.DIED),
        mended_by=("free_space", "restart_one", ENSURE),
        ending=Ending.ESCALATED,
        own_disk=True,
        inject=f"{_HERE}:fill_running",
        clear=_CLEAR,
        kills=("daemon",),
    ),
    Fault(
        name="disk_full_of_ours",
        what="the disk is full of our own rotated logs when the stack is to start",
        component="daemon",
        moment=Moment.STOPPED,
        kinds=(FailureKind.NO_SPACE,),
        mended_by=("free_space", ENSURE),
        own_disk=True,
        inject=f"{_HERE}:fill_with_logs",
        clear=_CLEAR,
        cures=("free_space",),
    ),
)

LEFT = 2_000_000
"""Bytes that stay free: enough to write a journal, far too little for a daemon (50 MB)."""

LARGEST = 2_000_000_000
"""A disk larger than this is no disk of the working directory's own."""

LOGS = 4
GIVEN = "logs.json"
_BLOCK = bytes(1_000_000)


def fill(bench: Workbench, note: Note) -> None:
    """Fill the disk with a file that is not shiftboss's."""
    must_be_down(bench, DAEMON)
    _own_disk(bench)
    _fill(folder_of(note) / "filler", free_bytes(bench.home) - LEFT)


def fill_running(bench: Workbench, note: Note) -> None:
    """Fill the disk under the daemon, and have it write its chain: it aborts."""
    instance = part(bench, DAEMON)
    _own_disk(bench)
    _fill(folder_of(note) / "filler", free_bytes(bench.home) - LEFT)
    with contextlib.suppress(RpcFailure):
        asyncio.run(rpc(bench, timeout=30.0).call("gettxoutsetinfo"))
    until(lambda: not alive(instance), "the daemon to abort")


def fill_with_logs(bench: Workbench, note: Note) -> None:
    """Fill the disk with rotated logs of ours."""
    must_be_down(bench, DAEMON)
    _own_disk(bench)
    save(note, GIVEN, [{"logs": True}])
    size = (free_bytes(bench.home) - LEFT) // LOGS
    for number in range(LOGS):
        log = log_file(bench, DAEMON)
        _fill(log.with_name(f"{log.name}.{number + 1}"), size)


def give_back(bench: Workbench, note: Note) -> None:
    """Remove what fills the disk; idempotent."""
    (Path(note["folder"]) / "filler").unlink(missing_ok=True)
    if load(note, GIVEN):
        log = log_file(bench, DAEMON)
        for number in range(LOGS):
            log.with_name(f"{log.name}.{number + 1}").unlink(missing_ok=True)


def _own_disk(bench: Workbench) -> None:
    """Refuse to fill a disk that others use.

    Raises:
        Refused: the working directory has no small disk of its own.
    """
    facts = os.statvfs(bench.home)
    if not bench.home.is_mount() or facts.f_blocks * facts.f_frsize > LARGEST:
        raise Refused(
            f"{bench.home} has no small disk of its own, and others' disks are not filled."
            " `shiftboss chaos run --real` gives it one where the system lets it mount a tmpfs."
        )


def _fill(path: Path, size: int) -> None:
    with path.open("wb") as file:
        while size > 0:
            size -= file.write(_BLOCK[:size])
