"""The legal moves of a run, kept up to date gap by gap so that a turn costs what changed, not what there is."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from heapq import merge

from shiftboss.engine.moves import Ask, Options
from shiftboss.engine.state import RunState
from shiftboss.model.move import DELEGATED, Mode, Move


class Board:
    """Options by component, and those that can be delegated now, by environment in declared order."""

    def __init__(self) -> None:
        self._options: dict[str, Options] = {}
        self._open: dict[str, list[tuple[int, str]]] = {}
        self._count = 0
        self._endings: dict[str, Move] = {}
        self.hopeless: dict[str, str] = {}
        self.asks: dict[str, tuple[Ask, ...]] = {}  #: what a person could consent to, where nothing else is left
        self.spent: dict[str, str] = {}  #: environments whose script is out of steps; never filled here

    def prepare(self, state: RunState) -> None:
        """Called once a turn; this board is kept up to date by `put` alone."""

    def put(self, key: str, order: int, options: Options | None) -> None:
        """What may be done about a component now (None: nothing is wrong, or it is being worked on)."""
        here = self._open.setdefault(key.partition("/")[0], [])
        before = self._options.pop(key, None)
        if before is not None and _delegable(before):
            here.pop(bisect_left(here, (order, key)))
            self._count -= 1
        self.hopeless.pop(key, None)
        self.asks.pop(key, None)
        if options is None:
            return
        self._options[key] = options
        if _delegable(options):
            insort(here, (order, key))
            self._count += 1
        if options.hopeless:
            self.hopeless[key] = options.hopeless
        if options.asks:
            self.asks[key] = options.asks

    def offer_endings(self, endings: Mapping[str, Move]) -> None:
        """The moves that end environments, by id; legal besides the others."""
        self._endings = dict(endings)

    def can_delegate(self, key: str) -> bool:
        """Whether something may be done about a component now."""
        options = self._options.get(key)
        return options is not None and _delegable(options)

    def __iter__(self) -> Iterator[Move]:
        """Moves that can be delegated, in declared order and gentlest first; then endings."""
        for _, key in merge(*self._open.values()):
            yield from self._options[key].moves
        yield from self._endings.values()

    def of(self, environment: str) -> Iterator[Move]:
        """Moves of one environment that can be delegated, in declared order and gentlest first."""
        for _, key in self._open.get(environment, ()):
            yield from self._options[key].moves

    def endings(self) -> Iterator[Move]:
        """Moves that end an environment."""
        yield from self._endings.values()

    def get(self, move_id: str) -> Move | None:
        """The legal move of that id, or None."""
        if move_id in self._endings:
            return self._endings[move_id]
        key = "/".join(move_id.split("/")[:2])
        options = self._options.get(key)
        return next((m for m in options.moves if m.id == move_id), None) if options else None

    def __len__(self) -> int:
        """How many components can be delegated, plus endings."""
        return self._count + len(self._endings)


def ending_move(environment: str, mode: Mode, keyword: str, why: str) -> Move:
    """The move that ends an environment, as complete or as in need of a human."""
    return Move(id=f"{environment}/{mode}", environment=environment, mode=mode, keyword=keyword, why=why)


def _delegable(options: Options) -> bool:
    return any(move.mode in DELEGATED for move in options.moves)
