"""Real stacks for tests: one golden 101-block data folder per test run, copied for each test."""

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from stacks import Stack


@pytest.fixture(scope="session")
def golden(bitcoind: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory whose wallet is funded and whose daemon was stopped cleanly; made once per test run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    home = shared / "golden"
    with (shared / "golden.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            shutil.rmtree(home, ignore_errors=True)
            stack = Stack(home, bitcoind)
            assert stack.run("up", "mining", "wallet")["ending"] == "converged"
            assert stack.run("down")["ending"] == "converged"
            (home / "done").touch()
    return home


@pytest.fixture
def stack(golden: Path, bitcoind: Path, tmp_path: Path) -> Iterator[Stack]:
    """A stack of its own on a copy of the golden data: nothing runs yet, the wallet is funded at height 101."""
    home = tmp_path / "work"
    shutil.copytree(golden, home, ignore=shutil.ignore_patterns("state.sqlite3*", "*.lock", "done"))
    made = Stack(home, bitcoind)
    yield made
    made.end()


@pytest.fixture
def fresh(bitcoind: Path, tmp_path: Path) -> Iterator[Stack]:
    """A stack in an empty working directory."""
    made = Stack(tmp_path / "work", bitcoind)
    yield made
    made.end()
