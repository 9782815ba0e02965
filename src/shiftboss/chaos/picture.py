"""The scorecard as one SVG picture: a bar per fault, how it ended on the left, how dear it was on the right.

Written by hand: a few rectangles need no library. Pure.
"""

from collections.abc import Sequence
from html import escape

from shiftboss.chaos.scorecard_count import RATIO, Card, Row

WIDTH, LINE, TOP = 880, 18, 64
NAMES, BAR = 220, 300
RIGHT = NAMES + BAR + 40
MOST = 3.0
"""The ratio at which the right bar is full."""

COLOURS = {
    "mended": "#3a7d44",
    "rightly escalated": "#3b6ea5",
    "neither": "#b5382a",
    "left out": "#c9c9c9",
}
INK, PALE = "#222222", "#eeeeee"


def picture(cards: Sequence[Card]) -> str:
    """The picture of all cards, one under the other."""
    parts: list[str] = []
    y = 0
    for card in cards:
        drawn, height = _card(card, y)
        parts += drawn
        y += height
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}"'
    style = 'font-family="sans-serif" font-size="11"'
    back = f'<rect width="{WIDTH}" height="{y}" fill="white"/>'
    return "\n".join([f"{head} {style}>", back, *parts, "</svg>", ""])


def _card(card: Card, y: int) -> tuple[list[str], int]:
    verdict = "all targets met" if card.good else "targets missed"
    parts = [_text(10, y + 20, f"{card.mode} faults: {card.runs} runs, seed {card.seed}: {verdict}", size=14)]
    x = NAMES
    for name, colour in COLOURS.items():
        parts += [_rect(x, y + 32, 10, 10, colour), _text(x + 14, y + 41, name)]
        x += 24 + 6 * len(name)
    parts.append(_text(RIGHT, y + 41, "delegations, times the least possible"))
    for number, row in enumerate(card.rows):
        parts += _row(row, y + TOP + number * LINE)
    end = y + TOP + len(card.rows) * LINE
    mark = RIGHT + _length(RATIO)
    line = f'<line x1="{mark}" y1="{y + TOP - 8}" x2="{mark}" y2="{end}" stroke="{INK}" stroke-dasharray="3 3"/>'
    parts += [line, _text(mark + 3, y + TOP - 2, f"{RATIO:g}")]
    return parts, end - y + 20


def _row(row: Row, y: int) -> list[str]:
    parts = [_text(NAMES - 8, y + 11, row.name, anchor="end"), _rect(NAMES, y + 2, BAR, LINE - 6, PALE)]
    counted = (row.runs - row.skipped) / row.runs if row.runs else 0.0
    neither = max(0.0, 1.0 - row.mitigated - row.escalated)
    shares = (row.mitigated * counted, row.escalated * counted, neither * counted, 1.0 - counted)
    x = float(NAMES)
    for share, colour in zip(shares, COLOURS.values(), strict=True):
        if share > 0:
            parts.append(_rect(x, y + 2, share * BAR, LINE - 6, colour))
            x += share * BAR
    if row.ratio is not None:
        colour = INK if row.ratio <= RATIO else COLOURS["neither"]
        parts.append(_rect(RIGHT, y + 5, _length(row.ratio), LINE - 12, colour))
        parts.append(_text(WIDTH - 10, y + 11, f"{row.ratio:.2f}", anchor="end"))
    return parts


def _length(ratio: float) -> float:
    return round(min(ratio, MOST) / MOST * (WIDTH - RIGHT - 50), 1)


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 11) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{INK}"'
    return f"<text {place}>{escape(text)}</text>"
