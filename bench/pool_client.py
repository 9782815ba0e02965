"""Many miners' connections in one process, as light as Python allows: the same for the pool and for the floor under it.

Lines are made before the clock starts; here they are only sent, and what comes back is counted and dated.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Self

YES, NO, NEW_TIP = b'"result": true', b'"result": null', b", true]}"
SUBSCRIBE = b'{"id": 1, "method": "mining.subscribe", "params": []}\n'


class Client(asyncio.Protocol):
    """One connection: sends its lines, each when the one before is answered; notes when it is told of a new tip."""

    def __init__(self) -> None:
        self.transport = asyncio.Transport()
        self.told = asyncio.Event()
        self.told_at = 0.0
        self.notify = b""  #: the last notify line
        self._rest = b""
        self._lines: deque[bytes] = deque()
        self._done: asyncio.Future[None] | None = None

    @classmethod
    async def connect(cls, port: int) -> Self:
        """A new connection."""
        _, client = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return client

    async def subscribe(self) -> None:
        """Until the first job (of a pool) is there."""
        self.transport.write(SUBSCRIBE)
        await self.told.wait()

    def take_over(self, transport: asyncio.Transport) -> None:
        """Go on with a connection that somebody else has opened."""
        transport.set_protocol(self)
        self.transport = transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody answers any more."""
        if self._done and not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("the server has closed the connection"))

    def hand_in(self, lines: Iterable[bytes]) -> asyncio.Future[None]:
        """Send lines one by one; done when the last is answered."""
        self._lines = deque(lines)
        self._done = asyncio.get_running_loop().create_future()
        self.transport.write(self._lines.popleft())
        return self._done

    def data_received(self, data: bytes) -> None:
        """Take each whole line."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if b"mining.notify" in line:
                self._told(line)
            elif YES in line:
                self._go_on()
            elif NO in line and self._done and not self._done.done():
                self._done.set_exception(RuntimeError(f"a good share was refused: {line.decode()}"))

    def _told(self, line: bytes) -> None:
        self.notify = line
        if line.endswith(NEW_TIP):
            self.told_at = time.perf_counter()
            self.told.set()

    def _go_on(self) -> None:
        if self._lines:
            self.transport.write(self._lines.popleft())
        elif self._done and not self._done.done():
            self._done.set_result(None)


async def told(clients: Sequence[Client], since: float) -> list[float]:
    """Seconds since a moment until each was told of a new tip; `told` is to be cleared before that moment."""
    async with asyncio.timeout(30):
        await asyncio.gather(*(one.told.wait() for one in clients))
    return [one.told_at - since for one in clients]
