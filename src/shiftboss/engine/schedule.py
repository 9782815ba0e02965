"""In which order work is started so that all of it ends early. Pure; engine/work.py and engine/plan.py ask.

The upward rank of a piece of work is the expected time from its start to the end of the longest way that begins with
it. Starting the highest rank first is a rule of thumb, so rules are compared by simulating what the hub would do, and
the declared order stays where no rule is expected to be quicker. Nothing here knows what a component is.
"""

from collections.abc import Collection, Mapping, Sequence
from heapq import heappop, heappush

from shiftboss.model.ranking import Ranking
from shiftboss.model.value import Value

SIMULATED = 500
"""Pieces of work up to which rules are compared; beyond it the ranks are taken as they are, which is cheaper."""

SLACK = 1e-9


class Graph(Value):
    """Work to be done, by `environment/component` in declared order."""

    seconds: Mapping[str, float]
    after: Mapping[str, Sequence[str]]  #: what each waits for
    locks: Mapping[str, Sequence[str]]  #: what some hold alone while they last, by names of the whole run


class Timetable(Value):
    """When what would start, with everything done as soon as it may be."""

    starts: Mapping[str, float]
    seconds: float
    cause: Mapping[str, str]  #: what had to end first, where that decided the start
    last: str  #: what ends last; empty when there is no work

    @property
    def critical(self) -> tuple[str, ...]:
        """The chain that decides how long it takes: each begins when the one before it ends."""
        path: list[str] = []
        key: str | None = self.last or None
        while key is not None:
            path.append(key)
            key = self.cause.get(key)
        return tuple(reversed(path))


def upward_ranks(graph: Graph) -> tuple[dict[str, float], dict[str, str]]:
    """Seconds from the start of each to the end of the longest way that begins with it, and what comes next there.

    Linear in the size of the graph.
    """
    ranks: dict[str, float] = {}
    longest: dict[str, float] = {}  #: of what waits for it, so far
    onward: dict[str, str] = {}
    for key in reversed(_sorted(graph)):
        ranks[key] = rank = graph.seconds[key] + longest.get(key, 0.0)
        for before in graph.after[key]:
            if rank > longest.get(before, 0.0):
                longest[before], onward[before] = rank, key
    return ranks, onward


def dependents_of(graph: Graph) -> dict[str, list[str]]:
    """What waits for each."""
    found: dict[str, list[str]] = {key: [] for key in graph.seconds}
    for key, befores in graph.after.items():
        for before in befores:
            found[before].append(key)
    return found


def _sorted(graph: Graph) -> list[str]:
    """Each after what it waits for."""
    dependents = dependents_of(graph)
    open_ = {key: len(graph.after[key]) for key in graph.seconds}
    found = [key for key, count in open_.items() if count == 0]
    for key in found:  # grows while it is walked
        for one in dependents[key]:
            open_[one] -= 1
            if open_[one] == 0:
                found.append(one)
    return found


def best_order(graph: Graph, lanes: int) -> Ranking:
    """The rule that is expected to be quickest, and the priorities by it; the declared order where none is quicker."""
    ranks, onward = upward_ranks(graph)
    if len(ranks) > SIMULATED:
        return Ranking(rule="rank", priorities=ranks, remaining=ranks, onward=onward)
    declared = best = timetable(graph, {}, lanes).seconds
    found = Ranking(remaining=ranks, onward=onward, seconds=declared, declared=declared)
    for rule, priorities in _rules(graph, ranks).items():
        seconds = timetable(graph, priorities, lanes).seconds
        if seconds < best - SLACK:
            best, found = seconds, found.but(rule=rule, priorities=priorities, seconds=seconds)
    return found


def _rules(graph: Graph, ranks: Mapping[str, float]) -> dict[str, Mapping[str, float]]:
    """What comes after a piece of work also counts for more than itself: long last pieces need not go first."""
    return {
        "rank": ranks,
        "rank, its own time by half": {key: rank - graph.seconds[key] / 2 for key, rank in ranks.items()},
    }


def timetable(graph: Graph, priorities: Mapping[str, float], lanes: int) -> Timetable:
    """What the hub would do at each ending: start the highest priority that may start, as long as a lane is free.

    That an environment which has waited for long gets a lane anyway is left out: it is for what hangs.
    """
    return _Simulation(graph, priorities, lanes).run()


class _Simulation:
    def __init__(self, graph: Graph, priorities: Mapping[str, float], lanes: int) -> None:
        self._graph, self._lanes = graph, lanes
        self._place = {key: (-priorities.get(key, 0.0), n) for n, key in enumerate(graph.seconds)}
        self._dependents = dependents_of(graph)
        self._open = {key: len(befores) for key, befores in graph.after.items()}
        self._ready: list[tuple[tuple[float, int], str]] = []  #: but for lanes
        self._parked: dict[str, list[tuple[tuple[float, int], str]]] = {}  #: by the lock they wait for
        self._held: set[str] = set()
        self._flying: list[tuple[float, tuple[float, int], str]] = []
        self._starts: dict[str, float] = {}
        self._cause: dict[str, str] = {}

    def run(self) -> Timetable:
        for key, count in self._open.items():
            if count == 0:
                self._wake(key)
        now, last = 0.0, ""
        self._start(now, ())
        while self._flying:
            now = self._flying[0][0]
            ended: list[str] = []
            while self._flying and self._flying[0][0] <= now:
                ended.append(heappop(self._flying)[2])
            last = ended[-1]
            for key in ended:
                self._end(key)
            self._start(now, ended)
        return Timetable(starts=self._starts, seconds=now, cause=self._cause, last=last)

    def _end(self, key: str) -> None:
        for lock in self._graph.locks.get(key, ()):
            self._held.discard(lock)
            self._unpark(lock)
        for one in self._dependents[key]:
            self._open[one] -= 1
            if self._open[one] == 0:
                self._wake(one)

    def _unpark(self, lock: str) -> None:
        """The first of those that wait for a lock may try; who holds it next wakes the one after."""
        if lock not in self._held and self._parked.get(lock):
            self._wake(heappop(self._parked[lock])[1])

    def _wake(self, key: str) -> None:
        heappush(self._ready, (self._place[key], key))

    def _start(self, now: float, ended: Collection[str]) -> None:
        while self._ready and len(self._flying) < self._lanes:
            key = heappop(self._ready)[1]
            self._try(key, now, ended)

    def _try(self, key: str, now: float, ended: Collection[str]) -> None:
        locks = self._graph.locks.get(key, ())
        held = next((lock for lock in locks if lock in self._held), None)
        if held is not None:
            heappush(self._parked.setdefault(held, []), (self._place[key], key))
            for lock in locks:
                self._unpark(lock)
            return
        self._held.update(locks)
        self._starts[key] = now
        heappush(self._flying, (now + self._graph.seconds[key], self._place[key], key))
        if ended:
            needed = set(self._graph.after[key])
            self._cause[key] = next((one for one in ended if one in needed), None) or self._freed(locks, ended)

    def _freed(self, locks: Collection[str], ended: Collection[str]) -> str:
        """What held one of its locks, or a lane, until now."""
        mine = set(locks)
        return next((one for one in ended if mine.intersection(self._graph.locks.get(one, ()))), next(iter(ended)))
