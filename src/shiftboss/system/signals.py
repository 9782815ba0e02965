"""Signals that are not part of starting and stopping what is ours (that is system/process.py).

Called by recoveries only: `thaw` for a process of ours that was stopped, `end` for a foreign one after consent was
given (which is not asked here).
"""

import contextlib
import os
import signal

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.system import proc
from shiftboss.system.clock import Clock
from shiftboss.system.instance import Instance, alive

STOPPED_STATES = frozenset("Tt")
_POLL_SECONDS = 0.02
_KILLED_SECONDS = 5.0


def is_stopped(instance: Instance) -> bool:
    """Whether a process was stopped by a signal (or a debugger) and waits to be let go on."""
    return alive(instance) and proc.state(instance.pid) in STOPPED_STATES


def thaw(instance: Instance) -> bool:
    """Let a stopped process go on, with its group if it leads one; False when it is not stopped."""
    found = proc.stat(instance.pid)
    if found is None or not is_stopped(instance):
        return False
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if found.group == instance.pid else os.kill)(instance.pid, signal.SIGCONT)
    return True


async def end(instance: Instance, *, grace: float, clock: Clock) -> bool:
    """End a process that is not ours: SIGTERM, after `grace` seconds SIGKILL. True when it was there and is gone.

    Only this process, not its group. This process, its ancestors and the first process are never ended.

    Raises:
        Failed: it is one of those, or not ours to signal (PERMISSION); or it did not end (TIMEOUT).
    """
    if instance.pid in _untouchable():
        message = f"Process {instance.pid} is part of what runs shiftboss itself, so it is not ended"
        raise Failed(FailureKind.PERMISSION, message, {"pid": instance.pid})
    if not alive(instance):
        return False
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, _KILLED_SECONDS)):
        _send(instance, number)
        if await _gone(instance, seconds, clock):
            return True
    raise Failed(FailureKind.TIMEOUT, f"Process {instance.pid} did not end although it was killed")


def _send(instance: Instance, number: signal.Signals) -> None:
    if not alive(instance):  # looked at again right before: its number may be somebody else's by now
        return
    try:
        with contextlib.suppress(ProcessLookupError):
            os.kill(instance.pid, number)
    except PermissionError as error:
        message = f"Process {instance.pid} ({proc.command(instance.pid)}) may not be ended by this user"
        raise Failed(FailureKind.PERMISSION, message, {"pid": instance.pid}) from error


async def _gone(instance: Instance, seconds: float, clock: Clock) -> bool:
    end_at = clock.monotonic() + seconds
    while alive(instance):
        if clock.monotonic() >= end_at:
            return False
        await clock.sleep(_POLL_SECONDS)
    return True


def _untouchable() -> set[int]:
    found, pid = {1}, os.getpid()
    while pid > 1 and pid not in found:
        found.add(pid)
        seen = proc.stat(pid)
        pid = seen.parent if seen else 1
    return found
