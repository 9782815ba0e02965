"""The live drawing on a terminal: what is decided scrolls by, what is there and in flight stands below and moves.

rich is loaded at the first delegation only: a run that finds everything done ends before it would be of use.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from shiftboss.frontends.narrate import Line
from shiftboss.frontends.plain import WIDTH, PlainScreen, lines_of, table_lines, write
from shiftboss.frontends.tables import Table
from shiftboss.frontends.text import clean
from shiftboss.model.events import Recorded
from shiftboss.system.clock import Clock
from shiftboss.view import DelegationView

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table as Grid

WIDEST = 110
"""Wider lines are hard to read."""

_CODES: Mapping[str, str] = {
    "starts": "1",
    "sees": "2",
    "decides": "1;36",
    "sends": "34",
    "done": "32",
    "failed": "1;31",
    "warns": "33",
    "notes": "35",
    "refuses": "33",
    "ends": "1",
    "ready": "32",
    "starting": "33",
    "broken": "31",
    "absent": "2",
    "unknown": "33",
}
"""Word of a line, or health -> its SGR code (ECMA-48)."""

STYLES = {"ready": "green", "starting": "yellow", "broken": "red", "absent": "dim", "unknown": "yellow"}
MARKS = {"ready": "●", "starting": "◐", "broken": "✗", "absent": "○", "unknown": "?"}


def terminal_width() -> int:
    """Columns to use."""
    try:
        return min(WIDEST, max(40, os.get_terminal_size(sys.stdout.fileno()).columns))
    except (OSError, ValueError):
        return WIDTH


def painted(text: str, word: str) -> str:
    """The first occurrence of a word in its colour; the rest stays as it is."""
    code = _CODES.get(word)
    return text.replace(word, f"\x1b[{code}m{word}\x1b[0m", 1) if code else text


class LiveScreen(PlainScreen):
    """Draws a run on a terminal."""

    def __init__(self, clock: Clock, *, color: bool) -> None:
        super().__init__()
        self._clock = clock
        self._color = color
        self._console: Console | None = None
        self._live: Live | None = None

    def show(self, record: Recorded) -> None:
        """Scroll what is worth reading of one event, and draw the rest again."""
        for line in self.narrator.tell(record):
            self._scroll(line)
        if self.narrator.view.in_flight and self._live is None:
            self._begin()
        self.tick()

    def tick(self) -> None:
        """Draw what is in flight with its seconds."""
        if self._live is not None:
            self._live.update(self._picture(), refresh=True)

    def tables(self, tables: Sequence[Table]) -> None:
        """Print the end of a run below the story."""
        self.close()
        for table in tables:
            write(["", *self._table_lines(table)])

    def close(self) -> None:
        """Take the moving part away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _begin(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(no_color=not self._color, highlight=False, markup=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True, redirect_stderr=False)
        self._live.start()

    def _scroll(self, line: Line) -> None:
        lines = list(lines_of(line, terminal_width()))
        if self._color:
            lines[0] = painted(lines[0], line.word)
        if self._live is None or self._console is None:
            write(lines)
            return
        from rich.text import Text

        self._console.print(Text.from_ansi("\n".join(lines)), soft_wrap=True)

    def _table_lines(self, table: Table) -> Iterator[str]:
        title, *lines = table_lines(table, terminal_width())
        yield f"\x1b[1m{title}\x1b[0m" if self._color else title
        for line in lines:
            words = line.split()
            health = words[1] if table.heads and len(words) > 1 else ""
            yield painted(line, health) if self._color and health in STYLES else line

    def _picture(self) -> "Grid":
        from rich.table import Table as Grid
        from rich.text import Text

        view = self.narrator.view
        busy = {f"{one.environment}/{one.component}": one for one in view.in_flight}
        grid = Grid.grid(padding=(0, 1), expand=False)
        for options in ({"width": 1}, {"no_wrap": True}, {"no_wrap": True}, {"no_wrap": True, "overflow": "ellipsis"}):
            grid.add_column(**options)  # pyright: ignore[reportArgumentType] - plain keyword options
        ready = sum(seen.health == "ready" for seen in view.components.values())
        now = self._clock.now()
        grid.add_row("", "", "", "")
        for key, seen in view.components.items():
            order = busy.get(key)
            style = "cyan" if order else STYLES.get(seen.health, "")
            state = self._working(order, now) if order else clean(seen.health)
            mark = "▶" if order else MARKS.get(seen.health, " ")
            name = clean(seen.component if len(_environments(view.components)) == 1 else key)
            grid.add_row(
                Text(mark, style), Text(name), Text(state, style), Text(self._about(order, seen.summary), "dim")
            )
        total = f"{ready} of {len(view.components)} ready, {now - view.started:.0f} s, {len(busy)} in flight"
        grid.add_row("", "", "", "")
        grid.add_row("", Text("stack", "bold"), Text(f"{now - view.started:.1f} s", "bold"), Text(total, "bold"))
        return grid

    @staticmethod
    def _working(order: DelegationView, now: float) -> str:
        return f"{max(0.0, now - order.started):.1f} s"

    @staticmethod
    def _about(order: DelegationView | None, summary: str) -> str:
        return clean(f"{order.agent} {order.strategy or order.mode}" if order else summary)


def _environments(keys: Mapping[str, object]) -> set[str]:
    return {key.partition("/")[0] for key in keys}
