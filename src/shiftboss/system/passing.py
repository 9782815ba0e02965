"""Runs a user's program on our own terminal and streams, and passes on to it the signals that are meant for it.

Called by frontends/verbs_ci.py. The program is nobody's part of the stack: it carries no marks.
"""

import os
import signal
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

PASSED_ON = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """What SIGTERM and Ctrl-C do between a run and the end of the process: they are noted, and end only the program."""

    def __init__(self) -> None:
        self.came: list[int] = []
        self._child: subprocess.Popen[bytes] | None = None

    @contextmanager
    def kept(self) -> Generator[None]:
        """Take the signals; those that `hold_back` kept waiting come now."""
        before = {number: signal.signal(number, self._take) for number in PASSED_ON}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, argv: Sequence[str], environ: Mapping[str, str], out: int | None = None) -> int:
        """Run a program to its end; its exit code, 128 + n where signal n ended it. `out` replaces its stdout.

        Raises:
            OSError: it can't be started.
        """
        with subprocess.Popen(argv, env=dict(environ), stdout=out) as child:
            self._child = child
            if self.came:  # it came while the program was being started
                child.send_signal(self.came[-1])
            code = child.wait()
            self._child = None
        return code if code >= 0 else 128 - code

    def _take(self, number: int, _frame: FrameType | None) -> None:
        self.came.append(number)
        if self._child is not None and not (number == signal.SIGINT and _in_the_foreground()):
            self._child.send_signal(number)


def hold_back() -> None:
    """Keep SIGTERM and Ctrl-C waiting from now on, so that none is lost while nobody takes them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)


def _in_the_foreground() -> bool:
    """Whether a Ctrl-C on the terminal reached the program too."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
