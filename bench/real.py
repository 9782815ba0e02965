"""Real stacks for benchmarks: those of the tests (tests/mining), with folders and ports of their own, always ended.

The daemon is the one of SHIFTBOSS_TEST_BITCOIND, or the private one that shiftboss fetches through its cache.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

sys.path += [str(Path(__file__).parents[1] / "tests" / name) for name in ("mining", ".")]

from stacks import Stack

SHIFTBOSS = str(Path(sys.executable).with_name("shiftboss"))
"""The installed command, as a user starts it."""


class Missing(Exception):
    """Something a benchmark needs is not here; the text says what."""


@contextmanager
def folder() -> Iterator[Path]:
    """A new folder on a disk, removed afterwards."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="shiftboss-bench-") as name:
        yield Path(name)


@contextmanager
def stack(home: Path, **settings: object) -> Iterator[Stack]:
    """A stack in a new working directory; whatever runs of it is ended."""
    made = Stack(home, None, **settings)
    try:
        yield made
    finally:
        made.end()


def copied(home: Path, to: Path) -> None:
    """Copy a working directory whose stack is down, without its journal and memory."""
    shutil.copytree(home, to, ignore=shutil.ignore_patterns("state.sqlite3*", "*.lock"))


def as_installed(made: Stack, *words: str) -> list[str]:
    """A verb of a stack, started as the installed command."""
    return [SHIFTBOSS, *made.command(*words)[3:]]


@cache
def _keep() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir="/var/tmp", prefix="shiftboss-bench-")


@cache
def bitcoind() -> Path:
    """The daemon program; fetching it also fills the cache.

    Raises:
        Missing: there is none, and none can be fetched.
    """
    given = os.environ.get("SHIFTBOSS_TEST_BITCOIND")
    return Path(given) if given else fetched(Path(_keep().name) / "fetched")


def fetched(home: Path) -> Path:
    """The private daemon program of a working directory, from the cache or from the net.

    Raises:
        Missing: it can't be fetched here.
    """
    with stack(home) as made:
        try:
            document = made.up("daemon.binary")
        except AssertionError as error:
            raise Missing(f"no daemon can be fetched; set SHIFTBOSS_TEST_BITCOIND. {error}") from None
    return Path(document["components"]["regtest/daemon.binary"]["evidence"]["path"])
