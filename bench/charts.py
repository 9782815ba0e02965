"""The two kinds of pictures that say more than a table here: bars with their spread, and lines. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from page import number
from svg import ALARM, COLOURS, FAINT, SIZE, WIDTH, Picture, Point

LINE, TOP, MARGIN = 22, 34, 12
LETTER, VALUES = 7.2, 80
"""Room for a letter of what stands left of the bars, and for how long they are, right of them."""
LEFT, HEIGHT = 64, 300
DECADE = 10


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One quantity: its middle value and its spread."""

    name: str
    middle: float
    least: float
    most: float
    unit: str
    colour: str = COLOURS[0]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Points that belong together, from left to right."""

    name: str
    points: Sequence[Point]
    colour: str
    dashed: bool = False


def bars(title: str, foot: str, groups: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """Bars in groups, all to one scale that begins at nothing; over each, from its smallest to its largest value."""
    picture = Picture()
    picture.text((MARGIN, 20), title, size=SIZE + 2)
    names = MARGIN + LETTER * max(len(bar.name) for _, group in groups for bar in group)
    scale = (WIDTH - names - VALUES) / max(bar.most for _, group in groups for bar in group)
    y = float(TOP)
    for heading, group in groups:
        if heading:
            y += LINE
            picture.text((MARGIN, y - 7), heading, colour=FAINT)
        for bar in group:
            _bar(picture, bar, (names, y), scale)
            y += LINE
    return _ended(picture, y, f"{foot}. Bars: the middle value; over them: from the smallest to the largest.")


def _bar(picture: Picture, bar: Bar, at: Point, scale: float) -> None:
    x, y = at
    picture.text((x - 8, y + 15), bar.name, anchor="end")
    picture.box((x, y + 4), bar.middle * scale, LINE - 8, bar.colour)
    middle, ends = y + LINE / 2, (x + bar.least * scale, x + bar.most * scale)
    picture.line([(ends[0], middle), (ends[1], middle)], FAINT, width=2)
    picture.text((max(ends[1], x + bar.middle * scale) + 6, y + 15), f"{number(bar.middle)} {bar.unit}")


def curves(
    title: str,
    foot: str,
    lines: Sequence[Curve],
    *,
    axes: tuple[str, str],
    log: bool = False,
    limit: float | None = None,
) -> str:
    """Lines over two axes, both logarithmic or both not; `limit` is a value that should not be passed."""
    picture = Picture()
    picture.text((MARGIN, 20), title, size=SIZE + 2)
    xs = _Axis([x for line in lines for x, _ in line.points], LEFT, WIDTH - MARGIN * 2, log=log)
    heights = [y for line in lines for _, y in line.points] + ([limit] if limit else [])
    ys = _Axis(heights, TOP + HEIGHT, TOP, log=log)
    _grid(picture, xs, ys, axes)
    if limit:
        picture.line([(xs.start, ys.at(limit)), (xs.end, ys.at(limit))], ALARM, dashed=True)
        picture.text((xs.end, ys.at(limit) - 4), f"wanted: {number(limit)}", anchor="end", colour=ALARM)
    y = TOP + HEIGHT + 56.0
    for line in lines:
        path = [(xs.at(a), ys.at(b)) for a, b in line.points]
        picture.line(path, line.colour, width=2, dashed=line.dashed)
        picture.line([(LEFT, y - 4), (LEFT + 24, y - 4)], line.colour, width=2, dashed=line.dashed)
        picture.text((LEFT + 32, y), line.name)
        y += LINE
    return _ended(picture, y - LINE / 2, foot)


def _grid(picture: Picture, xs: "_Axis", ys: "_Axis", axes: tuple[str, str]) -> None:
    for value in ys.ticks():
        picture.line([(xs.start, ys.at(value)), (xs.end, ys.at(value))], FAINT, width=0.4)
        picture.text((xs.start - 6, ys.at(value) + 4), number(value), anchor="end")
    for value in xs.ticks():
        picture.line([(xs.at(value), ys.start), (xs.at(value), ys.start + 4)], FAINT)
        picture.text((xs.at(value), ys.start + 18), number(value), anchor="middle")
    picture.text((xs.end, ys.start + 36), axes[0], anchor="end", colour=FAINT)
    picture.text((LEFT + 6, TOP + 12), axes[1], colour=FAINT)


def _ended(picture: Picture, y: float, foot: str) -> str:
    """The picture with its foot, in lines that fit."""
    words, line = foot.split(" "), ""
    for word in words:
        if len(line) + len(word) > (WIDTH - MARGIN) / 6.2:
            y += SIZE + 4
            picture.text((MARGIN, y), line, size=SIZE - 2, colour=FAINT)
            line = ""
        line = f"{line} {word}".strip()
    picture.text((MARGIN, y + SIZE + 4), line, size=SIZE - 2, colour=FAINT)
    return picture.whole(y + SIZE + 14)


class _Axis:
    """From values to pixels."""

    def __init__(self, values: Sequence[float], start: float, end: float, *, log: bool) -> None:
        self.start, self.end, self._log = start, end, log
        low, high = min(values), max(values)
        self._low = low if log else min(low, math.floor(low))
        self._high = high if high > self._low else self._low + 1

    def at(self, value: float) -> float:
        """Where a value stands."""
        low, high = self._low, self._high
        share = math.log(value / low) / math.log(high / low) if self._log else (value - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> Iterator[float]:
        """Round values within it: powers of ten, or about five steps."""
        if self._log:
            powers = range(math.ceil(math.log10(self._low) - 1e-9), math.floor(math.log10(self._high) + 1e-9) + 1)
            yield from (float(DECADE) ** power for power in powers)
            return
        rough = (self._high - self._low) / 5
        unit = DECADE ** math.floor(math.log10(rough))
        step = next(times * unit for times in (1, 2, 2.5, 5, DECADE) if times * unit >= rough)
        first = math.ceil(self._low / step)
        yield from (count * step for count in range(first, math.floor(self._high / step + 1e-9) + 1))
