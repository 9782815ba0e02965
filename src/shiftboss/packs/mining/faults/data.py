"""Faults of the daemon's data: damaged or missing files, a held lock, a folder that is gone or may not be written.

Damage is done while the stack is stopped cleanly: with a running daemon the good data is still in its memory and the
damage would mean nothing. What is overwritten or moved is kept, so that `clear` can bring it back.
"""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from shiftboss.errors import Refused
from shiftboss.model.failure import FailureKind
from shiftboss.model.fault import ENSURE, Fault, Moment
from shiftboss.model.run import Ending
from shiftboss.packs.mining.faults.foreign import daemon_beside, free_port, marks_for
from shiftboss.packs.mining.faults.keeping import Note, load, overwrite, pending, put_back, save, take_away
from shiftboss.packs.mining.faults.parts import must_be_down, program
from shiftboss.packs.mining.layout import DAEMON, layout
from shiftboss.system.workbench import Workbench

_HERE = "shiftboss.packs.mining.faults.data"
_CLEAR = f"{_HERE}:bring_back"
_END_ALL = "shiftboss.packs.mining.faults.foreign:end_all"

_DAMAGED = (FailureKind.DATA_DAMAGED,)
_LOST = (FailureKind.DATA_DAMAGED, FailureKind.DATA_LOST)
_REPAIR = ("reindex", ENSURE)
_REPAIR_OR_RESET = ("reindex", "reset_environment", ENSURE)

DATA_FAULTS = (
    Fault(
        name="block_index_corrupt",
        what="the index of the blocks is overwritten at its head",
        component="daemon",
        moment=Moment.STOPPED,
        kinds=_DAMAGED,
        mended_by=_REPAIR,
        inject=f"{_HERE}:damage_index",
        clear=_CLEAR,
        cures=("reindex", "reset_environment"),
    ),
    Fault(
        name="undo_file_corrupt",
        what="the undo data (rev) of the last blocks is overwritten",
        component="daemon",
        moment=Moment.STOPPED,
        kinds=_DAMAGED,
        mended_by=_REPAIR,
        inject=f"{_HERE}:damage_undo",
        clear=_CLEAR,
        cures=("reindex", "reset_environment"),
    ),
    Fault(
        name="chainstate_corrupt",
        what="the chain state is overwritten at its head",
        component="daemon",
        moment=Moment.STOPPED,
        kinds=_DAMAGED,
        mended_by=_REPAIR,
        inject=f"{_HERE}:damage_chainstate",
        clear=_CLEAR,
        cures=("reindex", "reset_environment"),
    ),
    Fault(
        name="block_file_corrupt",
        what="the block file is overwritten near the tip: no repair brings those blocks back",
        component="daemon",
        moment=Moment.STOPPED,
        kinds=_LOST,
        mended_by=_REPAIR_OR_RESET,
        inject=f"{_HERE}:damage_blocks",
        clear=_CLEAR,
        cures=("reset_environment",),
    ),
    Fault(
        name="block_file_gone",
        what="the block file is gone: no repair brings the chain back",
        component="daemon",
        moment=Moment.STOPPED,
        kinds=_LOST,
        mended_by=_REPAIR_OR_RESET,
        inject=f"{_HERE}:remove_blocks",
        clear=_CLEAR,
        cures=("reset_environment",),
    ),
    Fault(
        name="data_folder_missing",
        what="the daemon's whole data folder is gone, wallet and all",
        component="wallet",
        moment=Moment.STOPPED,
        kinds=(FailureKind.WALLET_MISSING,),
        mended_by=("restore_wallet", "reset_environment", ENSURE),
        inject=f"{_HERE}:remove_folder",
        clear=_CLEAR,
        cures=("restore_wallet", "reset_environment"),
    ),
    Fault(
        name="data_folder_unwritable",
        what="the daemon's data folder may not be written",
        component="daemon",
        moment=Moment.STOPPED,
        kinds=(FailureKind.PERMISSION,),
        mended_by=(ENSURE,),
        ending=Ending.ESCALATED,
        inject=f"{_HERE}:forbid_writing",
        clear=f"{_HERE}:allow_writing",
    ),
    Fault(
        name="data_folder_locked",
        what="a foreign daemon runs on our data folder and holds its lock",
        component="daemon",
        moment=Moment.STOPPED,
        kinds=(FailureKind.LOCKED,),
        mended_by=(ENSURE,),
        ending=Ending.NEEDS_APPROVAL,
        inject=f"{_HERE}:lock_foreign",
        clear=_END_ALL,
        cures=("stop_holder",),
    ),
    Fault(
        name="data_folder_locked_orphan",
        what="a left-over daemon of ours holds the lock of our data folder",
        component="daemon",
        moment=Moment.STOPPED,
        kinds=(FailureKind.PORT_ORPHAN,),
        mended_by=("stop_orphan", ENSURE),
        inject=f"{_HERE}:lock_orphan",
        clear=_END_ALL,
        cures=("stop_orphan",),
    ),
)

