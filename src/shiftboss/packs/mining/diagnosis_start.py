"""What is noted when a part is started, so that later only what it said since then is looked at.

Handlers write the note (run/COMPONENT-start.json) just before they start a process; probes read it.
"""

import json
from pathlib import Path
from typing import Any

from shiftboss.packs.mining.layout import DAEMON, layout, log_file, read_json
from shiftboss.system.files import ensure_private_folder, write_atomic
from shiftboss.system.workbench import Workbench

TAIL_BYTES = 256 * 1024
"""Enough for the last words and the errors before them."""


def note_of(bench: Workbench, component: str) -> dict[str, Any]:
    """What was noted at the last start; empty when nothing was."""
    return read_json(_path(bench, component))


def write_note(bench: Workbench, component: str, **facts: Any) -> None:
    """Note where the logs end now, and whatever else the next look shall know."""
    ensure_private_folder(bench.environment.run_folder)
    ends = {"output": _size(log_file(bench, component)), "log": _size(_own_log(bench, component))}
    rewrite_note(bench, component, {**ends, "at": bench.clock.now(), **facts})


def rewrite_note(bench: Workbench, component: str, note: dict[str, Any]) -> None:
    """Replace the note."""
    write_atomic(_path(bench, component), json.dumps(note))


def output_since(bench: Workbench, component: str) -> str:
    """What a part printed since its last start."""
    return _since(log_file(bench, component), note_of(bench, component).get("output", 0), TAIL_BYTES)


def log_since(bench: Workbench, component: str, most: int = TAIL_BYTES) -> str:
    """What a part wrote to its own log since its last start, at most the last `most` bytes."""
    return _since(_own_log(bench, component), note_of(bench, component).get("log", 0), most)


def own_log(bench: Workbench) -> Path:
    """The daemon's debug.log."""
    return layout(bench).chain_data / "debug.log"


def _own_log(bench: Workbench, component: str) -> Path:
    return own_log(bench) if component == DAEMON else log_file(bench, component)


def _path(bench: Workbench, component: str) -> Path:
    return bench.environment.run_folder / f"{component}-start.json"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _since(path: Path, offset: int, most: int) -> str:
    """The text from an offset on, or its end; a file that is shorter now was begun anew."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = offset if offset <= size else 0
            file.seek(max(start, size - most))
            return file.read(most).decode(errors="replace")
    except OSError:
        return ""
