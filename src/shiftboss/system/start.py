"""Starts one program that outlives us, and says in typed failures why one can't be started.

Used by system/process.py only, which has made sure that the program does not run already.
"""

import errno
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind


class MissingProgram(Failed):
    """The program to start is not there or can't be executed on this machine."""

    def __init__(self, message: str, evidence: Mapping[str, Any] | None = None) -> None:
        super().__init__(FailureKind.MISSING_BINARY, message, evidence)


class NotPermitted(Failed):
    """The system denies starting the program, or writing what it needs."""

    def __init__(self, message: str, evidence: Mapping[str, Any] | None = None) -> None:
        super().__init__(FailureKind.PERMISSION, message, evidence)


def start(argv: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path) -> int:
    """Start a program in its own session, output appended to `log`; returns its pid. Reaping it is the caller's part.

    Raises:
        MissingProgram, NotPermitted, Failed: see `start_failure`.
    """
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise start_failure(error, argv, cwd) from error
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        raise start_failure(error, argv, cwd) from error
    finally:
        os.close(output)
    # The child shall outlive this object, and we reap it ourselves: without this, Popen warns about it when collected.
    child.returncode = 0
    return child.pid


def start_failure(error: OSError, argv: Sequence[str], cwd: Path) -> Failed:
    """The typed failure for an error of the system on starting a program."""
    evidence = {"command": list(argv), "errno": error.errno, "folder": str(cwd)}
    if isinstance(error, PermissionError):
        where = "" if error.filename in (None, argv[0]) else f" ({error.filename})"
        return NotPermitted(f"{argv[0]} could not be started: {error.strerror}{where}", evidence)
    if error.errno == errno.ENOENT and not cwd.is_dir():
        return Failed(FailureKind.CONFIG, f"The folder {cwd} to start {argv[0]} in is not there", evidence)
    if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ENOEXEC, errno.ELIBBAD}:
        return MissingProgram(f"{argv[0]} is not there or does not run here: {error.strerror}", evidence)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Failed(FailureKind.NO_SPACE, f"No room to start {argv[0]}: {error.strerror}", evidence)
    return Failed(FailureKind.CRASHED, f"{argv[0]} could not be started: {error.strerror}", evidence)
