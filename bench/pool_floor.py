"""The floor under the pool: an asyncio server that judges nothing, with lines as long as the pool's.

Each line is answered with one that says yes; a line `tip` makes it tell every client, as the pool tells of a new
block. bench/pool.py starts it in a process of its own, as the pool is, and reads its port:

    python bench/pool_floor.py BYTES_OF_A_NOTIFY_LINE
"""

import asyncio
import sys

ANSWER = b'{"id": 1000, "result": true, "error": null}\n'
"""What the pool says to a good share."""
TIP = b"tip\n"
"""Asks for the line that tells of a new block."""


def notify(size: int) -> bytes:
    """A line of so many bytes that a client takes for a notify line with `clean_jobs`."""
    head, tail = b'{"id": null, "method": "mining.notify", "params": ["', b'", true]}\n'
    return head + b"0" * (size - len(head) - len(tail)) + tail


class Echo(asyncio.Protocol):
    """One connection."""

    def __init__(self, clients: set["Echo"], line: bytes) -> None:
        self._clients = clients
        self._line = line
        self.transport = asyncio.Transport()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember it."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        del exc
        self._clients.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answer each line, or tell everybody."""
        if data == TIP:
            for client in self._clients:
                client.transport.write(self._line)
        else:
            self.transport.write(ANSWER * data.count(b"\n"))


async def main() -> None:
    """Listen on a free port, print it, and serve until killed."""
    clients: set[Echo] = set()
    line = notify(int(sys.argv[1]))
    server = await asyncio.get_running_loop().create_server(lambda: Echo(clients, line), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
