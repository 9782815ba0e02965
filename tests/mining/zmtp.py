"""A ZeroMQ subscriber of forty lines (ZMTP 3.0, mechanism NULL), so that no test needs a library for it.

RFC 23/ZMTP: greeting, READY command, then frames of flags, length, body. Subscribing is a message that begins with 1.
"""

import socket
import struct

MORE, LONG, COMMAND = 1, 2, 4
GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + b"\x00" + bytes(31)
READY = b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", 3) + b"SUB"


class Subscriber:
    """A connection that hears of one topic."""

    def __init__(self, port: int, topic: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.sendall(GREETING)
        assert self._exactly(64)[:1] == b"\xff"
        self._send(READY, flags=COMMAND)
        flags, body = self._frame()
        assert flags & COMMAND
        assert body.startswith(b"\x05READY")
        self._send(b"\x01" + topic)

    def message(self) -> list[bytes]:
        """The frames of the next message."""
        frames = []
        while True:
            flags, body = self._frame()
            if not flags & COMMAND:
                frames.append(body)
                if not flags & MORE:
                    return frames

    def close(self) -> None:
        self._socket.close()

    def _send(self, body: bytes, flags: int = 0) -> None:
        self._socket.sendall(bytes((flags, len(body))) + body)

    def _frame(self) -> tuple[int, bytes]:
        flags = self._exactly(1)[0]
        size = struct.unpack(">Q", self._exactly(8))[0] if flags & LONG else self._exactly(1)[0]
        return flags, self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self._socket.recv(size - len(found))
            assert part, "the publisher closed the connection"
            found += part
        return found
