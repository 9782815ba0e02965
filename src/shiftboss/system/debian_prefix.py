"""Unpacks Debian packages into a private folder and makes their programs start from there.

Called by `packages` on a folder that is not in use yet. No package script runs. The programs are started through the
unpacked loader with the unpacked libraries, so the machine's own C library neither matters nor changes.
"""

import asyncio
import os
import re
import shlex
import struct
from collections.abc import Sequence
from pathlib import Path

from shiftboss.model.value import Value
from shiftboss.system.debian_command import run, run_checked
from shiftboss.system.debian_errors import BinaryBroken, InstallFailed

ROOT = "root"
BIN = "bin"
UNPACK_SECONDS = 120.0
START_SECONDS = 30.0
PT_INTERP = 3  # program header type, see elf(5)
WRAPPER = """#!/bin/sh
# Starts {program} with the loader and the libraries that were unpacked beside it; exec keeps the process id.
self=$(readlink -f -- "$0") || exit 127
here=${{self%/*/*}}/{root}
exec "$here"/{loader} --inhibit-cache --library-path {libraries} "$here"/{target} "$@"
"""


class Launch(Value):
    """What it takes to start an unpacked program; all paths are relative to the unpacked root."""

    program: Path
    loader: Path
    libraries: tuple[Path, ...]


async def unpack(debs: Sequence[Path], prefix: Path) -> None:
    """Unpack the files of all packages into `prefix`/root, as many at a time as there are cores."""
    root = prefix / ROOT
    root.mkdir()
    queue = sorted(debs, key=lambda path: path.stat().st_size)

    async def worker() -> None:
        while queue:
            await run_checked(
                ["dpkg-deb", "-x", str(queue.pop()), str(root)],
                step="unpack the packages",
                limit_seconds=UNPACK_SECONDS,
            )

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(os.cpu_count() or 1):
                group.create_task(worker())
    except ExceptionGroup as failures:  # one reason is enough, and callers know InstallFailed
        raise failures.exceptions[0] from failures


def find_launch(root: Path, program: str) -> Launch | None:
    """How to start a program of the unpacked packages; None when they hold no such program."""
    target = root / "usr" / "bin" / program
    if not target.is_file():
        return None
    loader = find_loader(root, interpreter_of(target))
    folders = (loader.parent, root / "usr" / "lib", root / "lib" / loader.parent.name)
    return Launch(
        program=target.relative_to(root),
        loader=loader.relative_to(root),
        libraries=tuple(folder.relative_to(root) for folder in folders if folder.is_dir()),
    )


def write_wrapper(prefix: Path, launch: Launch) -> None:
    """Write `prefix`/bin/PROGRAM. It finds everything relative to its own place, so the prefix may be moved."""
    name = launch.program.name
    wrapper = prefix / BIN / name
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(
        WRAPPER.format(
            program=name,
            root=ROOT,
            loader=shlex.quote(str(launch.loader)),
            libraries=":".join(f'"$here"/{shlex.quote(str(folder))}' for folder in launch.libraries),
            target=shlex.quote(str(launch.program)),
        ),
    )
    wrapper.chmod(0o755)


def interpreter_of(program: Path) -> str:
    """The loader that a 64-bit little-endian ELF program asks for (elf(5), PT_INTERP).

    Raises:
        BinaryBroken: the file is no such program.
    """
    data = program.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        raise BinaryBroken(f"{program} is no 64-bit ELF program")
    try:
        (table,) = struct.unpack_from("<Q", data, 32)
        size, count = struct.unpack_from("<HH", data, 54)
        for header in (table + size * index for index in range(count)):
            (kind,) = struct.unpack_from("<I", data, header)
            start, length = struct.unpack_from("<Q16xQ", data, header + 8)
            if kind == PT_INTERP:
                return data[start : start + length].rstrip(b"\0").decode()
    except struct.error as error:
        raise BinaryBroken(f"{program} is cut off") from error
    raise BinaryBroken(f"{program} names no loader")


def find_loader(root: Path, interpreter: str) -> Path:
    """The unpacked loader of that name, in the folder of the libraries it belongs to.

    Raises:
        InstallFailed: the packages hold none.
    """
    name = Path(interpreter).name
    real = [p for p in sorted(root.glob(f"**/{name}")) if p.is_file() and not p.is_symlink()]
    if not real:
        raise InstallFailed("find the program's loader", last_lines=[f"no {name} in the unpacked packages"])
    return real[0]


async def check_libraries(root: Path, launch: Launch) -> None:
    """Ask the unpacked loader where it finds each library; all must be inside the prefix.

    Raises:
        InstallFailed: one is missing or would come from the system.
    """
    path = ":".join(str(root / folder) for folder in launch.libraries)
    options = ["--inhibit-cache", "--library-path", path, "--list"]
    command = [str(root / launch.loader), *options, str(root / launch.program)]
    listed = await run(command, step="check the libraries", limit_seconds=START_SECONDS)
    stray = stray_libraries(listed.stdout, root)
    if listed.exit_code or stray:
        raise InstallFailed(
            f"find every library of {launch.program.name} in the unpacked packages",
            command=command,
            exit_code=listed.exit_code,
            last_lines=stray or listed.last_lines(),
        )


def stray_libraries(listed: str, root: Path) -> list[str]:
    """The lines of `ld.so --list` whose library is not inside `root`. A line without an arrow is the loader."""
    found = re.findall(r"^\s*(\S+ => (.+?)(?: \(0x[0-9a-f]+\))?)$", listed, flags=re.MULTILINE)
    return [line for line, place in found if not Path(place).resolve().is_relative_to(root.resolve())]


async def self_test_version(program: Path) -> str:
    """Run `PROGRAM -version` and return the first line it prints.

    Raises:
        BinaryBroken: it does not run; the message is the loader's or the system's own.
    """
    try:
        finished = await run([str(program), "-version"], step=f"run {program}", limit_seconds=START_SECONDS)
    except InstallFailed as error:
        raise BinaryBroken(f"{program} does not run: {' / '.join(error.last_lines)}") from error
    lines = finished.stdout.strip().splitlines()
    if finished.exit_code or not lines:
        said = " / ".join(finished.last_lines()) or f"exit code {finished.exit_code} and no text"
        raise BinaryBroken(f"{program} does not run: {said}")
    return lines[0].strip()
