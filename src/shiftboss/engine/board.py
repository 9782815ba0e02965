"""The legal moves of a run, kept up to date gap by gap so that a turn costs what changed, not what there is."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping

from shiftboss.engine.moves import Ask, Options
from shiftboss.engine.state import RunState
from shiftboss.model.move import DELEGATED, Mode, Move

Place = tuple[float, int]
"""Where a component stands: less goes first. By priority, then as declared."""


class Board:
    """Options by component, and those that can be delegated now in the order of their places."""

    def __init__(self) -> None:
        self._options: dict[str, Options] = {}
        self._open: list[tuple[Place, str]] = []
        self._places: dict[str, Place] = {}  #: of what can be delegated
        self._endings: dict[str, Move] = {}
        self.hopeless: dict[str, str] = {}
        self.asks: dict[str, tuple[Ask, ...]] = {}  #: what a person could consent to, where nothing else is left
        self.spent: dict[str, str] = {}  #: environments whose script is out of steps; never filled here
        self.failed: dict[str, str] = {}  #: environments whose script ended with a task's failure; never filled here

    def prepare(self, state: RunState) -> None:
        """Called once a turn; this board is kept up to date by `put` alone."""

    def put(self, key: str, place: Place, options: Options | None) -> None:
        """What may be done about a component now (None: nothing is wrong, or it is being worked on)."""
        before = self._places.pop(key, None)
        self._options.pop(key, None)
        if before is not None:
            self._open.pop(bisect_left(self._open, (before, key)))
        self.hopeless.pop(key, None)
        self.asks.pop(key, None)
        if options is None:
            return
        self._options[key] = options
        if _delegable(options):
            insort(self._open, (place, key))
            self._places[key] = place
        if options.hopeless:
            self.hopeless[key] = options.hopeless
        if options.asks:
            self.asks[key] = options.asks

    def offer_endings(self, endings: Mapping[str, Move]) -> None:
        """The moves that end environments, by id; legal besides the others."""
        self._endings = dict(endings)

    def can_delegate(self, key: str) -> bool:
        """Whether something may be done about a component now."""
        return key in self._places

    def __iter__(self) -> Iterator[Move]:
        """Moves that can be delegated, in the order of their places and gentlest first; then endings."""
        for _, key in self._open:
            yield from self._options[key].moves
        yield from self._endings.values()

    def of(self, environment: str) -> Iterator[Move]:
        """Moves of one environment that can be delegated, in the order of their places and gentlest first."""
        for _, key in self._open:
            if key.startswith(f"{environment}/"):
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
        return len(self._places) + len(self._endings)


def ending_move(environment: str, mode: Mode, keyword: str, why: str) -> Move:
    """The move that ends an environment, as complete or as in need of a human."""
    return Move(id=f"{environment}/{mode}", environment=environment, mode=mode, keyword=keyword, why=why)


def _delegable(options: Options) -> bool:
    return any(move.mode in DELEGATED for move in options.moves)
