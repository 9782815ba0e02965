"""One hash loop in a process of its own: orders come on stdin, found nonces go to stdout.

Started by `lanes.ChildLane`. An order is a line `NUMBER PREFIX TARGET` (hex) or `NUMBER rest`; an answer is a line
`NUMBER NONCE`. The end of stdin ends the process within one slice: that is how it notices that its parent is gone, also
when the parent was killed.
"""

import os
import select
import signal
from contextlib import suppress

from shiftboss.packs.mining.stratum.hashing import SLICE, Work, search


class _ParentGone(Exception):
    """Nobody is left to hash for."""


class _Orders:
    """Reads orders from a file descriptor and keeps the newest."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._rest = b""
        self.number = 0
        self.work: Work | None = None

    def look(self, *, wait: bool) -> bool:
        """Take in what has come; true when there is a new order."""
        if not select.select([self._source], [], [], None if wait else 0)[0]:
            return False
        data = os.read(self._source, 65536)
        if not data:
            raise _ParentGone
        *lines, self._rest = (self._rest + data).split(b"\n")
        if lines:
            self._take(lines[-1].decode().split())
        return bool(lines)

    def _take(self, words: list[str]) -> None:
        self.number = int(words[0])
        self.work = None if words[1] == "rest" else Work(prefix=bytes.fromhex(words[1]), target=int(words[2], 16))


def main() -> None:
    """Hash until the parent is gone."""
    for number in (signal.SIGINT, signal.SIGUSR1):  # meant for the parent, also when the whole group gets them
        signal.signal(number, signal.SIG_IGN)
    with suppress(_ParentGone, BrokenPipeError):
        _hash(_Orders(0))


def _hash(orders: _Orders) -> None:
    nonce = 0
    while True:
        work = orders.work
        if orders.look(wait=work is None or nonce >= 1 << 32):
            nonce = 0
        elif work is not None:
            found = search(work, nonce, SLICE)
            nonce = nonce + SLICE if found is None else found + 1
            if found is not None:
                os.write(1, f"{orders.number} {found}\n".encode())


if __name__ == "__main__":
    main()
