"""A real stack in a working directory of its own, driven through the command line as a person would.

Used by chaos/real.py. It ends only processes with the marks of that working directory, and removes only what it made.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shiftboss.app import Request, Session, open_session, read_records
from shiftboss.errors import Refused
from shiftboss.model.events import Recorded
from shiftboss.model.value import Value
from shiftboss.settings_table import Ports
from shiftboss.system.instance import Instance, alive, instance_of, marks_of
from shiftboss.system.net import free_ports
from shiftboss.system.proc import pids

CLI = (sys.executable, "-m", "shiftboss.frontends.cli")
SECONDS = 300.0
"""How long one command may take before the run counts as endless."""

ENDLESS = "endless"
SHARED = "prefix"
"""Folder of programs: copies of a working directory share its files, which are replaced and never written into."""


class Said(Value):
    """What a command answered."""

    code: int
    document: Mapping[str, Any]
    seconds: float

    @property
    def ending(self) -> str:
        """The ending of the run; what went wrong otherwise."""
        return str(self.document.get("ending") or self.document.get("error") or f"exit code {self.code}")


class RealStack:
    """One working directory and the settings its commands are called with."""

    def __init__(self, home: Path, sets: Sequence[str] = ()) -> None:
        self.home = home
        self.sets = tuple(sets)

    def session(self) -> Session:
        """The working directory, opened as the command does it."""
        return open_session(Request(workdir=self.home, sets=self.sets))

    def say(self, *words: str, seconds: float = SECONDS) -> Said:
        """Run a verb with --json as a child process."""
        argv = [*CLI, *words, "--json", "--workdir", str(self.home), *(f"--set={one}" for one in self.sets)]
        began = time.monotonic()
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return Said(code=-1, document={"ending": ENDLESS}, seconds=seconds)
        took = time.monotonic() - began
        try:
            document = json.loads(done.stdout)
        except ValueError:
            document = {"error": f"no document: {done.stdout[-300:]}{done.stderr[-500:]}"}
        return Said(code=done.returncode, document=document, seconds=took)

    def parts(self) -> dict[str, str]:
        """Identity of every living part of the stack, by component."""
        benches = self.session().benches.values()
        return {name: one.identity for bench in benches for name, one in bench.processes.components().items()}

    def events(self, run: str) -> list[Recorded]:
        """The journal of a run."""
        records = read_records(self.home)
        if records is None:
            return []
        try:
            return records.journal.read(run)
        finally:
            records.close()

    def end(self) -> None:
        """Bring the stack down and end what is left of it."""
        if self.home.is_dir() and any(self.home.iterdir()):
            self.say("down", seconds=100.0)
        end_marked(self.home)

    def remove(self) -> None:
        """Remove the working directory, which a copy of the golden one can replace."""
        shutil.rmtree(self.home, ignore_errors=True)


def own_ports() -> list[str]:
    """Settings that give a stack ports which are free now."""
    names = list(vars(Ports()))
    return [f"ports.{name}={port}" for name, port in zip(names, free_ports(len(names)), strict=True)]


def end_marked(home: Path) -> None:
    """Kill every process that carries the mark of a working directory."""
    found = [one for one in map(_marked(home), pids()) if one is not None]
    for one in found:
        if alive(one):
            os.kill(one.pid, signal.SIGKILL)
    end = time.monotonic() + 5.0
    while any(alive(one) for one in found):
        if time.monotonic() > end:
            raise Refused(f"Processes of {home} did not end: {[one.pid for one in found if alive(one)]}")
        time.sleep(0.02)


def _marked(home: Path) -> Any:
    wanted = str(home.resolve())

    def instance(pid: int) -> Instance | None:
        marks = marks_of(pid)
        return instance_of(pid) if marks and marks.home == wanted and pid != os.getpid() else None

    return instance


def copy(source: Path, target: Path) -> None:
    """Copy a working directory into a new or empty one; its programs share their files with the copy.

    On another disk the programs are not copied but referred to: there is no room for them.
    """
    target.mkdir(exist_ok=True)
    ignored = shutil.ignore_patterns("*.lock")
    if target.stat().st_dev != source.stat().st_dev and (source / SHARED).is_dir():
        ignored = shutil.ignore_patterns("*.lock", SHARED)
        (target / SHARED).symlink_to(source / SHARED)

    def one(old: str, new: str) -> str:
        if f"{source}/{SHARED}/" in old:
            os.link(old, new, follow_symlinks=False)
            return new
        return str(shutil.copy2(old, new))

    shutil.copytree(source, target, symlinks=True, copy_function=one, dirs_exist_ok=True, ignore=ignored)
