"""Runs the benchmarks and writes what they measured: latest.json, latest.md and pictures in bench/results.

    make bench                               all of them, about 20 minutes
    make bench ARGS="--list"                 what there is
    make bench ARGS="--quick --only hub"     fewer rounds, one benchmark

What is measured is written after each benchmark, and figures of those that were left out stay as they were. What is
missed is shown and fails nothing: a figure depends on the machine and its other work, so nothing here is a test.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import competitors
import page
import plots
import real
from measure import Figure, machine

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A module of this folder with a `measure`, and what else its figures depend on."""

    module: str
    what: str
    compared: tuple[str, ...] = ()  #: packages of competitors.txt
    daemon: bool = True  #: whether it uses the real one


BENCHMARKS = {
    "startup": Benchmark(module="startup", what="how long the command itself takes"),
    "noop": Benchmark(
        module="noop",
        what="nothing to do: against Ansible, pyinfra and a shell script",
        compared=("ansible-core", "pyinfra"),
    ),
    "fresh": Benchmark(module="fresh", what="from nothing to a proven block, against its own critical path"),
    "table": Benchmark(module="table", what="five scenes on real parts, scripted pipeline against the hub's"),
    "lanes": Benchmark(module="lanes", what="what a second lane is worth"),
    "environments": Benchmark(module="environments", what="twenty environments in one run"),
    "makespan": Benchmark(module="makespan", what="learned order against the least possible", daemon=False),
    "pool": Benchmark(module="pool", what="shares, connections and new tips, against a server that judges nothing"),
    "hub": Benchmark(module="hub", what="the hub's own work, its growth and its memory", daemon=False),
    "rivals": Benchmark(
        module="hub_rivals",
        what="the hub against LangGraph and pydantic-graph",
        compared=("langgraph", "langgraph-checkpoint-sqlite", "pydantic-graph"),
        daemon=False,
    ),
}


def main() -> int:
    """Measure what was asked for; 0 when all of it ran."""
    parser = argparse.ArgumentParser(description="Measure shiftboss.")
    parser.add_argument("--list", action="store_true", help="say what there is, and measure nothing")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="leave the others out; may be repeated")
    parser.add_argument("--quick", action="store_true", help="few rounds, for a first idea")
    asked = parser.parse_args()
    if asked.list:
        print("\n".join(f"{name:14}{one.what}" for name, one in BENCHMARKS.items()))
        return 0
    # As an installed program runs: with its bytecode kept.
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
        os.environ.pop(name, None)
    failed = [name for name in asked.only or BENCHMARKS if not _measured(name, quick=asked.quick)]
    print((RESULTS / "latest.md").read_text())
    return 1 if failed else 0


def _measured(name: str, *, quick: bool) -> bool:
    """Run one benchmark and write it down; whether that went well."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    try:
        entry = _run(BENCHMARKS[name], quick=quick)
    except real.Missing as error:
        print(f"{name} left out: {error}", file=sys.stderr)
        return False
    except Exception:  # noqa: BLE001 - what the others measure must not be lost
        traceback.print_exc()
        return False
    _write({**_earlier(), name: entry})
    return True


def _run(benchmark: Benchmark, *, quick: bool) -> dict[str, Any]:
    start, load = time.perf_counter(), os.getloadavg()[0]
    figures: Iterable[Figure] = importlib.import_module(benchmark.module).measure(quick=quick)
    found = [one.plain() for one in figures]
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "quick": quick,
        "load": load,
        "seconds": round(time.perf_counter() - start, 1),
        "machine": machine(),
        "versions": _versions(benchmark),
        "figures": found,
    }


def _versions(benchmark: Benchmark) -> dict[str, str]:
    """What the figures depend on besides the machine and ourselves."""
    found = competitors.versions(benchmark.compared) if benchmark.compared else {}
    if benchmark.daemon:
        said = subprocess.run([real.bitcoind(), "-version"], capture_output=True, text=True, timeout=30, check=True)
        found["bitcoind"] = said.stdout.splitlines()[0].rpartition(" ")[2]
    return found


def _earlier() -> dict[str, Any]:
    try:
        return json.loads((RESULTS / "latest.json").read_text())["benchmarks"]
    except (OSError, LookupError, ValueError):
        return {}


def _write(found: Mapping[str, Any]) -> None:
    """Results in the order of BENCHMARKS; of a benchmark that is no more, nothing stays."""
    kept = {name: found[name] for name in BENCHMARKS if name in found and "machine" in found[name]}
    pictures = {name: plots.picture(name, entry) for name, entry in kept.items()}
    drawn = {name: picture for name, picture in pictures.items() if picture}
    RESULTS.mkdir(exist_ok=True)
    for name, picture in drawn.items():
        (RESULTS / f"{name}.svg").write_text(picture)
    (RESULTS / "latest.json").write_text(json.dumps({"benchmarks": kept}, indent=1) + "\n")
    (RESULTS / "latest.md").write_text(page.page(kept, drawn.keys()))


if __name__ == "__main__":
    sys.exit(main())
