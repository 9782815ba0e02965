"""The hub beside other hubs that keep their state: the same hub-and-spoke job, all with the same care for the disk.

The job: N open items; the hub picks the next one, a spoke does nothing, back to the hub; what was decided is on the
disk before the next step. Ours runs as it always does, with one lane: it looks at every item, decides with reasons,
journals, and looks again. The others run in a virtual environment of their own (bench/rivals, competitors.txt).
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

import competitors
import hub_floor
import hub_job
import real
from measure import Figure, interleaved, ratio

SIZES = (10, 100, 1000)
MODES = ("FULL", "NORMAL")
OURS, FLOOR = "shiftboss", "bare SQLite loop"
PROGRAMS = Path(__file__).parent / "rivals"


class Rival(NamedTuple):
    """Another hub, and what is asked of ours beside it."""

    program: str
    kind: str
    sizes: tuple[int, ...] = SIZES
    modes: tuple[str, ...] = MODES
    at_most: float | None = None


RIVALS = {
    "LangGraph": Rival("langgraph_job.py", "items", at_most=0.25),
    "LangGraph, a number for its state": Rival("langgraph_job.py", "counter", at_most=0.25),
    "pydantic-graph, SQLite by hand": Rival("pydantic_job.py", "sqlite"),
    "pydantic-graph, its own file": Rival("pydantic_job.py", "file", sizes=(10, 100), modes=("NORMAL",)),
}
"""The file of pydantic-graph is written whole at each step, unsynced: it stands beside NORMAL, and not for long."""


def measure(*, quick: bool) -> list[Figure]:
    """All figures, interleaved in one run; in /var/tmp, because /tmp may be memory and a commit must reach a disk."""
    with real.folder() as folder, ExitStack() as stack:
        programs = {one.program for one in RIVALS.values()}
        running = {program: stack.enter_context(_Running(program, folder)) for program in programs}
        figures: list[Figure] = []
        for count in SIZES[:2] if quick else SIZES:
            subjects = _ours(folder, count) | _theirs(running, count)
            interleaved(subjects, 1 if count < SIZES[-1] else 0)  # the first round of a program also loads it
            figures += _figures(interleaved(subjects, 2 if quick else 5), count)
    return figures


def _ours(folder: Path, count: int) -> dict[str, Callable[[], float]]:
    stack = hub_job.stack(count, "open")
    work = hub_floor.commits(hub_job.run(folder, stack, "OFF", lanes=1).events)

    def hub(mode: str) -> float:
        return hub_job.run(folder, stack, mode, lanes=1).seconds / count * 1000

    def bare(mode: str) -> float:
        return hub_floor.store(folder, work, mode) / count * 1000

    pairs = ((OURS, hub), (FLOOR, bare))
    return {f"{name} {mode}": partial(run, mode) for mode in MODES for name, run in pairs}


def _theirs(running: dict[str, "_Running"], count: int) -> dict[str, Callable[[], float]]:
    return {
        f"{name} {mode}": partial(running[one.program].milliseconds, one.kind, count, mode)
        for name, one in RIVALS.items()
        if count in one.sizes
        for mode in one.modes
    }


def _figures(values: dict[str, list[float]], count: int) -> Iterator[Figure]:
    for mode in MODES:
        names = [name for name in (OURS, *RIVALS, FLOOR) if f"{name} {mode}" in values]
        for name in names:
            yield Figure(name=f"{count} delegations, {mode}: {name}", unit="ms", values=values[f"{name} {mode}"])
        for name in names[1:]:
            pair = values[f"{OURS} {mode}"], values[f"{name} {mode}"]
            limit = RIVALS[name].at_most if name in RIVALS else None
            yield ratio(f"{count} delegations, {mode}: {OURS} / {name}", *pair, at_most=limit)


class _Running(AbstractContextManager["_Running"]):
    """A program of bench/rivals that is asked for one job after the other."""

    def __init__(self, program: str, folder: Path) -> None:
        self._folder = folder
        self._log = folder / f"{program}.log"
        command = [str(competitors.program("python")), "-W", "ignore", str(PROGRAMS / program)]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin:
            self._process.stdin.close()  # the end of its jobs is the end of the program
        self._process.wait(30)
        if self._process.stdout:
            self._process.stdout.close()

    def milliseconds(self, kind: str, count: int, synchronous: str) -> float:
        """One job, per delegation.

        Raises:
            RuntimeError: the program has failed; its last words are in the text.
        """
        asked = {"folder": str(self._folder), "kind": kind, "count": count, "synchronous": synchronous}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        said = self._process.stdout.readline() if self._process.stdout else ""
        if not said:
            raise RuntimeError(f"{self._log.name}: {self._log.read_text()[-1000:]}")
        return float(said) / count * 1000
