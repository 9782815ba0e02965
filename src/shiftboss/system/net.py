"""Who listens on a TCP port of this machine, whether something answers, and which port is free.

Used by probes (who holds our port?) and by the strategy that moves a port. Looks at
loopback and wildcard listeners only: others do not stand in our way.
"""

import asyncio
import contextlib
import socket
from collections.abc import Collection
from pathlib import Path

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.value import Value
from shiftboss.system import proc
from shiftboss.system.instance import Marks, marks_of
from shiftboss.system.listeners import listeners

_LOOPBACK_6 = bytes(15) + b"\x01"
_MAPPED_4 = bytes(10) + b"\xff\xff"  # RFC 4291: an IPv4 address in IPv6 form
_TRIES = 200
_LAST_PORT = 65535


class Holder(Value):
    """Who stands in the way of listening on a port."""

    pid: int | None  #: of the process that listens; None when we can't see it, or when nobody listens
    command: str
    marks: Marks | None  #: our marks, if we started it


def holder(port: int) -> Holder | None:
    """Who listens on a TCP port of the loopback or any address (IPv4 or IPv6); None when one could listen there.

    A port can be taken though nobody listens: by a connection that goes out from it, or a socket that is only bound.
    Such a holder has no pid, so that nobody is ended for it.
    """
    inodes = _inodes(port)
    if not inodes:
        return None if _can_bind(port) else Holder(pid=None, command="a connection", marks=None)
    found = [pid for pid in proc.pids() if inodes & proc.open_sockets(pid)]
    if not found:
        return Holder(pid=None, command="", marks=None)
    # A forked server shares its socket with its workers: the oldest is the one to talk about.
    pid = min(found, key=lambda pid: (proc.start_ticks(pid) or 0, pid))
    return Holder(pid=pid, command=proc.command(pid), marks=marks_of(pid))


def connected_to(pid: int, port: int) -> bool:
    """Whether a process has an established TCP connection to a port (IPv4)."""
    rows = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    fields = [row.split() for row in rows]
    inodes = {int(one[9]) for one in fields if one[3] == "01" and int(one[2].rpartition(":")[2], 16) == port}
    return bool(inodes and inodes & proc.open_sockets(pid))


async def can_connect(host: str, port: int, timeout: float) -> bool:  # noqa: ASYNC109  # the answer is False, not an error
    """Whether a TCP connection is accepted within `timeout` seconds; says nothing about who accepts it."""
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def free_port(preferred: int, avoid: Collection[int] = ()) -> int:
    """The preferred port if it is free, else the next free one upward, within 200.

    Raises:
        Failed: none of them is free (kind PORT_FOREIGN).
    """
    last = min(preferred + _TRIES, _LAST_PORT)
    for port in range(preferred, last + 1):
        if port not in avoid and not _inodes(port) and _can_bind(port):
            return port
    raise Failed(
        FailureKind.PORT_FOREIGN,
        f"No port is free between {preferred} and {last}; set another one with --set ports.NAME=NUMBER",
        {"preferred": preferred, "last": last, "avoided": sorted(avoid)},
    )


def free_ports(count: int) -> list[int]:
    """Distinct ports that are free now, as the kernel gives them out: for stacks that are thrown away."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are only waiting to be forgotten counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _inodes(port: int) -> frozenset[int]:
    """The listening sockets on a port that a client of 127.0.0.1 or ::1 could meet."""
    return frozenset(one.inode for one in listeners() if one.port == port and _is_local(one.address))


def _is_local(address: bytes) -> bool:
    """Whether an address is the wildcard or loopback (127.0.0.0/8 also in its IPv6 form)."""
    four = address.removeprefix(_MAPPED_4)
    return not any(address) or address == _LOOPBACK_6 or (len(four) == 4 and (four[0] == 127 or not any(four)))
