"""The download cache of Debian packages: files with checksums, shared by all working directories of a user.

Used by `packages` under the cache's lock. A set counts only with its manifest, which is written last; a file counts
only while its SHA-256 is the one the signed index gave.
"""

import asyncio
import contextlib
import fcntl
import glob
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shiftboss.model.value import Value
from shiftboss.system.debian_closure import Package
from shiftboss.system.debian_errors import InstallFailed

MANIFEST = "manifest.json"
LOCK_SECONDS = 1200.0  # longer than the longest honest download
LOCK_POLL_SECONDS = 0.1


class Deb(Value):
    """One package file of a set; `sha256` is what the signed index said."""

    name: str
    version: str
    file: str
    sha256: str
    size: int


class DebSet(Value):
    """A complete set of package files. `fetched` is a UTC date, `warnings` what was to be said about it then."""

    name: str
    exclude: tuple[str, ...]
    fetched: str
    debs: tuple[Deb, ...]
    warnings: tuple[str, ...] = ()

    def version(self) -> str:
        """The version of the package the set was made for."""
        return next(deb.version for deb in self.debs if deb.name == self.name)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_set(folder: Path) -> DebSet | None:
    """The set recorded in a cache folder, or None when there is no readable manifest. Files are not looked at."""
    try:
        plain: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        return DebSet(
            name=plain["name"],
            exclude=tuple(plain["exclude"]),
            fetched=plain["fetched"],
            debs=tuple(Deb(**deb) for deb in plain["debs"]),
            warnings=tuple(plain["warnings"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find_damaged(folder: Path, debs: Sequence[Deb]) -> list[str]:
    """The files that are gone, or whose checksum is wrong; changes nothing."""
    return [deb.file for deb in debs if not _is_whole(folder / deb.file, deb)]


def _is_whole(path: Path, deb: Deb) -> bool:
    try:
        return sha256_of(path) == deb.sha256
    except OSError:
        return False


def drop_damaged(folder: Path, debs: Sequence[Deb]) -> list[str]:
    """Delete the files whose checksum is wrong and name all that are now missing."""
    missing = find_damaged(folder, debs)
    for file in missing:
        (folder / file).unlink(missing_ok=True)
    return missing


def set_folders(cache: Path) -> list[Path]:
    """The folders of a cache that hold sets, whole or not: debian/ARCHITECTURE/SUITE/PACKAGE."""
    return sorted(path for path in cache.glob("debian/*/*/*") if path.is_dir())


def take_in(downloaded: Path, folder: Path, packages: Sequence[Package]) -> list[Deb]:
    """Move downloaded files into the cache folder, after comparing each with the signed index.

    Files that are in the cache already count as well; which file is which is known by checksum alone.

    Raises:
        InstallFailed: a package has no file with its checksum.
    """
    debs: list[Deb] = []
    files = _by_checksum([*folder.glob("*.deb"), *downloaded.glob("*.deb")])
    for package in packages:
        path = files.get(package.sha256)
        if path is None:
            said = f"no file of {package.name} {package.version} has the SHA-256 of the signed index"
            raise InstallFailed("check the downloaded packages", last_lines=[said])
        path.replace(folder / path.name)
        debs.append(
            Deb(
                name=package.name,
                version=package.version,
                file=path.name,
                sha256=package.sha256,
                size=package.size,
            ),
        )
    return debs


def held_checksums(folder: Path) -> set[str]:
    """The checksums of all package files in a cache folder."""
    return set(_by_checksum(list(folder.glob("*.deb"))))


def save_set(folder: Path, found: DebSet) -> None:
    """Write the manifest atomically, then drop the package files it does not name."""
    write_json(folder / MANIFEST, asdict(found))
    kept = {deb.file for deb in found.debs}
    for path in folder.glob("*.deb"):
        if path.name not in kept:
            path.unlink()


def write_json(path: Path, plain: Mapping[str, Any]) -> None:
    """Write a JSON file so that a reader sees the old one or the whole new one."""
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(json.dumps(plain, indent=1, sort_keys=True) + "\n")
    draft.replace(path)


@contextlib.asynccontextmanager
async def locked(path: Path, waiting: Callable[[], None]) -> AsyncGenerator[None]:
    """Hold a lock file; the system frees it if we die. `waiting` is called once if another process holds it.

    Raises:
        InstallFailed: it was held for LOCK_SECONDS.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        deadline = time.monotonic() + LOCK_SECONDS
        told = False
        while not _try_lock(file.fileno()):
            if not told:
                waiting()
                told = True
            if time.monotonic() > deadline:
                raise InstallFailed("wait for the other installation", last_lines=[f"{path} is still locked"])
            await asyncio.sleep(LOCK_POLL_SECONDS)
        yield


@contextlib.contextmanager
def scratch(parent: Path, label: str) -> Generator[Path]:
    """A temporary folder beside the result; those that killed runs left are removed first. Hold the lock."""
    parent.mkdir(parents=True, exist_ok=True)
    for left_over in parent.glob(f".{glob.escape(label)}.*.tmp"):
        shutil.rmtree(left_over, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{label}.", suffix=".tmp", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _by_checksum(paths: Sequence[Path]) -> dict[str, Path]:
    return {sha256_of(path): path for path in paths if os.access(path, os.R_OK)}
