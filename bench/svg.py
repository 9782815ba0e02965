"""An SVG picture from a few lines, boxes and words; no library. Its colours stand on light and on dark paper alike."""

from collections.abc import Sequence
from html import escape

WIDTH = 720
"""Pixels: what a README's column shows without shrinking."""
INK, FAINT, ALARM = "#6b7480", "#8b949e", "#cf4a3c"
COLOURS = ("#2f81c7", "#c77f2f", "#3f9a5f", "#8f63b8", "#8b949e", "#b8518a")
"""The first one is ours."""
SIZE = 13

Point = tuple[float, float]


class Picture:
    """What has been drawn so far; y grows downwards."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def text(self, at: Point, words: str, *, anchor: str = "start", size: int = SIZE, colour: str = INK) -> None:
        """Words whose base line starts (or ends, or is centred) at a point."""
        place = f'x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"'
        self._parts.append(f"<text {place}>{escape(words)}</text>")

    def box(self, at: Point, width: float, height: float, colour: str) -> None:
        """A filled rectangle; `at` is its upper left corner."""
        size = f'width="{max(width, 0.5):.1f}" height="{height:.1f}"'
        self._parts.append(f'<rect x="{at[0]:.1f}" y="{at[1]:.1f}" {size} fill="{colour}"/>')

    def line(self, points: Sequence[Point], colour: str, *, width: float = 1, dashed: bool = False) -> None:
        """A line from point to point."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashes = ' stroke-dasharray="4 4"' if dashed else ""
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashes}/>'
        )

    def dot(self, at: Point, colour: str) -> None:
        """A small disc."""
        self._parts.append(f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="3" fill="{colour}"/>')

    def whole(self, height: float) -> str:
        """The picture as the text of an SVG file."""
        size = f'width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
        return "\n".join([head, *self._parts, "</svg>", ""])
