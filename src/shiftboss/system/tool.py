"""Runs a short helper program to its end, never longer than allowed and never leaving anything behind.

Used by system/process.py, which adds the marks. The program gets its own session; its whole group is killed when the
time is up, when the caller is cancelled, or when it ends and leaves children.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from shiftboss.model.value import Value

_PIPE_SECONDS = 0.5  # after the program ended, how long a child of it may keep its output open


class ToolResult(Value):
    """How a helper program ended and what it printed."""

    code: int  #: exit code, or minus the signal that ended it
    stdout: str
    stderr: str
    truncated: bool = False  #: only the end of the output was kept


async def run_program(
    argv: Sequence[str],
    *,
    seconds: float,
    env: Mapping[str, str],
    cwd: Path,
    limit_bytes: int,
) -> ToolResult:
    """Run a program and return its code and output, of which the last `limit_bytes` are kept.

    Raises:
        TimeoutError: it took longer than `seconds`; it is gone.
        OSError: it could not be started.
    """
    async with contextlib.AsyncExitStack() as ending:
        out = await ending.enter_async_context(_Capture(limit_bytes))
        err = await ending.enter_async_context(_Capture(limit_bytes))
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out.writing,
            stderr=err.writing,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
        ending.push_async_callback(_end, process)
        out.hand_over()
        err.hand_over()
        async with asyncio.timeout(seconds):
            code = await process.wait()
            await asyncio.wait([out.ended, err.ended], timeout=_PIPE_SECONDS)
    return ToolResult(code=code, stdout=out.text(), stderr=err.text(), truncated=out.cut or err.cut)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


class _Capture(asyncio.Protocol):
    """A pipe whose last bytes are kept; unlike the pipes of asyncio's Process it can be closed at any time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._transport: asyncio.BaseTransport | None = None
        self.cut = False
        self.writing = -1
        self.ended = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        reading, self.writing = os.pipe()
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: self, os.fdopen(reading, "rb", buffering=0))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hand_over()
        if self._transport is not None:
            self._transport.close()
        await self.ended

    def hand_over(self) -> None:
        """Close our end for writing, so that the pipe ends with its last writer."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1

    def data_received(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > self._limit:
            self.cut = True
            del self._kept[: -self._limit]

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio calls it so
        self.ended.set_result(None)

    def text(self) -> str:
        return self._kept.decode(errors="replace")
