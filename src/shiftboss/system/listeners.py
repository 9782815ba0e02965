"""Which TCP sockets of this machine listen, asked of the kernel.

Used by system/net.py only. The quick way is netlink (sock_diag(7)), which walks the listening sockets alone: 0.1 ms.
Where that is not allowed the tables under /proc/net are read (proc(5)): some milliseconds, for the kernel then walks
all connections. Both see the sockets of every user, but not who holds them.
"""

import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_AND_DUMP = 0x301
_MESSAGE_ERROR = 2
_MESSAGE_DONE = 3
_MESSAGE_HEADER = struct.Struct("=IHHII")
_STATE_LISTEN = 10
_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_TABLES = ((4, Path("/proc/net/tcp")), (16, Path("/proc/net/tcp6")))


class Listener(NamedTuple):
    """One listening socket."""

    address: bytes  #: 4 or 16 bytes, most significant first
    port: int
    inode: int


def listeners() -> list[Listener]:
    """All listening TCP sockets, IPv4 and IPv6."""
    try:
        return [one for family in _FAMILIES for one in _ask_kernel(family)]
    except OSError:
        return [one for size, table in _TABLES for one in _read_table(size, table)]


def _ask_kernel(family: int) -> Iterator[Listener]:
    request = struct.pack("=BBBBI48x", family, socket.IPPROTO_TCP, 0, 0, 1 << _STATE_LISTEN)
    header = _MESSAGE_HEADER.pack(_MESSAGE_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST_AND_DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(1.0)
        kernel.send(header + request)
        while True:
            answer = kernel.recv(65536)
            for kind, body in _messages(answer):
                if kind == _MESSAGE_DONE:
                    return
                if kind == _MESSAGE_ERROR:
                    code: int = struct.unpack_from("=i", body)[0]
                    raise OSError(-code, "the kernel does not list its sockets")
                yield _from_message(body)


def _messages(answer: bytes) -> Iterator[tuple[int, bytes]]:
    while answer:
        length, kind, *_ = _MESSAGE_HEADER.unpack_from(answer)
        yield kind, answer[_MESSAGE_HEADER.size : length]
        answer = answer[(length + 3) & ~3 :]


def _from_message(body: bytes) -> Listener:
    """Read a struct inet_diag_msg: family, state, timer, retrans, ports, addresses, ..., inode."""
    (port,) = struct.unpack_from("!H", body, 4)
    (inode,) = struct.unpack_from("=I", body, 68)
    return Listener(address=body[8:12] if body[0] == socket.AF_INET else body[8:24], port=port, inode=inode)


def _read_table(size: int, table: Path) -> Iterator[Listener]:
    """Read /proc/net/tcp or tcp6: addresses are words in the machine's byte order, in hex."""
    try:
        rows = table.read_text(encoding="ascii").splitlines()[1:]
    except FileNotFoundError:  # a machine without IPv6
        return
    for row in rows:
        fields = row.split()
        address, _, port = fields[1].partition(":")
        if int(fields[3], 16) == _STATE_LISTEN:
            words = struct.unpack(f">{size // 4}I", bytes.fromhex(address))
            yield Listener(address=struct.pack(f"={size // 4}I", *words), port=int(port, 16), inode=int(fields[9]))
