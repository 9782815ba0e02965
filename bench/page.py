"""The Markdown page of what was measured; called by run.py. Pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

Entry = Mapping[str, Any]
"""A benchmark as latest.json holds it."""

_MET = {True: "yes", False: "**no**", None: ""}


def page(benchmarks: Mapping[str, Entry], drawn: Collection[str]) -> str:
    """All tables, each with its machine and versions; `drawn` are those that have a picture beside the page."""
    lines = ["# Measured", ""]
    lines += ["Middle value, smallest and largest of n. What is compared took turns in one run."]
    for name, entry in benchmarks.items():
        lines += ["", *_section(name, entry, with_picture=name in drawn)]
    return "\n".join([*lines, ""])


def _section(name: str, entry: Entry, *, with_picture: bool) -> Iterator[str]:
    rounds = ", few rounds" if entry["quick"] else ""
    yield f"## {name} ({entry['date']}, {entry['seconds']:g} s{rounds}, load {entry['load']:.1f})"
    yield ""
    yield "; ".join(f"{what} {value}" for what, value in (entry["machine"] | entry["versions"]).items())
    yield ""
    if with_picture:
        yield f"![{name}]({name}.svg)"
        yield ""
    yield "| what | median | min - max | n | target | met |"
    yield "|---|--:|--:|--:|--:|---|"
    yield from map(_line, entry["figures"])


def _line(one: Mapping[str, Any]) -> str:
    middle, low, high = (number(one[key]) for key in ("median", "min", "max"))
    with_unit = f"{middle} {one['unit']}".strip()
    return f"| {one['name']} | {with_unit} | {low} - {high} | {one['n']} | {one['target']} | {_MET[one['met']]} |"


def number(value: float) -> str:
    """Three digits, and no power of ten."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
