"""Which figures of a benchmark are drawn, and how; called by run.py with what it has measured. Pure.

A benchmark without an entry in PLOTS has none: its table says enough. Nothing is drawn of figures that are not there.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from charts import Bar, Curve, bars, curves
from page import Entry
from svg import COLOURS

OURS, THEIRS, FLOOR = COLOURS[0], COLOURS[1], COLOURS[4]

Plot = Callable[[Entry, str], str | None]
"""(benchmark, foot) -> the picture."""


def picture(name: str, entry: Entry) -> str | None:
    """The SVG of a benchmark, or None where there is nothing to draw."""
    if name not in PLOTS:
        return None
    counts = sorted({figure["n"] for figure in entry["figures"]})
    times = f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]}"
    machine = entry["machine"]
    versions = {"python": machine["python"], "shiftboss": machine["shiftboss"], **entry["versions"]}
    what = [machine["processor"], *(" ".join(pair) for pair in versions.items()), times, entry["date"][:10]]
    return PLOTS[name](entry, ", ".join(what))


def _bar(figure: Mapping[str, Any], name: str, colour: str) -> Bar:
    least, middle, most = figure["min"], figure["median"], figure["max"]
    return Bar(name=name, middle=middle, least=least, most=most, unit=figure["unit"], colour=colour)


def _found(entry: Entry, pattern: str) -> Iterable[tuple[re.Match[str], Mapping[str, Any]]]:
    """Figures whose name matches, in their order."""
    for figure in entry["figures"]:
        match = re.fullmatch(pattern, figure["name"])
        if match:
            yield match, figure


def _rivals(entry: Entry, foot: str) -> str | None:
    """The largest job: a bar for each system, grouped by how carefully is stored."""
    found = [(int(match[1]), match, figure) for match, figure in _found(entry, r"(\d+) delegations, (\w+): ([^/]+)")]
    if not found:
        return None
    largest = max(count for count, *_ in found)
    groups: dict[str, list[Bar]] = {}
    for count, match, figure in found:
        if count == largest:
            colour = {"shiftboss": OURS, "bare SQLite loop": FLOOR}.get(match[3], THEIRS)
            groups.setdefault(f"synchronous = {match[2]}", []).append(_bar(figure, match[3], colour))
    return bars(f"One delegation of {largest}: pick, hand over, take back, all stored", foot, list(groups.items()))


def _growth(entry: Entry, foot: str) -> str | None:
    """How long whole jobs take, by their size."""
    small = r"(?P<shape>\w+) of (?P<count>\d+), NORMAL, (?P<what>per delegation|bare SQLite loop)"
    large = r"(?P<shape>[\w ]+), (?P<count>\d+) delegations, NORMAL, (?P<what>per delegation)"
    points: dict[str, dict[float, float]] = {}
    for pattern in (small, large):
        for match, figure in _found(entry, pattern):
            name = match["shape"] if match["what"] == "per delegation" else f"{match['shape']}: bare SQLite loop"
            count = int(match["count"])
            points.setdefault(name, {})[count] = figure["median"] * count / 1000
    drawn = {name: sorted(some.items()) for name, some in points.items() if len(some) > 1}
    colours = dict(zip(drawn, COLOURS, strict=False))
    lines = [Curve(name=name, points=some, colour=colours[name]) for name, some in drawn.items()]
    axes = ("delegations", "seconds")
    title = "Whole jobs, NORMAL: the work grows with the stack"
    return curves(title, foot, lines, axes=axes, log=True) if lines else None


def _pairs(entry: Entry, foot: str, title: str, pattern: str) -> str | None:
    """Groups of bars: the pattern's first group is the heading, the second one the bar."""
    groups: dict[str, list[Bar]] = {}
    for match, figure in _found(entry, pattern):
        colour = OURS if match[2] in {"policy", "two lanes"} else THEIRS
        groups.setdefault(match[1], []).append(_bar(figure, match[2], colour))
    return bars(title, foot, list(groups.items())) if groups else None


def _table(entry: Entry, foot: str) -> str | None:
    title = "To a proven block on real parts: the scripted pipeline and the hub's"
    return _pairs(entry, foot, title, r"(.+), (policy|script): to a proven block")


def _lanes(entry: Entry, foot: str) -> str | None:
    return _pairs(entry, foot, "What a second lane is worth", r"(.+), (one lane|two lanes)")


def _noop(entry: Entry, foot: str) -> str | None:
    found = [figure for figure in entry["figures"] if figure["unit"] == "s"]
    some = [_bar(one, one["name"], OURS if "on a ready stack" in one["name"] else THEIRS) for one in found]
    return bars("Nothing to do on a ready stack: whole processes", foot, [("", some)]) if some else None


def _sorted(entry: Entry, names: Mapping[str, str]) -> list[Curve]:
    """Each figure's values from the smallest to the largest, over how many in a hundred are as small."""
    found = [(title, figure) for title, pattern in names.items() for _, figure in _found(entry, pattern)]
    return [
        Curve(name=title, points=_shares(sorted(figure["values"])), colour=colour)
        for (title, figure), colour in zip(found, COLOURS, strict=False)
    ]


def _shares(values: Sequence[float]) -> list[tuple[float, float]]:
    return [((number + 1) / len(values) * 100, value) for number, value in enumerate(values)]


def _makespan(entry: Entry, foot: str) -> str | None:
    names = {f"{order} order": f"{order} order / bound" for order in ("learned", "cold", "declared")}
    lines = _sorted(entry, names)
    title = "Random stacks: seconds as a multiple of the least that is possible"
    return curves(title, foot, lines, axes=("% of the stacks", "times the bound"), limit=1.25) if lines else None


def _tips(entry: Entry, foot: str) -> str | None:
    names = {
        "our own block, from handing it in": "own block: .*the last one",
        "a tip from elsewhere, from the daemon's answer": "other tip: .*the last one",
        "a server that judges nothing": "floor: .*the last one",
    }
    lines = _sorted(entry, names)
    title = "Until the last of all miners is told of a new tip"
    return curves(title, foot, lines, axes=("% of the tips", "milliseconds")) if lines else None


PLOTS: Mapping[str, Plot] = {
    "noop": _noop,
    "table": _table,
    "lanes": _lanes,
    "makespan": _makespan,
    "pool": _tips,
    "hub": _growth,
    "rivals": _rivals,
}
