"""What the hub itself costs per delegation, against a bare SQLite loop that stores the same in two commits each."""

import math
import statistics
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import hub_floor
import hub_job
from measure import Figure, interleaved, ratio

SHAPES = ("chain", "fan")
SIZES = (100, 300, 1000)
MODES = ("FULL", "NORMAL")
LARGE = 10_000


def measure(*, quick: bool) -> list[Figure]:
    """All figures; in /var/tmp, because /tmp may be memory and a commit must reach a disk."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="shiftboss-bench-") as name:
        folder = Path(name)
        figures = [one for shape in SHAPES for one in _shape(folder, shape, rounds=2 if quick else 7)]
        return figures if quick else [*figures, *_large(folder)]


def _shape(folder: Path, shape: str, rounds: int) -> list[Figure]:
    subjects: dict[str, Callable[[], float]] = {}
    for count in SIZES:
        stack = hub_job.stack(count, shape)
        work = hub_floor.commits(hub_job.run(folder, stack, "OFF").events)
        for mode in MODES:
            subjects[f"hub {count} {mode}"] = partial(_hub, folder, count, shape, mode)
            subjects[f"bare {count} {mode}"] = partial(_bare, folder, count, work, mode)
    values = interleaved(subjects, rounds)
    figures = [one for count in SIZES for one in _size(shape, count, values)]
    return [*figures, *_growth(shape, values)]


def _hub(folder: Path, count: int, shape: str, mode: str) -> float:
    return hub_job.run(folder, hub_job.stack(count, shape), mode).seconds / count * 1000


def _bare(folder: Path, count: int, work: Sequence[Sequence[hub_floor.Row]], mode: str) -> float:
    return hub_floor.store(folder, work, mode) / count * 1000


def _size(shape: str, count: int, values: dict[str, list[float]]) -> list[Figure]:
    full, bare = values[f"hub {count} FULL"], values[f"bare {count} FULL"]
    normal, soft = values[f"hub {count} NORMAL"], values[f"bare {count} NORMAL"]
    name = f"{shape} of {count}"
    return [
        Figure(name=f"{name}, FULL, per delegation", unit="ms", values=full),
        Figure(name=f"{name}, FULL, bare SQLite loop", unit="ms", values=bare),
        ratio(f"{name}, FULL, hub / bare", full, bare, at_most=1.5),
        Figure(name=f"{name}, NORMAL, per delegation", unit="ms", values=normal, at_most=0.8),
        Figure(name=f"{name}, NORMAL, bare SQLite loop", unit="ms", values=soft),
    ]


def _growth(shape: str, values: dict[str, list[float]]) -> list[Figure]:
    small, large = SIZES[0], SIZES[-1]
    found: list[Figure] = []
    for mode in MODES:
        one = ratio(
            f"{shape}, {mode}, per delegation at {large} / at {small}",
            values[f"hub {large} {mode}"],
            values[f"hub {small} {mode}"],
            at_most=1.2,
        )
        exponents = [1 + math.log(value, large / small) for value in one.values]
        found += [one, Figure(name=f"{shape}, {mode}, growth exponent {small} to {large}", unit="", values=exponents)]
    return found


def _large(folder: Path) -> list[Figure]:
    """Ten thousand components, once: does anything grow faster than the stack?"""
    found: list[Figure] = []
    for shape in SHAPES:
        base = statistics.median([_hub(folder, SIZES[-1], shape, "NORMAL") for _ in range(3)])
        value = _hub(folder, LARGE, shape, "NORMAL")
        exponent = 1 + math.log(value / base, LARGE / SIZES[-1])
        found.append(Figure(name=f"{shape} of {LARGE}, NORMAL, per delegation", unit="ms", values=[value]))
        found.append(Figure(name=f"{shape}, growth exponent {SIZES[-1]} to {LARGE}", unit="", values=[exponent]))
    return found
