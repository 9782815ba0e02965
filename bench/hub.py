"""What the hub itself costs per delegation, against a bare SQLite loop that stores the same in two commits each.

And how that grows: to ten thousand components in one environment, and to a hundred environments with a hundred each,
every job in a process of its own so that its memory can be told.
"""

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import hub_floor
import hub_job
import real
from measure import Figure, interleaved, ratio

SHAPES = ("chain", "fan")
SIZES = (100, 300, 1000)
MODES = ("FULL", "NORMAL")
STEP = 10
"""How many times larger the large jobs are than the small ones."""

GROWTHS = {
    "chain": ((1000, "chain", 1), (10_000, "chain", 1)),
    "fan": ((1000, "fan", 1), (10_000, "fan", 1)),
    "environments of 100": ((100, "chain", 10), (100, "chain", 100)),
}
"""A small and a large job each: components, shape, environments."""


class Large(NamedTuple):
    """What a job in a process of its own took."""

    milliseconds: float  #: a delegation
    megabytes: float  #: the whole process at its largest


def measure(*, quick: bool) -> list[Figure]:
    """All figures; in /var/tmp, because /tmp may be memory and a commit must reach a disk."""
    with real.folder() as folder:
        figures = [one for shape in SHAPES for one in _shape(folder, shape, rounds=2 if quick else 7)]
    return [*figures, *_growths(rounds=1 if quick else 3)]


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
    return [*figures, *_slope(shape, values)]


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


def _slope(shape: str, values: dict[str, list[float]]) -> list[Figure]:
    small, large = SIZES[0], SIZES[-1]
    found: list[Figure] = []
    for mode in MODES:
        pair = values[f"hub {large} {mode}"], values[f"hub {small} {mode}"]
        found.append(ratio(f"{shape}, {mode}, per delegation at {large} / at {small}", *pair, at_most=1.2))
        found.append(_exponent(f"{shape}, {mode}, growth exponent {small} to {large}", *pair, times=large / small))
    return found


def _exponent(name: str, large: Sequence[float], small: Sequence[float], times: float) -> Figure:
    """The exponent of all the work in the number of delegations: 1 where a delegation costs the same however many."""
    values = [1 + math.log(over / under, times) for over, under in zip(large, small, strict=True)]
    return Figure(name=name, unit="", values=values, at_most=1.1)


def _growths(rounds: int) -> Iterator[Figure]:
    runs: dict[tuple[int, str, int], list[Large]] = {job: [] for pair in GROWTHS.values() for job in pair}
    for _ in range(rounds):
        for job, found in runs.items():
            found.append(_large(*job))
    for name, (small, large) in GROWTHS.items():
        for job in (small, large):
            yield from _one_job(name, job, runs[job])
        times = [[one.milliseconds for one in runs[job]] for job in (large, small)]
        yield _exponent(f"{name}, growth exponent {_count(small)} to {_count(large)}", *times, times=STEP)


def _one_job(name: str, job: tuple[int, str, int], runs: Sequence[Large]) -> Iterator[Figure]:
    title = f"{name}, {_count(job)} delegations, NORMAL"
    yield Figure(name=f"{title}, per delegation", unit="ms", values=[one.milliseconds for one in runs])
    yield Figure(name=f"{title}, peak memory", unit="MB", values=[one.megabytes for one in runs])


def _count(job: tuple[int, str, int]) -> int:
    return job[0] * job[2]


def _large(components: int, shape: str, environments: int) -> Large:
    """One job in a process of its own."""
    command = [sys.executable, hub_job.__file__, str(components), shape, str(environments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    found = json.loads(done.stdout)
    return Large(found["seconds"] / (components * environments) * 1000, found["megabytes"])
