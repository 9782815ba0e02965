"""One owner per environment, across real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shiftboss.errors import Refused
from shiftboss.system.lock import EnvironmentLock

HOLDER = (
    "import sys\nfrom pathlib import Path\nfrom shiftboss.system.lock import EnvironmentLock\n"
    "lock = EnvironmentLock(Path(sys.argv[1])).acquire(run='run9', command='shiftboss up', since=0.0)\n"
    "print('held', flush=True)\nsys.stdin.read()\nlock.release()\nprint('free', flush=True)\nsys.stdin.read()\n"
)


def other_process(path: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def take(path: Path) -> EnvironmentLock:
    return EnvironmentLock(path).acquire(run="run1", command="test", since=1.0)


def test_a_held_lock_is_refused_with_its_owner_and_what_to_do(tmp_path):
    path = tmp_path / "lock"
    with other_process(path) as owner:
        with pytest.raises(Refused) as caught:
            take(path)
        seen = EnvironmentLock(path).owner()
        owner.kill()
    text = str(caught.value)
    for part in (str(owner.pid), "run9", "1970-01-01T00:00:00Z", "shiftboss status", "shiftboss stop"):
        assert part in text
    assert seen is not None
    assert (seen.pid, seen.run, seen.command) == (owner.pid, "run9", "shiftboss up")


def test_kill_9_of_the_owner_frees_the_lock_and_keeps_the_file(tmp_path):
    path = tmp_path / "lock"
    with other_process(path) as owner:
        owner.kill()
    assert path.exists()
    assert EnvironmentLock(path).owner() is None
    with take(path) as lock:
        assert lock.held
        assert path.stat().st_mode & 0o777 == 0o600


def test_release_frees_it_for_others_and_is_idempotent(tmp_path):
    path = tmp_path / "lock"
    lock = take(path)
    assert lock.acquire(run="run1", command="test", since=1.0) is lock
    with pytest.raises(Refused):
        take(path)
    lock.release()
    lock.release()
    assert not lock.held
    take(path).release()


def test_asking_who_holds_it_never_takes_it(tmp_path):
    path = tmp_path / "lock"
    assert EnvironmentLock(path).owner() is None
    assert not path.exists()
    with take(path):
        owner = EnvironmentLock(path).owner()
        assert owner is not None
        assert owner.pid == os.getpid()
    assert EnvironmentLock(path).owner() is None


def test_a_longer_name_of_an_earlier_owner_leaves_nothing_behind(tmp_path):
    path = tmp_path / "lock"
    EnvironmentLock(path).acquire(run="r" * 500, command="long", since=0.0).release()
    with take(path):
        owner = EnvironmentLock(path).owner()
        assert owner is not None
        assert owner.run == "run1"


def test_an_owner_without_a_name_yet_is_still_an_owner(tmp_path):
    path = tmp_path / "lock"
    with take(path):
        path.write_text("")
        owner = EnvironmentLock(path).owner()
        assert owner is not None
        assert owner.pid == 0
        with pytest.raises(Refused, match="just taken"):
            take(path)


def test_a_child_of_the_owner_does_not_inherit_the_lock(tmp_path):
    path = tmp_path / "lock"
    lock = take(path)
    with subprocess.Popen(["sleep", "300"], close_fds=False) as child:
        lock.release()
        try:
            take(path).release()
        finally:
            child.kill()
