"""Tools that read files: inside the environment's folder only, and nothing that is a secret by its name.

Symbolic links are followed and the file they end at is judged, after it was opened, so that nothing can be exchanged in
between. What a file holds is taken for untrusted by tools.py, which takes secrets out of it.
"""

import os
import re
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from shiftboss.handlers.tool_place import NotAllowed, ToolPlace
from shiftboss.model.untrusted import clean

_SECRET = re.compile(
    r"cookie|wallet|secret|passw|credential|token|private|\.sqlite|\.db$|(?<![a-z])id_[a-z]+$|keys?(?![a-z])|\.pem$",
    re.IGNORECASE,
)
_READ = 64 * 1024
_LINES = 3_500
_ENTRIES = 200


async def read_file(argument: str, place: ToolPlace) -> str:
    """The beginning of a text file."""
    with opened(argument, place.folder) as file:
        raw = file.read(_READ + 1)
    if b"\0" in raw:
        raise ValueError("it is not a text file")
    whole = raw if len(raw) <= _READ else raw[:_READ].rpartition(b"\n")[0]
    return whole.decode(errors="replace")


async def tail_log(argument: str, place: ToolPlace) -> str:
    """The last lines of a component's log, or of another file."""
    log = place.bench.environment.log_folder / f"{argument}.log"
    with opened(str(log.resolve()) if _is_name(argument) and log.exists() else argument, place.folder) as file:
        start = max(0, file.seek(0, os.SEEK_END) - _READ)
        file.seek(start)
        raw = file.read(_READ)
    whole = raw.partition(b"\n")[2] if start else raw
    return clean(whole.decode(errors="replace"))[-_LINES:]


async def list_files(argument: str, place: ToolPlace) -> str:
    """The names in a folder, with the sizes of files."""
    folder = inside(argument or ".", place.folder)
    entries = sorted(folder.iterdir())
    rows = [_row(entry) for entry in entries[:_ENTRIES]]
    more = len(entries) - len(rows)
    return "\n".join([*rows, *([f"and {more} more"] if more else [])]) or "it is empty"


def inside(argument: str, folder: Path) -> Path:
    """The path that is meant, without symbolic links.

    Raises:
        NotAllowed: it is outside the environment's folder.
    """
    path = (folder / argument).resolve()
    if not path.is_relative_to(folder):
        raise NotAllowed("only files of the environment's folder may be read")
    return path


@contextmanager
def opened(argument: str, folder: Path) -> Generator[BinaryIO]:
    """A file inside the folder, open for reading.

    Raises:
        NotAllowed: it is outside, a secret by its name, or no ordinary file.
        OSError: it can't be opened.
    """
    path = inside(argument, folder)
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotAllowed("only ordinary files may be read")
        refuse_secret(inside(str(Path(f"/proc/self/fd/{handle}").readlink()), folder), folder)
        with os.fdopen(handle, "rb", buffering=0, closefd=False) as file:
            yield file
    finally:
        os.close(handle)


def refuse_secret(path: Path, folder: Path) -> None:
    """Let only a file pass that does not look like a secret by its name, or by that of a folder it is in.

    Raises:
        NotAllowed: it looks like one.
    """
    if any(_SECRET.search(part) for part in path.relative_to(folder).parts):
        raise NotAllowed("files with keys, wallets, cookies and databases may not be read")


def _is_name(argument: str) -> bool:
    return re.fullmatch(r"[\w.-]{1,100}", argument) is not None


def _row(entry: Path) -> str:
    found = entry.lstat()
    if stat.S_ISDIR(found.st_mode):
        return f"{entry.name}/"
    return f"{entry.name}  {found.st_size} bytes" if stat.S_ISREG(found.st_mode) else f"{entry.name}  (special)"
