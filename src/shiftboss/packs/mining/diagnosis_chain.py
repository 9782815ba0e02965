"""Did the chain go back while the daemon was down? A daemon that is killed forgets its last blocks without a word.

Each start notes the height that the daemon had when it ended, read off its own log (or our note, chain.json, that
funding and proof write). A running daemon below that height, which has not reached it since its start, has lost data.
A user who takes blocks back in a running daemon lowers what its log says, so that is no loss. Only chains whose blocks
we make are judged: elsewhere the peers have them too.
"""

import json
import re
from typing import Any

from shiftboss.packs.mining.chains import everybody_mines
from shiftboss.packs.mining.diagnosis import Finding, lost
from shiftboss.packs.mining.diagnosis_start import log_since, note_of, own_log, rewrite_note
from shiftboss.packs.mining.layout import DAEMON, layout, read_json
from shiftboss.system.files import write_atomic
from shiftboss.system.rpc import Rpc
from shiftboss.system.workbench import Workbench

LOG_BYTES = 4 * 1024 * 1024
_TIP = re.compile(r"(?:UpdateTip: new best|Loaded best chain: hashBestChain)=[0-9a-f]+ height=(\d+)")
_LOADED = re.compile(r"(?:initload|loadblk) thread exit")


def expected_height(bench: Workbench) -> int:
    """The height that a daemon started now must come back to."""
    if not everybody_mines(bench) or not (layout(bench).chain_data / "blocks").is_dir():
        return 0
    note = note_of(bench, DAEMON)
    before = int(note.get("expected") or 0) if note else int(read_json(layout(bench).chain_note).get("height", 0))
    return carried(before, heights(log_since(bench, DAEMON, LOG_BYTES)))


def carried(before: int, seen: list[int]) -> int:
    """What was expected before, and the tips since: once it was reached, the last tip counts."""
    if not seen:
        return before
    return seen[-1] if max(seen) >= before else max(before, seen[-1])


def heights(log: str) -> list[int]:
    """The heights of all tips that a daemon's log tells of, oldest first."""
    return [int(height) for height in _TIP.findall(log)]


def judge(bench: Workbench, height: int) -> tuple[Finding | None, str]:
    """What is wrong with the height of a running daemon, or what it is still busy with; mostly neither."""
    note = note_of(bench, DAEMON)
    expected = int(note.get("expected") or 0)
    rebuilding = "-reindex" in " ".join(note.get("once") or ())
    if height >= expected and not rebuilding:
        return None, ""
    log = log_since(bench, DAEMON, LOG_BYTES)
    if own_log(bench).is_file() and not _LOADED.search(log):
        return None, "the daemon is building its chain from the blocks on disk"
    if height >= expected or max(heights(log), default=0) >= expected:
        return None, ""  # blocks were taken back since: its user's will
    return lost(expected, height), ""


async def remember(bench: Workbench, node: Rpc) -> None:
    """Note the chain's tip; for those who have just made blocks that matter."""
    tip = await node.call("getbestblockhash")
    height = int((await node.call("getblockheader", tip))["height"])
    _write(bench, {"height": height, "hash": tip})


def accept(bench: Workbench, height: int) -> str | None:
    """Take this height as right from now on, although there was more once; the change made, in words. Idempotent.

    For recovery: a person has accepted the loss, or the data was moved aside on purpose.
    """
    places, changed = layout(bench), False
    note = note_of(bench, DAEMON)
    if int(note.get("expected") or 0) > height:
        rewrite_note(bench, DAEMON, {**note, "expected": height})
        changed = True
    known = read_json(places.chain_note)
    if int(known.get("height", 0)) > height:
        _write(bench, {"height": height, "hash": "", "accepted": {"height": height, "at": bench.clock.now()}})
        changed = True
    return f"accepted height {height} as the chain's" if changed else None


def _write(bench: Workbench, note: dict[str, Any]) -> None:
    write_atomic(layout(bench).chain_note, json.dumps(note))
