"""Structured log of the two programs: one JSON object a line on stderr.

Each line has `time` (UTC), `level`, `event` (a constant sentence, so that it can be searched and counted) and
the facts as further keys. Writing must never stop the program: a closed or full stderr is ignored.
"""

import json
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

LEVELS = ("debug", "info", "warning", "error")


class Log:
    """Writes log lines of at least one level; `debugging` lets hot paths skip building a line."""

    def __init__(self, level: str = "info", stream: TextIO | None = None) -> None:
        self._least = LEVELS.index(level)
        self._stream = stream if stream is not None else sys.stderr
        self.debugging = self._least == 0

    def debug(self, event: str, **facts: Any) -> None:
        """Something that happens many times a second, such as a share."""
        self._write(0, event, facts)

    def info(self, event: str, **facts: Any) -> None:
        """Something that a person would want to see happened."""
        self._write(1, event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        """Something that is not as it should be, and that the program copes with."""
        self._write(2, event, facts)

    def fatal(self, event: str, **facts: Any) -> None:
        """Something that keeps the program from its job (level `error`)."""
        self._write(3, event, facts)

    def _write(self, level: int, event: str, facts: dict[str, Any]) -> None:
        if level < self._least:
            return
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": time, "level": LEVELS[level], "event": event, **facts}, default=str)
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._least = len(LEVELS)  # nobody reads any more; the work goes on
            self.debugging = False
