"""What every benchmark here is made of: figures with their spread, interleaved rounds, and what machine this is."""

import os
import platform
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured quantity: all its values, and what is asked of their median."""

    name: str
    unit: str
    values: Sequence[float]
    at_most: float | None = None
    at_least: float | None = None

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median keeps what is asked; None where nothing is."""
        if self.at_most is not None:
            return self.median <= self.at_most
        return None if self.at_least is None else self.median >= self.at_least

    @property
    def target(self) -> str:
        """What is asked, as text."""
        if self.at_most is not None:
            return f"<= {self.at_most:g} {self.unit}"
        return "" if self.at_least is None else f">= {self.at_least:g} {self.unit}"

    def plain(self) -> dict[str, Any]:
        """The figure as JSON values."""
        spread = {"median": self.median, "min": min(self.values), "max": max(self.values), "n": len(self.values)}
        values = [float(f"{value:.5g}") for value in self.values]
        return {
            "name": self.name,
            "unit": self.unit,
            **spread,
            "target": self.target,
            "met": self.met,
            "values": values,
        }


def interleaved(subjects: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The value of each subject in each round, in turn: A B A B, so that a slow minute hits all alike."""
    values: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, run in subjects.items():
            values[name].append(run())
    return values


def ratio(name: str, over: Sequence[float], under: Sequence[float], at_most: float | None = None) -> Figure:
    """How many times more the first takes than the second, round by round."""
    pairs = [a / b for a, b in zip(over, under, strict=True)]
    return Figure(name=name, unit="x", values=pairs, at_most=at_most)


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def machine() -> dict[str, str]:
    """Where and with what the figures were taken."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": f"{os.cpu_count()} x {model}",
        "memory": f"{pages / 2**30:.1f} GiB",
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "shiftboss": _version(),
    }


def _version() -> str:
    from shiftboss import __version__

    return __version__
