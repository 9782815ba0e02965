"""Runs the apt and dpkg programs for the private installer.

Used by the other debian_* modules only. A child gets its own process group, which is killed when the time is up or
when the caller is cancelled, so that no half-done download outlives its delegation.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from shiftboss.model.value import Value
from shiftboss.system.debian_errors import InstallFailed

KEPT_BYTES = 4_000_000  # the descriptions of a few hundred packages; only the end is kept of anything longer
KEPT_LINES = 12


class Finished(Value):
    """How a command ended and the text it printed."""

    command: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    def last_lines(self) -> tuple[str, ...]:
        """The end of what the command said, errors last."""
        lines = [line.strip() for line in (self.stdout + "\n" + self.stderr).splitlines()]
        return tuple([line for line in lines if line][-KEPT_LINES:])

    def failed(self, step: str) -> InstallFailed:
        """The error to raise when this ending is not the wanted one."""
        return InstallFailed(
            step,
            command=self.command,
            exit_code=self.exit_code,
            last_lines=self.last_lines(),
        )


async def run(
    command: Sequence[str],
    *,
    step: str,
    limit_seconds: float,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Finished:
    """Run a command to its end and return what it printed, whatever its exit code.

    Raises:
        InstallFailed: it could not be started or took longer than `limit_seconds`.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C", **(environment or {})},
            cwd=folder,
            start_new_session=True,
        )
    except OSError as error:
        raise InstallFailed(step, command=command, last_lines=[str(error)]) from error
    try:
        async with asyncio.timeout(limit_seconds):
            stdout, stderr = await asyncio.gather(_read_end(process.stdout), _read_end(process.stderr))
            code = await process.wait()
    except TimeoutError as error:
        said = f"stopped by us after {limit_seconds:.0f} s"
        raise InstallFailed(step, command=command, last_lines=[said]) from error
    finally:
        await _end(process)
    return Finished(command=tuple(command), exit_code=code, stdout=stdout, stderr=stderr)


async def run_checked(
    command: Sequence[str],
    *,
    step: str,
    limit_seconds: float,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """Run a command that must succeed and return its standard output.

    Raises:
        InstallFailed: it did not start, did not end in time, or ended with an exit code other than 0.
    """
    finished = await run(
        command,
        step=step,
        limit_seconds=limit_seconds,
        environment=environment,
        folder=folder,
    )
    if finished.exit_code:
        raise finished.failed(step)
    return finished.stdout


async def _read_end(stream: asyncio.StreamReader | None) -> str:
    kept = bytearray()
    while stream and (chunk := await stream.read(65536)):
        kept += chunk
        del kept[:-KEPT_BYTES]
    return kept.decode(errors="replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the whole group if the child still runs, and drain its pipes so that nothing stays open."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.communicate()
