"""Plain lines, 80 columns, no colours, no questions: for files, pipes, CI, and for people who prefer them."""

import sys
from collections.abc import Callable, Iterator, Sequence

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
    """Prints a run as it goes; with `quiet` only problems and the end.

    A reader that goes away (a closed pipe, a full disk) ends the showing, never the run.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.narrator = Narrator()
        self._quiet = quiet
        self.lost = False  #: nobody can be shown anything any more

    def show(self, record: Recorded) -> None:
        """Print what is worth reading of one event."""
        lines = self.narrator.tell(record)
        self._try(lambda: self.draw(lines))

    def tick(self) -> None:
        """Draw what moves between events."""
        self._try(self.refresh)

    def end(self, tables: Sequence[Table]) -> None:
        """Print the end of a run."""
        self._try(lambda: self.draw_end(tables))

    def draw(self, lines: Sequence[Line]) -> None:
        """Print lines of the story."""
        for line in lines:
            if not self._quiet or line.word in URGENT:
                write(lines_of(line))

    def refresh(self) -> None:
        """Nothing moves between events."""

    def draw_end(self, tables: Sequence[Table]) -> None:
        """Print tables."""
        for table in tables:
            if not self._quiet:
                write(["", *table_lines(table)])

    def close(self) -> None:
        """Nothing is held open."""

    def _try(self, draw: Callable[[], None]) -> None:
        if self.lost:
            return
        try:
            draw()
        except OSError:
            self.lost = True


class SilentScreen(PlainScreen):
    """Prints nothing, only folds the events: with --json the document is all that is shown."""

    def draw(self, lines: Sequence[Line]) -> None:
        """Nothing."""

    def draw_end(self, tables: Sequence[Table]) -> None:
        """Nothing."""
