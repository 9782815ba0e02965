"""What a fault changes on disk is kept first and can be brought back: files overwritten, made, or taken away.

Every fault has a folder of its own under HOME/chaos (its note names it). What is kept is written down there before the
change, so that `put_back` works after a crash at any moment. It never overwrites what somebody has mended meanwhile.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from shiftboss.system.files import ensure_private_folder, sha256, write_atomic
from shiftboss.system.workbench import Workbench

Note = dict[str, Any]
"""A fault that is in: id, name, token, folder, at; plain JSON, kept in HOME/chaos.json."""

KEPT = "kept.json"
ABSENT = "absent"


def folder_of(note: Note) -> Path:
    """The fault's own folder."""
    return ensure_private_folder(Path(note["folder"]))


def load(note: Note, name: str) -> list[dict[str, Any]]:
    """A list of records of the fault; empty when there is none."""
    try:
        return json.loads((Path(note["folder"]) / name).read_text())
    except (OSError, ValueError):
        return []


def save(note: Note, name: str, records: list[dict[str, Any]]) -> None:
    """Write a list of records of the fault."""
    write_atomic(folder_of(note) / name, json.dumps(records, indent=1))


def overwrite(note: Note, path: Path, content: bytes, at: int | None = None) -> None:
    """Change a file: its bytes from `at` on, or all of it; the old file is kept first."""
    old = path.read_bytes() if path.exists() else b""
    new = content if at is None else old[:at] + content + old[at + len(content) :]
    _keep(note, path, copy=path.exists())
    changed = path.with_name(f".{path.name}.{note['token']}")
    changed.write_bytes(new)
    if path.exists():
        shutil.copystat(path, changed)
    _sealed(note, sha256(changed))
    changed.replace(path)


def append(note: Note, path: Path, text: str) -> None:
    """Add to the end of a text file; the old file is kept first."""
    overwrite(note, path, path.read_bytes() + text.encode())


def take_away(note: Note, path: Path) -> None:
    """Move a file or folder into the fault's folder."""
    entry = _keep(note, path, copy=False)
    _sealed(note, ABSENT)
    os.replace(path, entry)  # noqa: PTH105 - works for folders and links alike


def put_back(_bench: Workbench, note: Note) -> None:
    """Bring everything back that still is as the fault left it, last change first; idempotent."""
    for entry in reversed(pending(note)):
        path, kept = Path(entry["path"]), Path(entry["kept"])
        if os.path.lexists(kept):
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(kept, path)  # noqa: PTH105 - works for folders and links alike
        elif entry["made"]:
            path.unlink(missing_ok=True)


def pending(note: Note) -> list[dict[str, Any]]:
    """The changes that still are as the fault made them; the others somebody has mended."""
    return [entry for entry in load(note, KEPT) if entry["after"] == state_of(Path(entry["path"]))]


def state_of(path: Path) -> str:
    """What a path is now, for comparison: absent, a folder, or the hash of a file."""
    if not os.path.lexists(path):
        return ABSENT
    return sha256(path) if path.is_file() else "folder"


def _keep(note: Note, path: Path, *, copy: bool) -> Path:
    """Write down that a path is about to change, and copy it first if it stays."""
    entries = load(note, KEPT)
    kept = folder_of(note) / f"{len(entries)}-{path.name.lstrip('.')}"
    if copy:
        shutil.copy2(path, kept)
    made = not os.path.lexists(path)
    save(note, KEPT, [*entries, {"path": str(path), "kept": str(kept), "made": made, "after": state_of(path)}])
    return kept


def _sealed(note: Note, after: str) -> None:
    """Write down what the path is like once the change is made."""
    entries = load(note, KEPT)
    entries[-1]["after"] = after
    save(note, KEPT, entries)
