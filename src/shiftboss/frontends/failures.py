"""How an error reaches a person: in words on stderr (or as the one JSON document), never as a traceback.

cli.py calls `tell` for whatever a verb raised. What was not raised on purpose is a bug of ours: its traceback goes
into a file of the working directory, if there is one.
"""

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from shiftboss.errors import BadInput, Refused, ShiftbossError
from shiftboss.frontends.arguments import DEFAULT_WORKDIR
from shiftboss.frontends.text import clean, wrap
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.run import EXIT_CODES, EXIT_INTERNAL, EXIT_REFUSED, EXIT_USAGE, Ending

DEBUG = "SHIFTBOSS_TEST_DEBUG"


_INTERRUPTED = {
    "compare": "Interrupted: the throw-away stacks are stopped.",
    **dict.fromkeys(
        ("mine", "reorg", "send"),
        "Interrupted: the daemon may go on with what it was asked. shiftboss status shows where it stands.",
    ),
}
"""What Ctrl-C leaves behind, by verb, where the usual sentence would not be true."""
_USUAL = "Interrupted: nothing new was started, and the stack was left as it is."
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
_PLACES = {"command line": "on the", "environment": "in the"}


def refuse_other_systems() -> None:
    """Say clearly that only Linux is supported.

    Raises:
        Refused: this is another system.
    """
    if sys.platform != "linux":
        message = f"shiftboss runs on Linux only, and this is {sys.platform}: it reads /proc and uses Linux file locks."
        raise Refused(f"{message} Use a Linux machine, container or virtual machine.")


def forgive_odd_letters(stream: TextIO) -> None:
    """Print ? for what the terminal can't show, instead of failing."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")


def tell(error: BaseException, words: Sequence[str]) -> int:
    """Say what happened, on stderr or as JSON; the exit code."""
    kind, code, findings = _classify(error, words)
    if os.environ.get(DEBUG) == "1":
        import traceback

        traceback.print_exception(error)
    if "--json" in words:
        print_document({"error": kind, "diagnostics": [plain(finding) for finding in findings], "exit_code": code})
    elif kind == "bad input":
        sys.stderr.write("".join(as_text(finding) for finding in findings))
    elif findings:
        lines = [line for one in findings for line in wrap(f"shiftboss: {one.what} {one.remedy}".strip(), 78, hang=2)]
        sys.stderr.write("\n".join(lines) + "\n")
    return code


def print_document(document: Mapping[str, Any] | Sequence[Any]) -> None:
    """The one JSON document of `--json`."""
    import json

    sys.stdout.write(json.dumps(document, indent=1, default=str) + "\n")
    sys.stdout.flush()


def plain(finding: Diagnostic) -> dict[str, Any]:
    """A finding as plain JSON values."""
    return {**asdict(finding), "severity": str(finding.severity)}


def as_text(finding: Diagnostic) -> str:
    """What is wrong, where it stands and how to mend it, each on a line of its own."""
    where = finding.place if finding.line is None else f"{finding.place}:{finding.line}"
    inside = f" ({finding.path})" if finding.path else ""
    lines = [
        *wrap(f"{finding.severity}: {finding.what}", 78, hang=2),
        f"  {_PLACES.get(where, 'in')} {clean(where)}{clean(inside)}",
        *("  " + line for line in wrap(finding.remedy, 76)),
    ]
    return "\n".join(line for line in lines if line.strip()) + "\n"


def _classify(error: BaseException, words: Sequence[str]) -> tuple[str, int, Sequence[Diagnostic]]:
    """The kind of an error, its exit code and what to say of it."""
    if isinstance(error, BadInput):
        return "bad input", EXIT_USAGE, error.diagnostics
    if isinstance(error, Refused):
        return "refused", EXIT_REFUSED, [_sentence(error)]
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "CancelledError":
        what = next((_INTERRUPTED[word] for word in words if word in _INTERRUPTED), _USUAL)
        return "interrupted", EXIT_CODES[Ending.INTERRUPTED], [Diagnostic(place="", what=what, remedy="")]
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        what = f"{error.strerror}: {error.filename or 'the output'} can't be written. Free space and run again."
        return "no room", EXIT_INTERNAL, [Diagnostic(place="", what=what, remedy="")]
    if isinstance(error, ShiftbossError):
        return "store broken", EXIT_INTERNAL, [_sentence(error)]
    return "internal error", EXIT_INTERNAL, [_bug(error, words)]


def _sentence(error: BaseException) -> Diagnostic:
    return Diagnostic(place="", what=str(error), remedy="")


def _bug(error: BaseException, words: Sequence[str]) -> Diagnostic:
    what = f"this is a bug in shiftboss ({type(error).__name__}: {error})."
    path = _write_crash(error, words)
    if path is not None:
        return Diagnostic(place="", what=what, remedy=f"Please report it with {path}")
    return Diagnostic(place="", what=what, remedy=f"{DEBUG}=1 shows where it happened.")


def _write_crash(error: BaseException, words: Sequence[str]) -> Path | None:
    """The traceback in a file of the working directory; None where there is no such folder or no room."""
    import traceback

    from shiftboss.model.redact import redact

    home = _workdir(words)
    if not home.is_dir():
        return None
    try:
        from shiftboss.system.clock import SystemClock, file_stamp
        from shiftboss.system.files import write_atomic

        path = home / f"crash-{file_stamp(SystemClock().now())}-{os.getpid()}.txt"
        story = "".join(traceback.format_exception(error))
        write_atomic(path, redact(f"shiftboss {' '.join(words)}\n\n{story}"))
    except Exception:  # noqa: BLE001 - a second failure must not hide the first
        return None
    return path


def _workdir(words: Sequence[str]) -> Path:
    """Where the working directory is, read without the parser: that may be what failed."""
    for index, word in enumerate(words):
        if word == "--workdir" and index + 1 < len(words):
            return Path(words[index + 1])
        if word.startswith("--workdir="):
            return Path(word.partition("=")[2])
    return Path(DEFAULT_WORKDIR)
