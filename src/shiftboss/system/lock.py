"""One owner per environment: a lock that the kernel frees when its holder dies, however it dies.

Taken by the hub before it acts on an environment; other commands only ask who holds it. The file is never deleted
(deleting a locked file would let two owners in); what it says counts only while somebody holds the lock.
"""

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from shiftboss.errors import Refused
from shiftboss.model.value import Value
from shiftboss.system import proc
from shiftboss.system.clock import utc_text


class Owner(Value):
    """Who holds an environment."""

    pid: int
    started: int  #: clock ticks since boot
    boot: str
    run: str
    command: str
    since: float  #: unix seconds

    def __str__(self) -> str:
        return f"process {self.pid} (run {self.run or 'unknown'}, `{self.command}`) since {utc_text(self.since)}"


class EnvironmentLock:
    """The exclusive right to act on one environment, held until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock now."""
        return self._handle is not None

    def acquire(self, *, run: str, command: str, since: float) -> Self:
        """Take the lock at once; `since` is the present time in unix seconds. Idempotent while held.

        Raises:
            Refused: another process holds it; the text names the owner and what to do.
        """
        if self._handle is not None:
            return self
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write_owner(handle, run=run, command=command, since=since)
        except BlockingIOError as error:
            owner = _read_owner(handle)
            os.close(handle)
            raise Refused(_refusal(self._path, owner)) from error
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        return self

    def release(self) -> None:
        """Give the lock back. Idempotent."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def owner(self) -> Owner | None:
        """Who holds the lock now, this process included; None when it is free. Takes nothing.

        An owner that has not written its name yet is answered as pid 0.
        """
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            # A shared try-lock shows whether somebody holds it; it is gone again when the handle closes.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read_owner(handle) or Owner(pid=0, started=0, boot="", run="", command="", since=0.0)
        else:
            return None
        finally:
            os.close(handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _write_owner(handle: int, *, run: str, command: str, since: float) -> None:
    pid = os.getpid()
    owner = Owner(
        pid=pid,
        started=proc.start_ticks(pid) or 0,
        boot=proc.boot_id(),
        run=run,
        command=command,
        since=since,
    )
    data = json.dumps(asdict(owner)).encode() + b"\n"
    os.ftruncate(handle, 0)
    os.pwrite(handle, data, 0)


def _read_owner(handle: int) -> Owner | None:
    try:
        fields = cast("dict[str, Any]", json.loads(os.pread(handle, 65536, 0)))
        return Owner(**fields)
    except (ValueError, TypeError):
        return None  # just taken, its name not written yet


def _refusal(path: Path, owner: Owner | None) -> str:
    if owner is None:
        return f"Another shiftboss has just taken this environment ({path}). Try again in a moment."
    return (
        f"This environment is held by {owner} ({path}). Wait for it to end, look at it with `shiftboss status`, "
        f"or end it with `shiftboss stop`; the lock frees itself when process {owner.pid} ends."
    )


@contextmanager
def exclusive(path: Path) -> Generator[None]:
    """Wait for a lock that is only ever held for moments, and hold it meanwhile."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
