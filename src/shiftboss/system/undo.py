"""How to take back what a recovery changes, written down before it is changed.

Handlers register each step of a recovery (through the workbench) right before they take it. When the recovery fails,
the hub orders its undoing, which calls `roll_back`; when it ended well, the runner calls `keep`. One file per
delegation, on disk before `register_...` returns, so it works after a kill -9 too. It never stops a process and never
deletes data: what a failed attempt left is moved aside.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from shiftboss.system.aside import Aside
from shiftboss.system.clock import file_stamp
from shiftboss.system.files import copy_durably, ensure_private_folder, sync_folder, write_atomic

Step = dict[str, Any]


class UndoLog:
    """The ways back of one environment's recoveries, in ENV/undo."""

    def __init__(self, home: Path, folder: Path, aside: Aside, now: Callable[[], float]) -> None:
        """`home` is the working directory, below which everything registered lies; `now` dates what is moved aside."""
        self._home = home
        self._folder = folder
        self._aside = aside
        self._now = now

    def register_file(self, delegation: str, path: Path) -> None:
        """A file is about to be written or removed: remember what it holds, or that it is absent.

        For small files of our own (configurations, notes): the later content is not kept when it is rolled back.
        Registering a path again changes nothing: the first content is the one to go back to.
        """
        steps = self._begin(delegation)
        name = self._name(path)
        if any(step.get("path") == name for step in steps):
            return
        step: Step = {"do": "write", "path": name, "copy": None}
        if path.is_file():
            copy = self._copies(delegation) / str(len(steps))
            mode = path.stat().st_mode & 0o777
            write_atomic(copy, path.read_bytes(), mode)
            step |= {"copy": self._name(copy), "mode": mode}
        self._save(delegation, [*steps, step])

    def register_folder(self, delegation: str, path: Path) -> None:
        """A folder of data is about to be changed in place by somebody else: keep a copy of it as it is.

        The caller has made sure that it fits, and that nobody writes to it meanwhile.

        Raises:
            OSError: it could not be copied; nothing is registered then.
        """
        steps = self._begin(delegation)
        copy = self._copies(delegation) / str(len(steps))
        if path.lstat().st_dev != self._folder.stat().st_dev:
            copy = path.with_name(f".{path.name}.undo-{_file_name(delegation)}-{len(steps)}")
        shutil.rmtree(copy, ignore_errors=True)  # of an attempt that was cut off
        try:
            copy_durably(path, copy)
        except OSError:
            shutil.rmtree(copy, ignore_errors=True)
            raise
        step = {"do": "replace", "path": self._name(path), "copy": self._name(copy)}
        self._save(delegation, [*steps, step])

    def register_aside(self, delegation: str, snapshot: str) -> None:
        """A snapshot is about to be filled (see Aside.keep): it can be put back."""
        steps = self._begin(delegation)
        step: Step = {"do": "put_back", "snapshot": snapshot}
        if step not in steps:
            self._save(delegation, [*steps, step])

    def count(self, delegation: str) -> int:
        """How many steps of a delegation can be taken back."""
        return len(self._load(delegation))

    def open(self) -> list[str]:
        """The delegations with steps that were neither kept nor rolled back."""
        found = (json.loads(path.read_text()) for path in sorted(self._folder.glob("*.json")))
        return [one["delegation"] for one in found if one["steps"] and not one["over"]]

    def touched(self, delegation: str) -> list[Path]:
        """What rolling back would change."""
        names: list[str] = []
        for step in self._load(delegation):
            snapshot = self._aside.find(step["snapshot"]) if step["do"] == "put_back" else None
            names += snapshot.paths if snapshot else [step["path"]] if "path" in step else []
        return [self._home / name for name in names]

    def roll_back(self, delegation: str) -> list[str]:
        """Take back the steps of a delegation, the last first; the changes made. Idempotent.

        Raises:
            OSError: a step could not be taken back; calling again goes on with it.
        """
        changes: list[str] = []
        steps = self._load(delegation)
        while steps:
            changes += self._take_back(delegation, steps[-1])
            steps = steps[:-1]
            self._save(delegation, steps)
        self.keep(delegation)
        return changes

    def keep(self, delegation: str) -> None:
        """The steps of a delegation stay as they are; its notes and copies are dropped. Idempotent."""
        if self._path(delegation).is_file():
            # First the word that it is over, then the copies: cut off in between, nobody rolls back to half a copy.
            self._save(delegation, self._load(delegation), over=True)
        for path in list(self._folder.glob("*.json")):
            told = json.loads(path.read_text())
            if told["over"]:
                self._drop(told)
                path.unlink(missing_ok=True)

    def _take_back(self, delegation: str, step: Step) -> Sequence[str]:
        stamp = file_stamp(self._now())
        if step["do"] == "put_back":
            return self._aside.put_back(step["snapshot"], stamp)
        path = self._home / step["path"]
        if step["do"] == "replace":
            return list(self._replace(path, self._home / step["copy"], f"left by {delegation}, which failed", stamp))
        if step["copy"] is None:
            return _remove(path)
        old = (self._home / step["copy"]).read_bytes()
        if path.is_file() and path.read_bytes() == old:
            return []
        ensure_private_folder(path.parent)
        write_atomic(path, old, step["mode"])
        return [f"wrote the former content of {path}"]

    def _replace(self, path: Path, copy: Path, why: str, stamp: str) -> Iterator[str]:
        if not copy.exists():  # it was put in place already, before we were cut off
            return
        if os.path.lexists(path):
            snapshot = self._aside.keep([path], why, stamp)
            yield f"moved {path} aside to snapshot {snapshot.id}"
        copy.rename(path)
        sync_folder(path.parent)
        yield f"put the copy of {path} back that was made before"

    def _drop(self, told: dict[str, Any]) -> None:
        for step in told["steps"]:
            if step.get("copy"):
                shutil.rmtree(self._home / step["copy"], ignore_errors=True)
        shutil.rmtree(self._copies(told["delegation"]), ignore_errors=True)

    def _begin(self, delegation: str) -> list[Step]:
        ensure_private_folder(self._folder)
        if not self._path(delegation).is_file():
            self._save(delegation, [])
        ensure_private_folder(self._copies(delegation))
        return self._load(delegation)

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._home))

    def _copies(self, delegation: str) -> Path:
        return self._folder / _file_name(delegation)

    def _path(self, delegation: str) -> Path:
        return self._folder / f"{_file_name(delegation)}.json"

    def _load(self, delegation: str) -> list[Step]:
        try:
            told = json.loads(self._path(delegation).read_text())
        except FileNotFoundError:
            return []
        return [] if told["over"] else cast("list[Step]", told["steps"])

    def _save(self, delegation: str, steps: Sequence[Step], *, over: bool = False) -> None:
        told = {"delegation": delegation, "steps": list(steps), "over": over}
        write_atomic(self._path(delegation), json.dumps(told, indent=1))


def _file_name(delegation: str) -> str:
    return delegation.replace("/", "+")


def _remove(path: Path) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
        sync_folder(path.parent)
        return [f"removed {path}, which was not there before"]
    return []
