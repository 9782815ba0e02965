"""Controls: things that look like trouble and are none. Whoever mends here does harm.

A control may allow `ensure` where the stack is down: bringing it up is the owner's work and not a repair.
"""

import asyncio
import contextlib

from shiftboss.model.fault import ENSURE, Fault, Moment
from shiftboss.model.observation import Health
from shiftboss.packs.mining.faults.keeping import Note, folder_of, overwrite
from shiftboss.packs.mining.faults.parts import ask, must_be_down, part
from shiftboss.packs.mining.layout import DAEMON, MINER, POOL, layout, log_file, rpc
from shiftboss.system.rpc import RpcFailure
from shiftboss.system.workbench import Workbench

_HERE = "shiftboss.packs.mining.faults.controls"
_CLEAR = "shiftboss.packs.mining.faults.keeping:put_back"
_ALL = ("daemon", "pool", "miner")

CONTROLS = (
    Fault(
        name="healthy",
        what="nothing is wrong",
        component="daemon",
        untouched=_ALL,
        control=True,
        breaks=Health.READY,
    ),
    Fault(
        name="frightening_log",
        what="the logs hold frightening lines (corruption, disk full, port in use), but all is well",
        component="daemon",
        untouched=_ALL,
        control=True,
        inject=f"{_HERE}:frighten",
        breaks=Health.READY,
    ),
    Fault(
        name="stale_lock_files",
        what="lock and pid files of processes that are long gone lie about in the data folder of a healthy stack",
        component="daemon",
        untouched=_ALL,
        control=True,
        inject=f"{_HERE}:leave_locks",
        clear=_CLEAR,
        breaks=Health.READY,
    ),
    Fault(
        name="lock_files_after_kill",
        what="the stopped daemon's data folder holds the .lock and pid file of a daemon that was killed",
        component="daemon",
        moment=Moment.STOPPED,
        mended_by=(ENSURE,),
        control=True,
        inject=f"{_HERE}:leave_locks_stopped",
        clear=_CLEAR,
        breaks=Health.READY,
    ),
    Fault(
        name="two_wallets",
        what="the daemon has a second wallet loaded that is not ours",
        component="wallet",
        untouched=_ALL,
        control=True,
        inject=f"{_HERE}:second_wallet",
        clear=f"{_HERE}:unload_second",
        breaks=Health.READY,
    ),
)

_DEAD_PID = "4194304"  # one more than the highest pid that Linux ever gives out (proc(5), pid_max)
_FRIGHTENING = """\
2026-01-01T00:00:00Z ERROR: Corrupted block database detected. Please restart with -reindex or -reindex-chainstate.
2026-01-01T00:00:00Z [error] A fatal internal error occurred, see debug.log for details: Disk space is too low!
2026-01-01T00:00:00Z Error: Unable to bind to 127.0.0.1: Address already in use (98)
2026-01-01T00:00:00Z Error: Cannot obtain a lock on directory. Bitcoin Knots is probably already running.
"""
_SECOND = "somebody-elses"


def frighten(bench: Workbench, _note: Note) -> None:
    """Write frightening lines into every log."""
    part(bench, DAEMON)
    logs = [log_file(bench, name) for name in (DAEMON, POOL, MINER)]
    for path in (*logs, layout(bench).chain_data / "debug.log"):
        with path.open("a") as file:
            file.write(_FRIGHTENING)


def leave_locks(bench: Workbench, note: Note) -> None:
    """Leave lock and pid files of nobody beside the running daemon's data."""
    part(bench, DAEMON)
    data = layout(bench).data
    overwrite(note, data / ".lock", b"")
    overwrite(note, data / "bitcoind.pid", _DEAD_PID.encode())


def leave_locks_stopped(bench: Workbench, note: Note) -> None:
    """Leave the lock and pid file that a killed daemon leaves."""
    must_be_down(bench, DAEMON)
    data = layout(bench).chain_data
    overwrite(note, data / ".lock", b"")
    overwrite(note, data / "bitcoind.pid", _DEAD_PID.encode())


def second_wallet(bench: Workbench, note: Note) -> None:
    """Make and load a second wallet, in the fault's own folder."""
    folder_of(note)
    ask(bench, "createwallet", _second(note), False, False, "", False, True, False)


def unload_second(bench: Workbench, note: Note) -> None:
    """Unload that wallet, if a daemon has it loaded; idempotent."""
    with contextlib.suppress(RpcFailure):
        asyncio.run(rpc(bench).call("unloadwallet", _second(note), False))


def _second(note: Note) -> str:
    return str(folder_of(note) / _SECOND)
