"""Data moved aside instead of thrown away, and brought back by one command.

Called by recoveries that replace data (through the workbench), by the undo log and by `shiftboss restore`. Everything
is done by rename, so nothing is copied or lost. The manifest is written before the first rename and names everything
asked for; whether a part lies here is seen by looking, so that every step may be the last one and may be repeated.
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from shiftboss.model.value import Value
from shiftboss.system.files import ensure_private_folder, size_of, sync_folder, write_atomic

MANIFEST = "manifest.json"
DATA = "data"


class Snapshot(Value):
    """Some files and folders of an environment as they were at a moment, kept aside."""

    id: str
    environment: str
    why: str
    at: str  #: date as in file names, UTC
    paths: tuple[str, ...]  #: relative to the working directory: everything it is a snapshot of
    size: int = 0  #: bytes that lie in it now
    holds: bool = True  #: something lies in it now


class Aside:
    """What is kept aside for one environment of a working directory, in HOME/aside."""

    def __init__(self, home: Path, environment: str) -> None:
        self._home = home
        self._environment = environment
        self._folder = home / "aside"

    def keep(
        self, paths: Iterable[Path], why: str, stamp: str, *, before: Callable[[str], None] | None = None
    ) -> Snapshot:
        """Move files and folders of the working directory aside; those that are not there are noted as absent.

        `stamp` is the date for its id. `before` is told the id when the manifest is on disk and nothing has moved
        yet, so that the way back can be written down first.

        Raises:
            OSError: something may not be moved; what had moved before it lies in the snapshot.
            ValueError: a path outside the working directory.
        """
        wanted = [str(path.relative_to(self._home)) for path in paths]
        identity = self._new_folder(stamp)
        manifest: dict[str, Any] = {
            "id": identity,
            "environment": self._environment,
            "why": why,
            "at": stamp,
            "kept": {name: self._place(name, identity) for name in wanted},
            "absent": [name for name in wanted if not os.path.lexists(self._home / name)],
            "back": None,
        }
        self._write(manifest)
        if before is not None:
            before(identity)
        for name, place in manifest["kept"].items():
            _move(self._home / name, self._home / place)
        return self._snapshot(manifest)

    def list(self) -> list[Snapshot]:
        """Snapshots of this environment in which something lies, oldest first."""
        if not self._folder.is_dir():
            return []
        names = sorted(path.name for path in self._folder.iterdir())
        found = (self.find(name) for name in names)
        return [one for one in found if one is not None and one.holds and one.environment == self._environment]

    def find(self, identity: str) -> Snapshot | None:
        """One snapshot by its id, also an empty one; None when there is none."""
        try:
            return self._snapshot(self._read(identity))
        except FileNotFoundError:
            return None

    def put_back(self, identity: str, stamp: str) -> Sequence[str]:
        """Bring everything of a snapshot back to where it was; what is there now becomes a snapshot of its own.

        Gives the changes. Idempotent, also when it was cut off half way.

        Raises:
            FileNotFoundError: there is no such snapshot.
            OSError: something may not be moved; calling again goes on.
        """
        manifest = self._read(identity)
        if manifest["back"]:
            return []
        here = {name: place for name, place in manifest["kept"].items() if os.path.lexists(self._home / place)}
        replaced = [*here, *manifest["absent"]]
        changes: list[str] = []
        in_the_way = [name for name in replaced if os.path.lexists(self._home / name)]
        if in_the_way:
            other = self.keep((self._home / name for name in replaced), f"made room for {identity}", stamp)
            changes += [f"moved {name} aside to snapshot {other.id}" for name in in_the_way]
        for name, place in here.items():
            _move(self._home / place, self._home / name)
            changes.append(f"put {name} back from snapshot {identity}")
        self._write({**manifest, "back": stamp})
        return changes

    def _new_folder(self, stamp: str) -> str:
        ensure_private_folder(self._folder)
        count = 1
        while True:
            identity = f"{self._environment}-{stamp}" + (f"-{count}" if count > 1 else "")
            try:
                (self._folder / identity).mkdir(mode=0o700)
            except FileExistsError:
                count += 1
            else:
                sync_folder(self._folder)
                return identity

    def _place(self, name: str, identity: str) -> str:
        """Where a part is kept: in the snapshot's folder, or beside itself if that is on another disk."""
        path = self._home / name
        if os.path.lexists(path) and path.lstat().st_dev != self._folder.stat().st_dev:
            return f"{name}.aside-{identity}"
        return str(self._folder.relative_to(self._home) / identity / DATA / name)

    def _read(self, identity: str) -> dict[str, Any]:
        if identity != Path(identity).name:  # it may come from a command line
            raise FileNotFoundError(f"{identity!r} is no snapshot's id")
        try:
            return cast("dict[str, Any]", json.loads((self._folder / identity / MANIFEST).read_text()))
        except (FileNotFoundError, NotADirectoryError, ValueError) as error:
            raise FileNotFoundError(f"There is no snapshot {identity} in {self._folder}") from error

    def _write(self, manifest: dict[str, Any]) -> None:
        write_atomic(self._folder / manifest["id"] / MANIFEST, json.dumps(manifest, indent=1))

    def _snapshot(self, manifest: dict[str, Any]) -> Snapshot:
        places = [self._home / place for place in manifest["kept"].values()]
        held = [place for place in places if os.path.lexists(place)]
        return Snapshot(
            id=manifest["id"],
            environment=manifest["environment"],
            why=manifest["why"],
            at=manifest["at"],
            paths=tuple(manifest["kept"]),
            size=sum(map(size_of, held)),
            holds=bool(held),
        )


def _move(source: Path, target: Path) -> None:
    """Rename, and make it last; nothing when the source is not there."""
    if not os.path.lexists(source):
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source.rename(target)
    sync_folder(target.parent)
    sync_folder(source.parent)
