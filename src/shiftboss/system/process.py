"""Starts, finds and stops the processes of one environment, so that none is doubled, lost or mistaken.

Called by handlers and probes. A process is ours only if its environment carries our marks (set when we spawned it);
nothing else is ever signalled. A spawned process outlives us: whoever comes next finds it by its pid file or, when
that is missing, by its marks (system/instance.py).
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.system import proc
from shiftboss.system.clock import Clock
from shiftboss.system.files import ensure_private_folder, rotate, write_atomic
from shiftboss.system.instance import HELPER, Instance, Marks, alive, instance_of, marks_of
from shiftboss.system.start import MissingProgram, NotPermitted, start, start_failure
from shiftboss.system.tool import ToolResult, run_program

__all__ = [
    "HELPER",
    "Instance",
    "Marks",
    "MissingProgram",
    "NotPermitted",
    "Processes",
    "ToolResult",
    "alive",
    "instance_of",
    "marks_of",
]

_POLL_SECONDS = 0.01
_MARK_TRIES, _MARK_PAUSE = 500, 0.002
_KILLED_SECONDS = 5.0  # SIGKILL works at once except in uninterruptible sleep (a dying disk)


class Processes:
    """The processes of one environment of one working directory."""

    def __init__(self, home: Path, environment: str, folder: Path) -> None:
        """`folder` takes the pid files, e.g. HOME/env/regtest/run; it is made when first needed."""
        self._home = str(home.resolve())
        self._environment = environment
        self._folder = folder
        self._children: dict[int, str] = {}
        self._exit_codes: dict[str, int] = {}

    def find(self, component: str) -> Instance | None:
        """The living process of a component, by pid file or else by marks; a found one is recorded again."""
        self._reap()
        recorded = self._recorded(component)
        if recorded is not None and self._is_ours(recorded, component):
            return recorded
        leaders = (one for one in self._marked(component) if proc.is_session_leader(one.pid))
        found = min(leaders, key=lambda one: one.started, default=None)
        if found is not None:
            self._record(component, found)
        return found

    def orphans(self, component: str) -> tuple[Instance, ...]:
        """Living processes with the marks of a component that do not belong to its recorded one."""
        current = self.find(component)
        others = [one for one in self._marked(component) if current is None or _session(one) != current.pid]
        return _heads(others)

    def components(self) -> dict[str, Instance]:
        """Every living process of ours in this environment that leads its own session, by component."""
        found: dict[str, Instance] = {}
        for pid in proc.pids():
            marks, instance = marks_of(pid), instance_of(pid)
            if marks and instance and self._is_ours(instance, None) and proc.is_session_leader(pid):
                found[marks.component] = instance
        return found

    def leftover_helpers(self, run: str | None = None) -> tuple[Instance, ...]:
        """Helper programs of ours that still run (of one run, or of any): their hub was killed."""
        found = [one for one in self._marked(HELPER) if run is None or _run_of(one) == run]
        return _heads(found)

    async def spawn(
        self,
        component: str,
        argv: Sequence[str],
        *,
        run: str,
        delegation: str,
        log: Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
    ) -> Instance:
        """Start a component's process in its own session, unless it lives already; output is appended to `log`.

        A log that has grown large is rotated first. Idempotent. The process outlives this one.

        Raises:
            MissingProgram: the program is not there or does not run here.
            NotPermitted: the system denies it.
            Failed: no room for the log, or no memory.
        """
        living = self.find(component)
        if living is not None:
            return living
        marks = Marks(
            home=self._home,
            environment=self._environment,
            component=component,
            run=run,
            delegation=delegation,
        )
        rotate(log)
        pid = start(argv, env={**os.environ, **(env or {}), **marks.variables()}, log=log, cwd=cwd)
        self._children[pid] = component
        self._exit_codes.pop(component, None)
        started = proc.start_ticks(pid)  # readable even if it ended already: nobody has reaped it yet
        instance = Instance(pid=pid, started=started or 0, boot=proc.boot_id())
        self._record(component, instance)
        await _until_marked(instance)
        return instance

    def recorded(self, component: str) -> Instance | None:
        """The last instance we know to have been started and not stopped by us, whether it lives or not."""
        return self._recorded(component)

    def exit_code(self, component: str) -> int | None:
        """How our direct child ended: its exit code, or minus the signal.

        None while it runs, and for a process that another shiftboss started.
        """
        self._reap()
        return self._exit_codes.get(component)

    async def stop(self, target: str | Instance, *, grace: float, clock: Clock) -> bool:
        """End a component's process, or one instance of ours, with its group: SIGTERM, after `grace` seconds SIGKILL.

        True when something was stopped. Idempotent. A process without our marks is left alone.

        Raises:
            Failed: it did not end even when killed (kind TIMEOUT).
        """
        instance = self.find(target) if isinstance(target, str) else target
        if instance is None or not self._is_ours(instance, target if isinstance(target, str) else None):
            return False
        _signal(instance, signal.SIGTERM)
        _signal(instance, signal.SIGCONT)  # a frozen process sees SIGTERM only when it goes on
        if not await self._gone(instance, grace, clock):
            _signal(instance, signal.SIGKILL)
            if not await self._gone(instance, _KILLED_SECONDS, clock):
                raise Failed(
                    FailureKind.TIMEOUT,
                    f"Process {instance.pid} did not end although it was killed; it is probably stuck in a disk access",
                    {"pid": instance.pid, "state": proc.state(instance.pid)},
                )
        self._forget(instance)
        return True

    def nudge(self, component: str) -> bool:
        """Send SIGUSR1 to a component's process, which it understands as "now, please"; False when none lives."""
        instance = self.find(component)
        if instance is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(instance.pid, signal.SIGUSR1)
        return True

    def helper_variables(self, run: str, delegation: str) -> dict[str, str]:
        """Environment variables that mark a helper program somebody else starts for us, so that none is left over."""
        marks = Marks(home=self._home, environment=self._environment, component=HELPER, run=run, delegation=delegation)
        return marks.variables()

    async def run_tool(  # noqa: PLR0913  # all but three have a default, and each is named where it is used
        self,
        argv: Sequence[str],
        *,
        timeout: float,  # noqa: ASYNC109  # the limit is part of the tool's result: it is killed with its group
        cwd: Path,
        run: str = "",
        delegation: str = "",
        env: Mapping[str, str] | None = None,
        inherited: Mapping[str, str] = os.environ,
        limit_bytes: int = 1_000_000,
    ) -> ToolResult:
        """Run a short helper program to its end; it is killed with its group on time-out or cancellation.

        `env` is added to what it inherits: everything of ours, if nobody says otherwise.

        Raises:
            MissingProgram: the program is not there or does not run here.
            NotPermitted: the system denies it.
            Failed: it took longer than `timeout` seconds (kind TIMEOUT).
        """
        variables = {**inherited, **(env or {}), **self.helper_variables(run, delegation)}
        try:
            return await run_program(argv, seconds=timeout, env=variables, cwd=cwd, limit_bytes=limit_bytes)
        except TimeoutError as error:
            raise Failed(
                FailureKind.TIMEOUT,
                f"{argv[0]} took longer than {timeout:g} s and was stopped",
                {"command": list(argv), "seconds": timeout},
            ) from error
        except OSError as error:
            raise start_failure(error, argv, cwd) from error

    def _is_ours(self, instance: Instance, component: str | None) -> bool:
        marks = marks_of(instance.pid)
        return (
            marks is not None
            and alive(instance)
            and (marks.home, marks.environment) == (self._home, self._environment)
            and component in {None, marks.component}
            and instance.pid != os.getpid()
        )

    def _marked(self, component: str) -> list[Instance]:
        found = (instance_of(pid) for pid in proc.pids() if marks_of(pid) is not None)
        return [instance for instance in found if instance is not None and self._is_ours(instance, component)]

    def _pid_file(self, component: str) -> Path:
        return self._folder / f"{component}.pid"

    def _recorded(self, component: str) -> Instance | None:
        try:
            data = cast("dict[str, Any]", json.loads(self._pid_file(component).read_bytes()))
            return Instance(pid=int(data["pid"]), started=int(data["started"]), boot=str(data["boot"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _record(self, component: str, instance: Instance) -> None:
        # A full disk must not make us lose a running process: without the file its marks still find it.
        with contextlib.suppress(OSError):
            ensure_private_folder(self._folder)
            write_atomic(self._pid_file(component), json.dumps(asdict(instance)) + "\n")

    def _forget(self, instance: Instance) -> None:
        for path in self._folder.glob("*.pid"):
            if self._recorded(path.stem) == instance:
                path.unlink(missing_ok=True)

    def _reap(self) -> None:
        """Collect our children that ended, so that none stays a zombie."""
        for pid, component in list(self._children.items()):
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                del self._children[pid]
                continue
            if ended:
                self._exit_codes[component] = os.waitstatus_to_exitcode(status)
                del self._children[pid]

    async def _gone(self, instance: Instance, seconds: float, clock: Clock) -> bool:
        end = clock.monotonic() + seconds
        while True:
            self._reap()
            if not alive(instance) and not _group_lives(instance.pid):
                return True
            if clock.monotonic() >= end:
                return False
            await clock.sleep(_POLL_SECONDS)


async def _until_marked(instance: Instance) -> None:
    """Wait until the marks can be read (or the process is gone).

    The kernel lets us go on when the new program is loaded, a moment before it shows its environment: without this
    a process just started could be taken for none, and be started twice.
    """
    for _ in range(_MARK_TRIES):
        if marks_of(instance.pid) is not None or not alive(instance):
            return
        await asyncio.sleep(_MARK_PAUSE)


def _session(instance: Instance) -> int:
    found = proc.stat(instance.pid)
    return 0 if found is None else found.session


def _run_of(instance: Instance) -> str:
    marks = marks_of(instance.pid)
    return "" if marks is None else marks.run


def _heads(instances: Iterable[Instance]) -> tuple[Instance, ...]:
    """Only those whose session leader is not among them: stopping a leader's group stops its children too."""
    known = {one.pid: one for one in instances}
    return tuple(one for one in known.values() if _session(one) == one.pid or _session(one) not in known)


def _group_lives(group: int) -> bool:
    stats = (proc.stat(pid) for pid in proc.pids())
    return any(found is not None and found.group == group and found.state not in proc.ZOMBIE_STATES for found in stats)


def _signal(instance: Instance, number: signal.Signals) -> None:
    """Signal the group that the instance leads, or only the instance if it leads none."""
    found = proc.stat(instance.pid)
    if found is not None and found.started != instance.started:
        return  # another process has this number by now
    leads = found is None or found.group == instance.pid
    try:
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if leads else os.kill)(instance.pid, number)
    except PermissionError as error:
        raise NotPermitted(
            f"Process {instance.pid} ({proc.command(instance.pid)}) may not be signalled by this user; "
            "end it as its owner",
            {"pid": instance.pid},
        ) from error
