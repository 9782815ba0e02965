"""Hash loops of the miner: one in the program's own event loop, or one child process per thread.

With one thread the loop runs in slices of some milliseconds between the events of the connection: no process to
start and none to lose. More threads need processes, because Python hashes on one core per process.
A child reads its orders from a pipe and ends when the pipe does, so it can't outlive a killed parent.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Protocol

from shiftboss.packs.mining.stratum.hashing import SLICE, Work, search

#: Called with the number of the order and each nonce found for it. Must return at once.
Found = Callable[[int, int], None]

_CHILD = "shiftboss.packs.mining.stratum.hash_child"


class Lane(Protocol):
    """One hash loop. It works on its newest order and reports every nonce that meets the target."""

    async def run(self) -> None:
        """Hash until cancelled."""
        ...

    def give(self, number: int, work: Work | None) -> None:
        """Replace the order; None means rest."""
        ...


class InlineLane:
    """A hash loop in slices inside the event loop."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._number = 0
        self._work: Work | None = None
        self._nonce = 0
        self._changed = asyncio.Event()

    def give(self, number: int, work: Work | None) -> None:
        """Replace the order; None means rest."""
        self._number, self._work, self._nonce = number, work, 0
        self._changed.set()

    async def run(self) -> None:
        """Hash until cancelled."""
        while True:
            if self._work is None or self._nonce >= 1 << 32:
                self._changed.clear()
                await self._changed.wait()
            else:
                self._slice(self._work)
                await asyncio.sleep(0)  # lets the connection have its turn

    def _slice(self, work: Work) -> None:
        nonce = search(work, self._nonce, SLICE)
        self._nonce = self._nonce + SLICE if nonce is None else nonce + 1
        if nonce is not None:
            self._found(self._number, nonce)


class ChildLane:
    """A hash loop in a child process."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._order = b"0 rest\n"
        self._pipe: asyncio.StreamWriter | None = None

    def give(self, number: int, work: Work | None) -> None:
        """Replace the order; None means rest."""
        text = "rest" if work is None else f"{work.prefix.hex()} {work.target:x}"
        self._order = f"{number} {text}\n".encode()
        self._send()

    async def run(self) -> None:
        """Keep a child hashing until cancelled; one that dies is replaced."""
        while True:
            await self._one_life()
            await asyncio.sleep(0.5)

    async def _one_life(self) -> None:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(sys.executable, "-m", _CHILD, stdin=pipe, stdout=pipe)
        self._pipe = child.stdin
        try:
            self._send()
            while child.stdout is not None and (line := await child.stdout.readline()):
                number, nonce = line.split()
                self._found(int(number), int(nonce))
        finally:
            self._pipe = None
            if child.returncode is None:
                child.kill()
            await child.wait()

    def _send(self) -> None:
        if self._pipe is not None and not self._pipe.is_closing():
            self._pipe.write(self._order)
