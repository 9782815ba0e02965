"""Reads what the kernel tells about processes under /proc (proc(5)); changes nothing.

Used by system/process.py and system/net.py. A process may end between two reads, so every reader answers None (or an
empty value) instead of raising when it is gone or belongs to somebody else.
"""

import functools
import os
from pathlib import Path
from typing import NamedTuple

ZOMBIE_STATES = frozenset("ZXx")


class Stat(NamedTuple):
    """The fields of /proc/PID/stat that identify and place a process; a tuple, for a scan makes hundreds of them."""

    state: str  #: one letter; Z is a zombie, T is stopped
    parent: int
    group: int
    session: int
    started: int  #: clock ticks since boot


def stat(pid: int) -> Stat | None:
    """State, family and start time of a process; None when there is none."""
    text = _read(pid, "stat")
    if text is None:
        return None
    # The name in brackets may hold blanks and brackets itself: what counts starts after the last one.
    fields = text.rpartition(b")")[2].split()
    if len(fields) < 20:
        return None
    return Stat(
        state=fields[0].decode(),
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        started=int(fields[19]),
    )


def start_ticks(pid: int) -> int | None:
    """When the process was started, in clock ticks since boot; with the pid it names one process for good."""
    found = stat(pid)
    return None if found is None else found.started


def state(pid: int) -> str | None:
    """The one-letter state: R, S, D, T (stopped), Z (zombie), ..."""
    found = stat(pid)
    return None if found is None else found.state


def is_running(pid: int) -> bool:
    """Whether there is such a process and it is not a zombie."""
    found = stat(pid)
    return found is not None and found.state not in ZOMBIE_STATES


def is_session_leader(pid: int) -> bool:
    """Whether the process leads its own session, as every process we spawn does."""
    found = stat(pid)
    return found is not None and found.session == pid


@functools.cache
def boot_id() -> str:
    """The id of this boot of the machine; start ticks of another boot mean nothing."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def environ(pid: int, *, having: str = "") -> dict[str, str] | None:
    """The environment the process was started with; None when it is gone or not ours to read.

    None also when it does not hold the variable `having`: most processes are dismissed quickly by that in a scan.
    """
    data = _read(pid, "environ")
    if data is None or f"{having}=".encode() not in data:
        return None
    pairs = (item.partition(b"=") for item in data.split(b"\0") if b"=" in item)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def command(pid: int) -> str:
    """The command line for people, words joined by blanks; empty when it can't be read."""
    data = _read(pid, "cmdline") or _read(pid, "comm") or b""
    return data.replace(b"\0", b" ").decode(errors="replace").strip()


def pids() -> tuple[int, ...]:
    """All process ids visible now, ascending."""
    return tuple(sorted(int(name) for name in _names("/proc") if name.isdigit()))


def open_sockets(pid: int) -> frozenset[int]:
    """Inodes of the sockets the process holds; empty when it is gone or not ours to read."""
    folder = f"/proc/{pid}/fd"
    targets = (_link(f"{folder}/{name}") for name in _names(folder))
    return frozenset(int(target[8:-1]) for target in targets if target.startswith("socket:["))


# Plain os calls: a Path for each of some thousand entries would cost more than the reading.
def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  # see above
    except OSError:
        return []


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115  # see above
    except OSError:
        return ""


def _read(pid: int, name: str) -> bytes | None:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:  # noqa: PTH123  # see above
            return file.read()
    except OSError:
        return None


def seconds_alive(started: int) -> float:
    """How long ago a process was started, given its start in clock ticks since boot."""
    try:
        with open("/proc/uptime", encoding="ascii") as file:  # noqa: PTH123 - /proc is read all over this module so
            uptime = float(file.read().split()[0])
    except OSError:
        return 0.0
    return max(0.0, uptime - started / os.sysconf("SC_CLK_TCK"))