_HEAD = 64
_END = 4000
"""Bytes at the end of what is used of a file: some ten blocks."""

FORBIDDEN = "forbidden.json"


def damage_index(bench: Workbench, note: Note) -> None:
    """Overwrite the head of the block index's manifest."""
    _scribble(bench, note, _found(bench, "blocks/index/MANIFEST-*"), 0, _HEAD)


def damage_chainstate(bench: Workbench, note: Note) -> None:
    """Overwrite the head of the chain state's manifest."""
    _scribble(bench, note, _found(bench, "chainstate/MANIFEST-*"), 0, _HEAD)


def damage_undo(bench: Workbench, note: Note) -> None:
    """Overwrite the undo data of the last blocks, which a daemon checks when it starts."""
    _scribble_end(bench, note, "blocks/rev00000.dat")


def damage_blocks(bench: Workbench, note: Note) -> None:
    """Overwrite the last blocks in the block file."""
    _scribble_end(bench, note, "blocks/blk00000.dat")


def remove_blocks(bench: Workbench, note: Note) -> None:
    """Take the block file away."""
    must_be_down(bench, DAEMON)
    for path in _found(bench, "blocks/blk00000.dat"):
        take_away(note, path)


def remove_folder(bench: Workbench, note: Note) -> None:
    """Take the daemon's data folder away."""
    must_be_down(bench, DAEMON)
    take_away(note, layout(bench).data)


def bring_back(bench: Workbench, note: Note) -> None:
    """Bring back what still is as the fault left it; idempotent.

    Raises:
        Refused: the daemon runs and may be using it.
    """
    if pending(note):
        must_be_down(bench, DAEMON)
    put_back(bench, note)


def forbid_writing(bench: Workbench, note: Note) -> None:
    """Make the daemon's data folder read-only: by its permissions, and for root (whom they do not bind) by a mount."""
    must_be_down(bench, DAEMON)
    data = layout(bench).data
    folders = [data, *(path for path in data.rglob("*") if path.is_dir())]
    mounted = os.geteuid() == 0
    modes = [{"path": str(path), "mode": path.stat().st_mode & 0o777, "mounted": mounted} for path in folders]
    save(note, FORBIDDEN, modes)
    if mounted:
        _mount("--bind", str(data), str(data))
        _mount("-o", "remount,ro,bind", str(data))
        return
    for path in reversed(folders):
        path.chmod(0o500)


def allow_writing(_bench: Workbench, note: Note) -> None:
    """Make the data folder writable again; idempotent."""
    entries = load(note, FORBIDDEN)
    while entries and entries[0]["mounted"] and _is_mounted(entries[0]["path"]):
        subprocess.run(["umount", entries[0]["path"]], check=True, capture_output=True)  # noqa: S607 - the system's own
    for entry in entries:
        if not entry["mounted"] and Path(entry["path"]).is_dir():
            Path(entry["path"]).chmod(entry["mode"])


def lock_foreign(bench: Workbench, note: Note) -> None:
    """Start a foreign daemon on our data folder."""
    must_be_down(bench, DAEMON)
    daemon_beside(note, Path(program(bench)), layout(bench).data, free_port(*bench.ports.values()))


def lock_orphan(bench: Workbench, note: Note) -> None:
    """Start a daemon on our data folder that looks like a left-over of ours."""
    must_be_down(bench, DAEMON)
    port, marks = free_port(*bench.ports.values()), marks_for(bench, DAEMON)
    daemon_beside(note, Path(program(bench)), layout(bench).data, port, marks)


def _found(bench: Workbench, pattern: str) -> list[Path]:
    found = sorted(layout(bench).chain_data.glob(pattern))
    if not found:
        raise Refused(f"There is no {pattern} in {layout(bench).chain_data}. Bring the stack up once and down again.")
    return found


def _scribble(bench: Workbench, note: Note, paths: Iterable[Path], at: int, length: int) -> None:
    must_be_down(bench, DAEMON)
    for path in paths:
        overwrite(note, path, b"\xde\xad" * (length // 2), at)


def _scribble_end(bench: Workbench, note: Note, pattern: str) -> None:
    files = _found(bench, pattern)
    used = len(files[0].read_bytes().rstrip(b"\0"))  # the file is made longer than what is in it
    _scribble(bench, note, files, max(0, used - _END), min(used, _END))


def _is_mounted(path: str) -> bool:
    """Whether something is mounted there; a folder mounted on itself is not seen by comparing devices (proc(5))."""
    rows = Path("/proc/self/mountinfo").read_text().splitlines()
    return str(Path(path).resolve()) in {row.split()[4] for row in rows}


def _mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)  # noqa: S607 - the system's own
    if done.returncode != 0:
        raise Refused(f"The system does not let us mount, so this fault can't be put in here: {done.stderr.strip()}")
