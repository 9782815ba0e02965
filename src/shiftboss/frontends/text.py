"""Text that is safe to print: everything shown passes here, because logs, files and programs may hold anything.

Used by all drawing; changes nothing but control characters, and wraps lines.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # a control sequence, e.g. a colour (ECMA-48)
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # a string for the terminal, e.g. its title
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # invisible, and what turns the direction of writing
    "\ud800-\udfff]"
)


def clean(text: object) -> str:
    """One line without control characters; line ends become spaces."""
    return clean_block(text).replace("\n", " ")


def clean_block(text: object) -> str:
    """The text without control characters; its lines stay."""
    plain = _ESCAPES.sub("", str(text)).replace("\t", " ")
    return _CONTROLS.sub("", plain)


def wrap(text: object, width: int, hang: int = 0) -> list[str]:
    """A text in lines of at most `width`, those after the first indented; long words (paths) stay whole."""
    lines: list[str] = []
    line = ""
    for word in clean(text).split():
        if line.strip() and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = " " * hang + word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def clip(text: object, width: int) -> str:
    """One line of at most `width`; what is cut off is marked."""
    line = clean(text)
    return line if len(line) <= width else line[: width - 1] + "…"


def seconds_text(seconds: float) -> str:
    """A duration as people read it: 3 ms, 1.42 s, 12.3 s, 3 min 05 s."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def facts_text(facts: Mapping[str, Any]) -> str:
    """Named values as people read them: `pid: 7; holders: python3, nc; synced: yes`."""
    return "; ".join(f"{clean(name)}: {value_text(value)}" for name, value in facts.items())


def value_text(value: object) -> str:
    """A JSON value in words: no brackets, quotes or Python names."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.10g}"
        case list() | tuple():
            items = cast("list[object]", value)
            return ", ".join(map(value_text, items)) or "none"
        case dict():
            pairs = cast("dict[object, object]", value).items()
            return ", ".join(f"{clean(name)} {value_text(one)}" for name, one in pairs) or "none"
        case _:
            return clean(value) or "empty"
