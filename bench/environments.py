"""What many environments in one run cost: seconds, memory, and the price of each further one. All on real parts."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import real
from measure import Figure, interleaved
from stacks import Stack

from shiftboss.system.instance import marks_of
from shiftboss.system.proc import pids

COUNTS = (1, 5, 20)
MANY = COUNTS[-1]


def measure(*, quick: bool) -> list[Figure]:
    """All figures; few and many in turn."""
    counts = COUNTS[:2] if quick else COUNTS
    again: dict[int, list[float]] = {number: [] for number in counts}
    memory: dict[int, list[float]] = {number: [] for number in counts}
    with real.folder() as folder:
        numbers = count()

        def subject(environments: int) -> Callable[[], float]:
            return lambda: _one(folder / str(next(numbers)), environments, again, memory)

        fresh = interleaved({str(number): subject(number) for number in counts}, 1 if quick else 3)
    figures = [_figure(number, "from nothing", "s", fresh[str(number)]) for number in counts]
    figures += [_figure(number, "up again, 0 changes", "s", again[number]) for number in counts]
    figures += [_figure(number, "memory of their processes", "MB", memory[number]) for number in counts]
    first, last = counts[0], counts[-1]
    added = last - first
    price = [(many - one) / added for one, many in zip(fresh[str(first)], fresh[str(last)], strict=True)]
    weight = [(many - one) / added for one, many in zip(memory[first], memory[last], strict=True)]
    return [
        *figures,
        Figure(name=f"each further one, up to {last}: seconds", unit="s", values=price),
        Figure(name=f"each further one, up to {last}: memory", unit="MB", values=weight),
    ]


def _figure(number: int, what: str, unit: str, values: list[float]) -> Figure:
    return Figure(name=f"{number} regtest environment{'s' if number > 1 else ''}, {what}", unit=unit, values=values)


def _one(home: Path, environments: int, again: dict[int, list[float]], memory: dict[int, list[float]]) -> float:
    """Seconds of a run that brings so many environments up from nothing."""
    names = ",".join(f"e{number}=regtest" for number in range(environments))
    with real.stack(home, **{"daemon.binary": real.bitcoind()}) as made:
        document = made.up(f"--env={names}", timeout=600)
        memory[environments].append(_megabytes(made))
        second = made.up()
        assert second["mutations"] == 0, "a second run changed something"
        again[environments].append(second["seconds"])
    return float(document["seconds"])


def _megabytes(made: Stack) -> float:
    """The memory of all processes of a working directory; what they share is counted once (proportional set size)."""
    home = str(made.home.resolve())
    ours = [pid for pid in pids() if (marks := marks_of(pid)) and marks.home == home]
    return sum(map(_kilobytes, ours)) / 1024


def _kilobytes(pid: int) -> int:
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next((int(row.split()[1]) for row in rows if row.startswith("Pss:")), 0)
