"""The live drawing: what it shows of a run at 80 columns, and that text in it can't steer the terminal."""

import io
import os
from contextlib import contextmanager

from shiftboss.frontends.terminal import LiveScreen, painted, terminal_width
from shiftboss.model.events import Decided, Delegated, Observed, Recorded, RunEnded, RunStarted, Settled
from shiftboss.system.clock import FakeClock

START = 1_700_000_000.0
EVENTS = [
    (0.0, RunStarted(pack="mining", pipeline="p", brain="policy", goal={"want": "up"}, environments=["regtest"])),
    (
        0.0,
        Observed(environment="regtest", component="pool", health="absent", summary="[bold]no\x1b[31m pool[/bold] " * 9),
    ),
    (0.0, Observed(environment="regtest", component="daemon", health="ready", summary="answers")),
    (0.1, Decided(turn=0, source="policy", keywords=["delegate_pool_setup"], moves=["x"], reasoning="[red]because")),
    (
        0.1,
        Delegated(
            id="r/0/0",
            environment="regtest",
            component="pool",
            agent="pool_server_manager",
            mode="ensure",
            strategy=None,
            keyword="k",
            attempt=1,
            deadline=9,
        ),
    ),
]
END = [
    (3.0, Observed(environment="regtest", component="pool", health="ready", summary="serves")),
    (3.0, Settled(id="r/0/0", status="done", outcome="ok", ok=True, summary="done", seconds=2.9)),
    (3.1, RunEnded(ending="converged", turns=2, seconds=3.1)),
]


@contextmanager
def screen(monkeypatch):
    """A screen that writes into memory, as if that were a terminal of 80 columns."""
    out = io.StringIO()
    out.isatty = lambda: True
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", out)
        patch.setattr(os, "environ", {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "40"})
        live = LiveScreen(FakeClock(START + 2.5), {"daemon": 0, "pool": 1}, color=False)
        try:
            yield live, out
        finally:
            live.close()


def play(live, events):
    for number, (at, event) in enumerate(events):
        live.show(Recorded(seq=number, run="r", at=START + at, event=event))


def picture(live):
    """The moving part as plain text."""
    from rich.console import Console

    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(live._picture())
    return console.file.getvalue()


def test_the_moving_part_shows_health_and_what_is_in_flight(monkeypatch):
    with screen(monkeypatch) as (live, _):
        play(live, EVENTS)
        drawn = picture(live)
    assert [line.rstrip() for line in drawn.splitlines()] == [
        "",
        "●  daemon  ready     answers",
        "▶  pool    2.4 s     pool_server_manager: ensure",
        "2.5 s: 1 of 2 ready, 1 in flight",
    ]


def test_a_long_summary_is_cut_and_not_read_as_markup(monkeypatch):
    with screen(monkeypatch) as (live, _):
        play(live, EVENTS[:3])
        line = picture(live).splitlines()[2].rstrip()
    assert line.startswith("○  pool    absent    [bold]no pool[/bold]")
    assert line.endswith("…")
    assert len(line) <= 80


def test_the_story_scrolls_as_plain_text(monkeypatch):
    with screen(monkeypatch) as (live, out):
        play(live, [*EVENTS, *END])
        live.end([])
        text = out.getvalue()
    assert "decides  delegate_pool_setup — [red]because" in text
    assert "done     pool in 2.90 s: done" in text
    assert "\x1b[31m" not in text


def test_nothing_of_rich_is_loaded_for_a_run_with_nothing_to_do():
    import subprocess
    import sys

    code = (
        "import sys; from shiftboss.frontends.terminal import LiveScreen; from shiftboss.system.clock import FakeClock;"
        "from shiftboss.model.events import *;"
        "s = LiveScreen(FakeClock(), {}, color=True);"
        "s.show(Recorded(seq=1, run='r', at=1.0, event=RunEnded(ending='converged', turns=1, seconds=0.1)));"
        "s.tick(); s.end([]); s.close(); sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_colours_mark_the_first_word_only():
    assert painted("  done  done", "done") == "  \x1b[32mdone\x1b[0m  done"
    assert painted("unknown word", "word") == "unknown word"


def test_the_width_is_that_of_plain_lines_without_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert terminal_width() == 80
