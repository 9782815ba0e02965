"""Writes the table of docs/how-to/settings.md from the settings themselves; run it after changing settings_table.py.

Usage: python scripts/make_settings_doc.py
What stands outside the two marks of that page is written by hand and kept.
"""

from itertools import groupby
from pathlib import Path
from typing import Any

from shiftboss.settings import Row, Settings

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "settings.md"
BEGIN = "<!-- begin: made by scripts/make_settings_doc.py -->"
END = "<!-- end -->"
HEAD = "| key | what it is | value | default | why this default |\n|---|---|---|---|---|\n"


def table() -> str:
    """Every setting, one table per group, in the order of the code."""
    groups = groupby(Settings.describe(), key=lambda row: row.key.partition(".")[0])
    return "\n".join(f"### {name}\n\n{HEAD}{''.join(_line(row) for row in rows)}" for name, rows in groups)


def _line(row: Row) -> str:
    cells = (f"`{row.key}`", row.doc, row.type, _default(row.default), row.why)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


def _default(value: Any) -> str:
    """A default as it would be written in shiftboss.toml."""
    if isinstance(value, list):
        return f"`[{', '.join(map(_default_text, value))}]`"
    return f"`{_default_text(value)}`"


def _default_text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".")
    return f'"{value}"' if isinstance(value, str) else str(value)


def rendered() -> str:
    """The page as it should be.

    Raises:
        ValueError: a mark is missing.
    """
    text = PAGE.read_text(encoding="utf-8")
    begin, end = text.index(BEGIN), text.index(END)
    return f"{text[:begin]}{BEGIN}\n\n{table()}\n{text[end:]}"


def main() -> None:
    """Write the page."""
    PAGE.write_text(rendered(), encoding="utf-8")
    print(PAGE.name)


if __name__ == "__main__":
    main()
