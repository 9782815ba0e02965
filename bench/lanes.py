"""What a second lane is worth: two lanes against one, where nothing stands in the way but the lanes.

Twice: components that only wait (bench/lanes), and the design document's own pair on real parts, a miner beside a
monitor, which is the component of examples/add-a-component.
"""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import real
from measure import Figure, interleaved, ratio, seconds
from stacks import Stack

WAITING = Path(__file__).parent / "lanes"
MONITORING = Path(__file__).parents[1] / "examples" / "add-a-component"
PAIR = ("miner", "monitoring")
PIPELINE = ("--pipeline", "mining-with-monitoring")
LANES = (1, 2)


def measure(*, quick: bool) -> list[Figure]:
    """All figures; one lane and two in turn."""
    return [*_waits(2 if quick else 5), *_pair(2 if quick else 7)]


def _waits(rounds: int) -> list[Figure]:
    """Runs in new working directories; the whole process beside it, whose start and end no lane can share."""
    whole: dict[str, list[float]] = {str(lanes): [] for lanes in LANES}
    with real.folder() as folder:
        numbers = count()

        def subject(lanes: int) -> Callable[[], float]:
            return lambda: _wait(folder / str(next(numbers)), lanes, whole[str(lanes)])

        values = interleaved({str(lanes): subject(lanes) for lanes in LANES}, rounds)
    name = "four waits of a second"
    return [
        Figure(name=f"{name}, one lane", unit="s", values=values["1"]),
        Figure(name=f"{name}, two lanes", unit="s", values=values["2"]),
        _gain(name, values["1"], values["2"], at_least=1.8),
        _gain(f"{name}, whole process", whole["1"], whole["2"]),
    ]


def _wait(home: Path, lanes: int, whole: list[float]) -> float:
    """Seconds of a run, as it says itself; those of its process are added to `whole`."""
    documents: list[dict[str, Any]] = []
    with real.stack(home, **{"templates.folders": json.dumps([str(WAITING)])}) as made:
        whole.append(seconds(lambda: documents.append(_up(made, lanes, "--pipeline", "waiting"))))
    return float(documents[0]["seconds"])


def _pair(rounds: int) -> list[Figure]:
    """One stack whose pool runs; the pair is stopped between rounds."""
    program = real.bitcoind()
    runs: dict[str, list[dict[str, Any]]] = {str(lanes): [] for lanes in LANES}
    with real.folder() as folder, real.stack(folder / "work") as made:
        made.settings |= {"daemon.binary": program, "templates.folders": json.dumps([str(MONITORING)])}
        made.settings |= {"miner.block_interval": 3600}  # its blocks would disturb
        made.up(*PAIR, *PIPELINE)

        def subject(lanes: int) -> Callable[[], float]:
            def run() -> float:
                made.run("down", "mining", *PAIR, *PIPELINE)
                (made.folder / "monitoring.jsonl").unlink()  # or its last lines would pass for new ones
                return seconds(lambda: runs[str(lanes)].append(_up(made, lanes, *PAIR, *PIPELINE)))

            return run

        whole = interleaved({str(lanes): subject(lanes) for lanes in LANES}, rounds)
    return _pair_figures(runs, whole)


def _up(made: Stack, lanes: int, *words: str) -> dict[str, Any]:
    return made.up(*words, **{"limits.parallel": lanes})


def _pair_figures(runs: dict[str, list[dict[str, Any]]], whole: dict[str, list[float]]) -> list[Figure]:
    name = "miner and monitoring"
    one, two = ([document["seconds"] for document in runs[lanes]] for lanes in ("1", "2"))
    alone = [{each["component"]: each["seconds"] for each in document["delegations"]} for document in runs["1"]]
    possible = [sum(times.values()) / max(times.values()) for times in alone]
    return [
        *(Figure(name=f"{name}: {part} alone", unit="s", values=[times[part] for times in alone]) for part in PAIR),
        Figure(name=f"{name}, one lane", unit="s", values=one),
        Figure(name=f"{name}, two lanes", unit="s", values=two),
        _gain(name, one, two),
        Figure(name=f"{name}: the most that two lanes could gain", unit="x", values=possible),
        _gain(f"{name}, whole process", whole["1"], whole["2"]),
    ]


def _gain(name: str, one: list[float], two: list[float], at_least: float | None = None) -> Figure:
    found = ratio(f"{name}: one lane / two lanes", one, two)
    return Figure(name=found.name, unit=found.unit, values=found.values, at_least=at_least)
