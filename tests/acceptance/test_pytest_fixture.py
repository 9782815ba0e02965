"""The pytest fixture as its users have it: the shipped example in two workers, and a run that is interrupted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import eventually
from shiftboss.system import proc
from shiftboss.system.instance import marks_of

pytestmark = pytest.mark.real

EXAMPLE = Path(__file__).parents[2] / "examples" / "pytest-fixture"
SLOW = """\
import pathlib, time

pytest_plugins = ["shiftboss.testing"]


def test_it(mining_stack):
    pathlib.Path("begun").write_text(mining_stack.environ["SHIFTBOSS_RPC"])
    time.sleep(100)
"""


def command(folder: Path, tests: Path, *words: str) -> list[str]:
    alone = ["-q", "-c", os.devnull, f"--rootdir={tests}", "-p", "no:cacheprovider", f"--basetemp={folder / 'base'}"]
    return [sys.executable, "-m", "pytest", *alone, *words, str(tests)]


def environment(bitcoind: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "SHIFTBOSS"))}
    return {**kept, "SHIFTBOSS_DAEMON__BINARY": str(bitcoind)}


def ours(folder: Path) -> list[int]:
    """The living processes of all working directories below a folder."""
    marks = {pid: marks_of(pid) for pid in proc.pids()}
    return [pid for pid, found in marks.items() if found and found.home.startswith(str(folder.resolve()))]


def test_the_example_runs_in_two_workers_and_leaves_nothing(tmp_path: Path, bitcoind: Path) -> None:
    done = subprocess.run(
        command(tmp_path, EXAMPLE, "-n", "2"),
        env=environment(bitcoind),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "4 passed" in done.stdout
    assert ours(tmp_path) == []


def test_an_interrupted_test_run_leaves_nothing(tmp_path: Path, bitcoind: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_slow.py").write_text(SLOW)
    words = command(tmp_path, tests)
    run = subprocess.Popen(words, env=environment(bitcoind), cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    eventually((tmp_path / "begun").exists, seconds=60, what="the first test")
    assert ours(tmp_path) != []
    run.send_signal(signal.SIGINT)
    printed, _ = run.communicate(timeout=60)
    assert run.returncode == pytest.ExitCode.INTERRUPTED, printed
    assert ours(tmp_path) == []
