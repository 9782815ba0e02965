"""A small disk for one working directory, so that it can be full without harm to others. Used by chaos/real.py."""

import subprocess
from pathlib import Path

from shiftboss.errors import Refused

MEGABYTES = 260
"""Room for a stack with its chain (about 40 MB), a second copy for a repair, and the 50 MB that a daemon insists on."""


def mount(folder: Path) -> None:
    """Put a tmpfs on a folder.

    Raises:
        Refused: the system does not let us.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=0700", "tmpfs", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(f"A disk of its own can't be made here (mounting a tmpfs needs root): {done.stderr.strip()}")


def unmount(folder: Path) -> None:
    """Take it away again with all that is on it; idempotent."""
    while folder.is_mount():
        done = subprocess.run(["umount", str(folder)], capture_output=True, text=True, check=False)  # noqa: S607 - the system's own
        if done.returncode != 0:
            raise Refused(f"The disk at {folder} can't be taken away: {done.stderr.strip()}")
