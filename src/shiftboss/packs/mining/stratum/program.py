"""What both programs do alike around their work: stop on SIGTERM and SIGINT, and end with findings or an exit code."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from shiftboss.errors import BadInput

OK = 0
FAILED = 1
BAD_INPUT = 2


def run_main(name: str, main: Callable[[Sequence[str]], Coroutine[Any, Any, int]]) -> int:
    """Run a program's coroutine and return its exit code; findings go to stderr, one a line."""
    try:
        return asyncio.run(main(sys.argv[1:]))
    except BadInput as error:
        for finding in error.diagnostics:
            sys.stderr.write(f"{name}: {finding}\n")
        return BAD_INPUT
    except KeyboardInterrupt:
        return OK


def stop_event() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    return event


async def until(stop: asyncio.Event, *works: Coroutine[Any, Any, None]) -> None:
    """Run the works until `stop` is set or one of them fails; its error is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    waiter = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait([waiter, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (waiter, *tasks):
            task.cancel()
        await asyncio.gather(waiter, *tasks, return_exceptions=True)
