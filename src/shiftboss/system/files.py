"""Files written so that a crash or a full disk at any moment leaves either the old or the new content.

Used by everything that keeps something on disk outside the database: configurations, pid files, reports, logs.
"""

import contextlib
import errno
import hashlib
import os
import shutil
from pathlib import Path

BALLAST_BYTES = 1024 * 1024  # room for an escalation report, its log tails and a few journal pages
LOG_BYTES = 5 * 1024 * 1024  # a log larger than this is rotated when its process is started again
LOGS_KEPT = 3
_READ_AT_ONCE = 1024 * 1024


def write_atomic(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Replace a file by new content, or leave it as it was (e.g. when the disk is full).

    Raises:
        OSError: the new content could not be written; the old file is untouched.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        _write_new(temporary, data, mode)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def append_line(path: Path, line: str, mode: int = 0o600) -> None:
    """Add a line to a file at once, so that lines of several writers do not mix; makes it where there is none."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, mode)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, mode)  # the umask must not decide who may read a secret
        file.write(data)
        file.flush()
        os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Make renames and removals in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_text_tail(path: Path, max_bytes: int) -> str:
    """The end of a text file, from the start of a line on; empty when there is no file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - max_bytes)
            file.seek(start)
            data = file.read(max_bytes)
    except FileNotFoundError:
        return ""
    if start:
        _, newline, rest = data.partition(b"\n")
        data = rest if newline and rest else data
    return data.decode(errors="replace")


def new_lines(path: Path, offset: int, max_bytes: int = _READ_AT_ONCE) -> tuple[str, int]:
    """The whole lines written since `offset`, and the offset for the next call; for log followers.

    A file that shrank, or in which no line ends at `offset` any more, was truncated or rotated: it is read from its
    start. A half-written last line waits for the next call. About `max_bytes` are read in one call. No file: no
    lines, offset 0.
    """
    try:
        with path.open("rb") as file:
            start = offset if _line_ends_at(file.fileno(), offset) else 0
            file.seek(start)
            data = file.read(max_bytes)
            if data and not data.endswith(b"\n"):
                data += file.readline()
    except FileNotFoundError:
        return "", 0
    whole = data[: data.rfind(b"\n") + 1]
    return whole.decode(errors="replace"), start + len(whole)


def _line_ends_at(handle: int, offset: int) -> bool:
    return offset > 0 and os.pread(handle, 1, offset - 1) == b"\n"


def free_bytes(path: Path) -> int:
    """Bytes an ordinary user may still write where `path` is, or will be."""
    while not path.exists() and path != path.parent:
        path = path.parent
    numbers = os.statvfs(path)
    return numbers.f_bavail * numbers.f_frsize


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def ensure_private_folder(path: Path) -> Path:
    """Make a folder (with its parents) that only its owner may enter; idempotent."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o777 != 0o700:
        path.chmod(0o700)
    return path


def size_of(path: Path) -> int:
    """Bytes that a file, or everything in a folder, takes; what vanishes meanwhile counts nothing."""
    if path.is_symlink() or not path.is_dir():
        return _size(path)
    return sum(_size(Path(folder) / name) for folder, _, names in os.walk(path) for name in names)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def copy_durably(source: Path, target: Path) -> None:
    """Copy a folder with everything in it; it is on the disk when this returns.

    Raises:
        OSError: something could not be copied, or `target` is there already; `target` may be half filled.
    """
    target.mkdir(mode=0o700)
    for entry in sorted(source.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            copy_durably(entry, target / entry.name)
        else:
            _copy_file(entry, target / entry.name)
    shutil.copystat(source, target)
    sync_folder(target)


def _copy_file(source: Path, target: Path) -> None:
    shutil.copy2(source, target, follow_symlinks=False)
    if not target.is_symlink():
        handle = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def rotate(path: Path, *, over: int = LOG_BYTES, kept: int = LOGS_KEPT) -> bool:
    """Rename a log that grew larger than `over` bytes to .1, and older ones up by one; the oldest goes.

    Only while nobody writes to it, that is right before its process is started. True when it was renamed; a log that
    is not there or may not be renamed is no reason not to start.
    """
    if _size(path) <= over:
        return False
    names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, kept + 1))]
    with contextlib.suppress(OSError):
        for newer, older in zip(names[-2::-1], names[:0:-1], strict=True):
            if newer.exists():
                newer.replace(older)
        return True
    return False


class Ballast:
    """A file that only takes room, released when the disk is full so that the report can still be written."""

    def __init__(self, path: Path, size: int = BALLAST_BYTES) -> None:
        self._path = path
        self._size = size

    def make(self) -> bool:
        """Take the room; False when there is not enough. Idempotent."""
        if self._path.exists() and self._path.stat().st_size == self._size:
            return True
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, self._size)  # real blocks: a sparse file would free nothing
        except OSError as error:
            self.release()
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                return False
            raise
        finally:
            os.close(handle)
        return True

    def release(self) -> bool:
        """Give the room back; False when there was none. Idempotent."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True
