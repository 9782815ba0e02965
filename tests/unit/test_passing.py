"""A user's program: it ends with all it started, at a signal or by itself, and has the terminal while it runs."""

import os
import pty
import signal
import subprocess
import sys

import pytest

from helpers import eventually
from shiftboss.system import proc

RUNNER = """
import fcntl, os, sys, termios
from shiftboss.system import passing
if os.isatty(0):
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
passing.GRACE = int(sys.argv[1])
signals = passing.Signals(lambda text: print(text, flush=True))
with signals.kept():
    code = signals.run(sys.argv[2:], os.environ)
assert not os.isatty(0) or os.tcgetpgrp(0) == os.getpgrp(), "the terminal is not ours again"
sys.exit(code)
"""
DEAF = 'trap "" TERM; echo $$ > pid; while :; do sleep 0.1; done'


@pytest.fixture
def start(tmp_path):
    """Starts a shell script the way `up -- COMMAND` does; nothing of it is left."""
    made = []

    def run(script, grace, stdin=subprocess.DEVNULL):
        argv = [sys.executable, "-c", RUNNER, str(grace), "sh", "-c", script]
        made.append(
            subprocess.Popen(argv, cwd=tmp_path, stdin=stdin, stdout=subprocess.PIPE, text=True, start_new_session=True)
        )
        return made[-1]

    yield run
    for one in made:
        one.kill()
        one.communicate()
    for pid in written(tmp_path):
        if proc.is_running(pid):
            os.kill(pid, signal.SIGKILL)


def written(place):
    path = place / "pid"
    return [int(word) for word in path.read_text().split()] if path.exists() else []


@pytest.mark.parametrize(("grace", "signals"), [(1, 1), (60, 2)])
def test_a_command_that_is_deaf_is_killed(start, tmp_path, grace, signals):
    run = start(DEAF, grace)
    eventually(lambda: written(tmp_path), what="the command")
    run.send_signal(signal.SIGTERM)
    assert "passed on" in run.stdout.readline()
    if signals == 2:
        run.send_signal(signal.SIGTERM)
    assert run.wait(20) == 128 + signal.SIGKILL
    assert "killed" in run.stdout.readline()


def test_a_signal_ends_what_the_command_started_too(start, tmp_path):
    run = start('sh -c "echo \\$\\$ > pid; exec sleep 300"; echo never', 60)
    eventually(lambda: written(tmp_path), what="the command's child")
    run.send_signal(signal.SIGTERM)
    assert run.wait(20) == 128 + signal.SIGTERM
    assert not proc.is_running(*written(tmp_path))


def test_what_a_command_leaves_behind_is_ended(start, tmp_path):
    run = start("sleep 300 & echo $! > pid; exit 3", 60)
    assert run.wait(20) == 3
    assert not proc.is_running(*written(tmp_path))


def test_a_command_reads_the_terminal_and_gets_its_ctrl_c(start, tmp_path):
    ours, its = pty.openpty()
    try:
        run = start("read word; echo $$ > pid; echo $word > word; exec sleep 300", 60, stdin=its)
        os.write(ours, b"hello\n")
        eventually(lambda: written(tmp_path), what="the word to be read")
        eventually((tmp_path / "word").exists, what="the word to be read")
        os.write(ours, b"\x03")
        assert run.wait(20) == 128 + signal.SIGINT
        assert (tmp_path / "word").read_text() == "hello\n"
    finally:
        os.close(ours)
        os.close(its)
