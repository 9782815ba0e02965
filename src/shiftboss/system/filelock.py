"""Who holds a POSIX lock on a file (fcntl(2)); changes nothing.

A lock file that lies there says nothing, only a living holder does: probes and recoveries ask here.
"""

import fcntl
import os
import struct
from pathlib import Path

from shiftboss.system import proc

_LOCK = struct.Struct("hhqqi4x")
"""struct flock of fcntl(2) on 64-bit Linux: type, whence, start, length, pid."""


def lock_holder(path: Path) -> int | None:
    """The living process whose lock keeps others from locking a file for writing.

    None when there is none, or none that we can see.
    """
    question = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        with path.open("rb") as file:
            kind, _, _, _, pid = _LOCK.unpack(fcntl.fcntl(file, fcntl.F_GETLK, question))
    except OSError:
        return None
    if kind == fcntl.F_UNLCK or pid <= 0:
        return None
    return pid if proc.is_running(pid) else None  # a killed process has its locks until its last thread is gone
