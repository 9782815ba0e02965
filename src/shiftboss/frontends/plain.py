"""Plain lines, 80 columns, no colours, no questions: for files, pipes, CI, and for people who prefer them."""

import sys
from collections.abc import Iterator, Sequence

from shiftboss.frontends.narrate import URGENT, Line, Narrator
from shiftboss.frontends.tables import Table
from shiftboss.frontends.text import wrap
from shiftboss.model.events import Recorded

WIDTH = 80
_TEXT_COLUMN = 17


def lines_of(line: Line, width: int = WIDTH) -> Iterator[str]:
    """A line of the story as it is printed: time, word, text, wrapped under itself."""
    first, *rest = wrap(line.text, width - _TEXT_COLUMN)
    yield f"{line.at:5.1f}s  {line.word:<7}  {first}".rstrip()
    for more in rest:
        yield " " * _TEXT_COLUMN + more


def table_lines(table: Table, width: int = WIDTH) -> Iterator[str]:
    """A table as aligned text; the last column is wrapped."""
    yield f"{table.title}:"
    rows = list(table.rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)] if rows else []
    left = 2 + sum(widths) + 2 * len(widths)
    for row in rows:
        start = "".join(f"{cell:<{size}}  " for cell, size in zip(row, widths, strict=False))
        first, *rest = wrap(row[-1], max(20, width - left))
        yield f"  {start}{first}".rstrip()
        for more in rest:
            yield " " * left + more


def write(lines: Sequence[str] | Iterator[str]) -> None:
    """Print lines on stdout, at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


class PlainScreen:
    """Prints a run as it goes; with `quiet` only problems and the end."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.narrator = Narrator()
        self._quiet = quiet

    def show(self, record: Recorded) -> None:
        """Print what is worth reading of one event."""
        for line in self.narrator.tell(record):
            if not self._quiet or line.word in URGENT:
                write(lines_of(line))

    def tick(self) -> None:
        """Nothing moves between events."""

    def tables(self, tables: Sequence[Table]) -> None:
        """Print the end of a run."""
        if self._quiet:
            return
        for table in tables:
            write(["", *table_lines(table)])

    def close(self) -> None:
        """Nothing is held open."""


class SilentScreen(PlainScreen):
    """Prints nothing: with --json only the document is shown."""

    def show(self, record: Recorded) -> None:
        """Fold the event in, for the document of an interrupted run."""
        self.narrator.tell(record)

    def tables(self, tables: Sequence[Table]) -> None:
        """Nothing."""
