"""Runs the benchmarks and writes what they measured: bench/results/latest.json and latest.md. `make bench` calls it.

    make bench                              all of them, at most 8 minutes
    make bench ARGS="--quick --only hub"    fewer rounds, one benchmark

Figures of a benchmark that was left out stay as they were. What is missed is shown and fails nothing: a figure
depends on the machine and its other work, so nothing here is a test.
"""

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from measure import Figure, machine
from real import Missing

BENCHMARKS = ("startup", "fresh", "pool", "hub")
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Measure what was asked for; 0 when all of it ran."""
    parser = argparse.ArgumentParser(description="Measure shiftboss.")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="leave the others out; may be repeated")
    parser.add_argument("--quick", action="store_true", help="few rounds, for a first idea")
    asked = parser.parse_args()
    # As an installed program runs: with its bytecode kept.
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
        os.environ.pop(name, None)
    missing = 0
    document = {**_earlier(), "machine": machine()}
    for name in asked.only or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            document["benchmarks"][name] = _run(name, quick=asked.quick)
        except Missing as error:
            missing += 1
            print(f"{name} left out: {error}", file=sys.stderr)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps(document, indent=1) + "\n")
    table = "\n".join(_page(document)) + "\n"
    (RESULTS / "latest.md").write_text(table)
    print(table)
    return 1 if missing else 0


def _earlier() -> dict[str, Any]:
    try:
        return json.loads((RESULTS / "latest.json").read_text())
    except (OSError, ValueError):
        return {"benchmarks": {}}


def _run(name: str, *, quick: bool) -> dict[str, Any]:
    start = time.perf_counter()
    figures: Iterable[Figure] = importlib.import_module(name).measure(quick=quick)
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "quick": quick,
        "load": os.getloadavg()[0],
        "figures": [one.plain() for one in figures],
        "seconds": round(time.perf_counter() - start, 1),
    }


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    yield "# Measured"
    yield ""
    yield "; ".join(f"{name} {value}" for name, value in document["machine"].items())
    for name, one in document["benchmarks"].items():
        yield ""
        rounds = ", few rounds" if one["quick"] else ""
        yield f"## {name} ({one['date']}, {one['seconds']:g} s{rounds}, load {one['load']:.1f})"
        yield ""
        yield "| what | median | min - max | n | target | met |"
        yield "|---|--:|--:|--:|--:|---|"
        yield from map(_line, one["figures"])


def _line(one: Mapping[str, Any]) -> str:
    middle, low, high = (_number(one[key]) for key in ("median", "min", "max"))
    met = {True: "yes", False: "**no**", None: ""}[one["met"]]
    return f"| {one['name']} | {middle} {one['unit']} | {low} - {high} | {one['n']} | {one['target']} | {met} |"


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
