"""The live drawing on a terminal: what is decided scrolls by, what is there and in flight stands below and moves.

rich is loaded at the first delegation only: a run that finds everything done ends before it would be of use.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from shiftboss.frontends.narrate import Line
from shiftboss.frontends.plain import WIDTH, PlainScreen, lines_of, table_lines, write
from shiftboss.frontends.tables import Table
from shiftboss.frontends.text import clean, clip
from shiftboss.model.events import Observed
from shiftboss.system.clock import Clock
from shiftboss.view import DelegationView

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.live import Live

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
    "asks": "1;33",
    "learns": "35",
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


_OTHER_COLUMNS = 16
"""What mark, state and the gaps between them take of a row."""


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

    def __init__(self, clock: Clock, order: Mapping[str, int], *, color: bool) -> None:
        """`order` is the place of each component in the stack."""
        super().__init__()
        self._order = order
        self._clock = clock
        self._color = color
        self._console: Console | None = None
        self._live: Live | None = None

    def draw(self, lines: Sequence[Line]) -> None:
        """Scroll lines of the story, and draw the rest again."""
        for line in lines:
            self._scroll(line)
        if self.narrator.view.in_flight and self._live is None:
            self._begin()
        self.refresh()

    def refresh(self) -> None:
        """Draw what is in flight with its seconds."""
        if self._live is not None:
            self._live.update(self._picture(), refresh=True)

    def draw_end(self, tables: Sequence[Table]) -> None:
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

    def _picture(self) -> "Group":
        """One row per component, in the order of the stack; below it the whole."""
        from rich.console import Group
        from rich.table import Table as Grid
        from rich.text import Text

        view = self.narrator.view
        now = self._clock.now()
        busy = {f"{one.environment}/{one.component}": one for one in view.in_flight}
        keys = sorted(view.components, key=lambda key: self._order.get(key.partition("/")[2], len(self._order)))
        names = {key: clean(key if len(_environments(keys)) > 1 else key.partition("/")[2]) for key in keys}
        grid = Grid.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=1)
        wide = max(map(len, names.values()), default=1)
        grid.add_column(width=wide)
        grid.add_column(width=8)
        grid.add_column(no_wrap=True)
        room = max(10, terminal_width() - wide - _OTHER_COLUMNS)
        for key in keys:
            mark, style, state, about = _row(view.components[key], busy.get(key), now)
            grid.add_row(Text(mark, style), Text(names[key]), Text(state, style), Text(clip(about, room), "dim"))
        ready = sum(seen.health == "ready" for seen in view.components.values())
        whole = f"{now - view.started:.1f} s: {ready} of {len(keys)} ready, {len(busy)} in flight"
        return Group(Text(""), grid, Text(whole, "bold"))


def _row(seen: Observed, order: DelegationView | None, now: float) -> tuple[str, str, str, str]:
    """Mark, style, state and what there is to say of a component."""
    if order is None:
        style = STYLES.get(seen.health, "")
        return MARKS.get(seen.health, " "), style, clean(seen.health), clean(seen.summary)
    doing = clean(f"{order.agent}: {order.strategy or order.mode}")
    return "▶", "cyan", f"{max(0.0, now - order.started):.1f} s", doing


def _environments(keys: Iterable[str]) -> set[str]:
    return {key.partition("/")[0] for key in keys}
