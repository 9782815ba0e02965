"""Counts shares and blocks for the status page. Kept in memory only: the chain is the record that lasts."""

from collections import deque
from dataclasses import dataclass
from typing import Any

MAX_WORKERS = 5000  #: names counted one by one; later ones are counted together
MANY = "(others)"


@dataclass(kw_only=True)
class WorkerCount:
    """What one worker name has handed in."""

    shares: int = 0
    rejected: int = 0
    blocks: int = 0
    last_share: float | None = None  #: Unix seconds


@dataclass(frozen=True, kw_only=True)
class BlockNote:
    """One block handed to the daemon, and what it said."""

    height: int
    hash: str
    worker: str
    transactions: int  #: the coinbase included, as in getblock's nTx
    time: float
    result: str  #: "accepted", or the daemon's word against it


class Ledger:
    """The pool's counts since it started."""

    def __init__(self) -> None:
        self.shares = 0
        self.blocks_found = 0
        self.rejected: dict[int, int] = {}
        self.workers: dict[str, WorkerCount] = {}
        self.blocks: deque[BlockNote] = deque(maxlen=50)

    def accept(self, worker: str, now: float) -> None:
        """Count a good share."""
        self.shares += 1
        count = self._of(worker)
        count.shares += 1
        count.last_share = now

    def reject(self, worker: str, code: int) -> None:
        """Count a refused share under its code."""
        self.rejected[code] = self.rejected.get(code, 0) + 1
        if worker:
            self._of(worker).rejected += 1

    def note_block(self, note: BlockNote) -> None:
        """Keep what became of a block."""
        self.blocks.append(note)
        if note.result == "accepted":
            self.blocks_found += 1
            self._of(note.worker).blocks += 1

    def facts(self) -> dict[str, Any]:
        """The counts in the form of the status page."""
        return {
            "workers": {name: vars(count) for name, count in self.workers.items()},
            "shares": self.shares,
            "rejected": {str(code): number for code, number in sorted(self.rejected.items())},
            "blocks": [vars(note) for note in self.blocks],
            "blocks_found": self.blocks_found,
        }

    def _of(self, worker: str) -> WorkerCount:
        count = self.workers.get(worker)
        if count is None:
            name = worker if len(self.workers) < MAX_WORKERS else MANY
            count = self.workers.setdefault(name, WorkerCount())
        return count
