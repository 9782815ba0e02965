"""The daemon repairs its own data, and what came out is compared with what there was (strategy reindex).

That the daemon starts again is no proof: a damaged block file ends the chain at the damage, without an error. So the
height afterwards is compared with the best one we know of, and the folder is copied before, to be put back.
"""

import re
from pathlib import Path

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation
from shiftboss.model.observation import Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining import daemon
from shiftboss.packs.mining.diagnosis_chain import expected_height
from shiftboss.packs.mining.layout import DAEMON, adopted, layout, rpc
from shiftboss.packs.mining.recoveries.holders import need_folder
from shiftboss.packs.mining.recoveries.steps import look_first, records
from shiftboss.system.files import free_bytes, read_text_tail, size_of
from shiftboss.system.rpc import RpcFailure
from shiftboss.system.workbench import Workbench

WHOLE, CHAINSTATE = "-reindex", "-reindex-chainstate"

SPARE_BYTES = 60_000_000
"""With less than 50 MB the daemon does not start."""

_POLL_SECONDS = 0.1
_STILL_SECONDS = 10.0
"""A height that has not changed for so long is final, should the daemon's own word for that be missing."""

_LOADED = re.compile(r"(?:initload|loadblk) thread exit")


async def reindex(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Copy the chain's folder, let the daemon repair it, and compare the heights.

    Raises:
        Failed: no room (NO_SPACE), the folder is held (LOCKED), or blocks are gone for good (DATA_LOST).
    """
    if adopted(bench):
        raise Failed(FailureKind.EXTERNAL_DOWN, "the daemon is yours: repair its data yourself, with -reindex")
    seen = await look_first(order, bench)
    if seen is None:
        return done("the daemon's data is well again")
    before = best_height(bench, seen)
    _need_room(bench)
    for path in records(bench, DAEMON):
        bench.undo.register_file(order.id, path)
    changes += (await daemon.stop(bench)).changes
    need_folder(bench)
    how = CHAINSTATE if seen.evidence.get("part") == "chainstate" and order.attempt == 1 else WHOLE
    copied = _copy(order, bench, changes)
    logged = size_of(_debug_log(bench))
    await _start(bench, how, changes)
    after = await _final_height(bench, before, logged)
    return _compared(before, after, how, copied)


def best_height(bench: Workbench, seen: Observation) -> int | None:
    """The height that the chain is known to have had, by all evidence there is; None when there is none."""
    told = seen.evidence.get("height_before")
    return max(expected_height(bench), told if isinstance(told, int) else 0) or None


def _need_room(bench: Workbench) -> None:
    data = layout(bench).chain_data
    needed = SPARE_BYTES + size_of(data / "chainstate") + size_of(data / "blocks" / "index")
    free = free_bytes(data)
    if free < needed:
        message = f"a repair needs {needed // 1_000_000} MB on the disk of {data}, and {free // 1_000_000} MB are free"
        raise Failed(FailureKind.NO_SPACE, message, {"free": free, "needed": needed})


def _copy(order: Delegation, bench: Workbench, changes: list[str]) -> bool:
    """Copy the chain's folder where it fits in half of the free space; whether it did."""
    data = layout(bench).chain_data
    size = size_of(data)
    if size > free_bytes(data) / 2:
        bench.warn(f"{data} ({size // 1_000_000} MB) is too large to be copied before its repair")
        return False
    bench.undo.register_folder(order.id, data)
    changes.append(f"copied {data} ({size // 1_000_000} MB), to be put back if the repair fails")
    return True


async def _start(bench: Workbench, how: str, changes: list[str]) -> None:
    try:
        changes += (await daemon.start(bench, once=(how,))).changes
    except Failed as error:
        # A living daemon that is slow to read its blocks again, or ends lower than it was, is judged by its height.
        if error.kind not in (FailureKind.DATA_LOST, FailureKind.TIMEOUT) or bench.processes.find(DAEMON) is None:
            raise
        changes += error.changes


async def _final_height(bench: Workbench, before: int | None, offset: int) -> int:
    """The height when the daemon has read all its blocks again; the order's deadline ends the wait.

    Raises:
        Failed: the daemon ended meanwhile.
    """
    height, since = -1, bench.clock.monotonic()
    while True:
        now = await _height(bench)
        if now != height:
            height, since = now, bench.clock.monotonic()
        if before is not None and height >= before:
            return height
        if height >= 0 and (_imported(bench, offset) or bench.clock.monotonic() - since > _STILL_SECONDS):
            return await _height(bench)
        await bench.clock.sleep(_POLL_SECONDS)


async def _height(bench: Workbench) -> int:
    """The height the daemon tells; -1 while it can't be asked."""
    try:
        return int(await rpc(bench).call("getblockcount"))
    except RpcFailure as error:
        if bench.processes.find(DAEMON) is None:
            raise Failed(FailureKind.DATA_DAMAGED, f"the daemon ended during its repair: {error}") from error
        return -1


def _imported(bench: Workbench, offset: int) -> bool:
    """Whether the daemon has said that it read all its blocks, since the log was `offset` bytes long."""
    log = _debug_log(bench)
    size = size_of(log)
    return size > offset and _LOADED.search(read_text_tail(log, size - offset)) is not None


def _compared(before: int | None, after: int, how: str, copied: bool) -> Outcome:
    facts = {"height_before": before, "height_after": after, "repair": how, "copied": copied}
    if before is not None and after < before:
        raise Failed(FailureKind.DATA_LOST, f"height {after} after the repair ({how}), {before} before", facts)
    known = "an unknown height" if before is None else str(before)
    return done(f"the daemon repaired its data ({how}): height {after}, {known} before", **facts)


def _debug_log(bench: Workbench) -> Path:
    return layout(bench).chain_data / "debug.log"
