"""Runs a user's program on our own terminal and streams, and passes on to it the signals that are meant for it.

Called by frontends/verbs_ci.py. The program is nobody's part of the stack: it carries no marks. It has a process group
of its own, so that it ends with all it started; a terminal is lent to that group, as a shell does.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

PASSED_ON = (signal.SIGTERM, signal.SIGINT)

GRACE = 10
"""Seconds that a program has after a signal; then it is killed."""

_POLL_SECONDS = 0.05
_STDIN = 0
_NEEDS_TERMINAL = (signal.SIGTTIN, signal.SIGTTOU)


class Signals:
    """What SIGTERM and Ctrl-C do between a run and the end of the process: they are noted, and end only the program.

    The first is passed on; at the second, or after GRACE, the program and all it started are killed.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.came: list[int] = []
        self._say = say
        self._group: int | None = None
        self._killed = False

    @contextmanager
    def kept(self) -> Generator[None]:
        """Take the signals; those that `hold_back` kept waiting come now."""
        before = {number: signal.signal(number, self._take) for number in PASSED_ON}
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._kill)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, argv: Sequence[str], environ: Mapping[str, str], out: int | None = None) -> int:
        """Run a program to its end; its exit code, 128 + n where signal n ended it. `out` replaces its stdout.

        What it started and left behind in its process group is ended too. Only within `kept`.

        Raises:
            OSError: it can't be started.
        """
        with subprocess.Popen(argv, env=dict(environ), stdout=out, process_group=0) as child:
            self._group = child.pid
            if self.came:  # it came while the program was being started
                self._pass_on(self.came[-1])
            _lend_terminal(child.pid)
            try:
                code = child.returncode = _wait(child.pid)
                self._end_rest(child.pid)
            finally:
                signal.alarm(0)
                self._group = None
                _take_terminal(child.pid)
        return code if code >= 0 else 128 - code

    def _take(self, number: int, _frame: FrameType | None) -> None:
        self.came.append(number)
        if self._group is None:
            return
        if len(self.came) > 1:
            self._kill()
        else:
            self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        name = signal.Signals(number).name
        self._say(f"{name} is passed on to the command; after {GRACE} s, or at a second signal, it is killed.")
        self._send(number)
        signal.alarm(GRACE)

    def _kill(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        if self._group is not None and not self._killed:
            self._killed = True
            self._say("The command, or what it started, did not end: killed.")
            self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self._group is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._group, number)

    def _end_rest(self, group: int) -> None:
        """End what the program left behind, with the same grace."""
        if not self.came and _is_there(group):
            self._send(signal.SIGTERM)
            signal.alarm(GRACE)
        while not self._killed and _is_there(group):
            time.sleep(_POLL_SECONDS)


def hold_back() -> None:
    """Keep SIGTERM and Ctrl-C waiting from now on, so that none is lost while nobody takes them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _wait(pid: int) -> int:
    """Wait for the program's end, its exit code (-n for signal n); Ctrl-Z stops and `fg` continues us both."""
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            return os.waitstatus_to_exitcode(status)
        if _terminal_group() is None:
            continue  # stopped by hand: whoever did that continues it
        if os.WSTOPSIG(status) not in _NEEDS_TERMINAL or not _lend_terminal(pid):
            _take_terminal(pid)
            os.kill(os.getpid(), signal.SIGSTOP)
            _lend_terminal(pid)
        os.killpg(pid, signal.SIGCONT)


def _terminal_group() -> int | None:
    """The process group that has the terminal of our stdin; None: stdin is no terminal of ours."""
    try:
        return os.tcgetpgrp(_STDIN)
    except OSError:
        return None


def _lend_terminal(group: int) -> bool:
    """Let a group have our terminal, with its Ctrl-C; whether it has it now. It is not ours to lend in a background."""
    if _terminal_group() == os.getpgrp():
        os.tcsetpgrp(_STDIN, group)
    return _terminal_group() == group


def _take_terminal(group: int) -> None:
    """Have the terminal back from a group."""
    if _terminal_group() != group:
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])  # the kernel's way to stop thieves
    try:
        os.tcsetpgrp(_STDIN, os.getpgrp())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
