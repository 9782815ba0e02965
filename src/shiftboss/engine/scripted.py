"""The legal moves of a scripted pipeline: those of the stage it stands at, whatever the world looks like.

Where it stands is not stored: it is walked anew from what has settled, so that a resumed script goes on exactly
where it was.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from shiftboss.engine.moves import Ask, Options
from shiftboss.engine.state import RunState
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Mode, Move
from shiftboss.model.pipeline import Pipeline, Stage, StageMode
from shiftboss.model.recovery import Attempt, Strategy
from shiftboss.model.stack import Stack
from shiftboss.model.value import Value

_MODES = {StageMode.FORCE: Mode.FORCE, StageMode.ENSURE: Mode.ENSURE, StageMode.VERIFY: Mode.VERIFY}


class Position(Value):
    """Where a script stands: its stage and what of it is still to do; or the keyword it ended with."""

    stage: Stage
    visits: int
    todo: tuple[str, ...] = ()
    failed: Attempt | None = None  #: the last failure, which a recovery stage is about
    ended: str | None = None


def walk(pipeline: Pipeline, attempts: Sequence[Attempt], steps: int, mended: Collection[int] = ()) -> Position:
    """Follow the connections through everything that has settled, for at most so many visits and one.

    `mended` says after how many attempts a person took the run up again: visits count anew from there, and a script
    that had ended stands again where it failed.
    """
    stage, visits, index = pipeline.stage(pipeline.start), 1, 0
    failed: Attempt | None = None
    anew = set(mended)
    while True:
        if index in anew:
            anew.discard(index)
            visits = 1
        if visits > steps:  # stages with nothing to do could lead in a circle
            return Position(stage=stage, visits=visits, failed=failed)
        names = _components(stage, failed)
        batch = [a for a in attempts[index:] if a.keyword == stage.id][: len(names)]
        done = {attempt.component for attempt in batch}
        if len(batch) < len(names):
            todo = tuple(name for name in names if name not in done)
            return Position(stage=stage, visits=visits, todo=todo, failed=failed)
        index += len(batch)
        failed = _first_failure(batch) or failed
        keyword = _keyword(stage, batch)
        connection = pipeline.target(stage.id, keyword)
        if connection is None or connection.target is None:
            if index in anew:
                stage = pipeline.stage(_still_failed(attempts[:index]) or stage.id)
                continue
            return Position(stage=stage, visits=visits, failed=failed, ended=keyword)
        stage, visits = pipeline.stage(connection.target), visits + 1


def _first_failure(batch: Sequence[Attempt]) -> Attempt | None:
    return next((attempt for attempt in batch if not attempt.ok), None)


def _still_failed(attempts: Sequence[Attempt]) -> str | None:
    """The stage of the last failure that nothing has made good since."""
    newest = {attempt.component: attempt for attempt in attempts}
    return next((one.keyword for one in reversed(attempts) if one is newest[one.component] and not one.ok), None)


def _components(stage: Stage, failed: Attempt | None) -> tuple[str, ...]:
    if stage.mode is StageMode.RECOVER:
        return (failed.component,) if failed else ()
    return stage.components


def _keyword(stage: Stage, batch: Sequence[Attempt]) -> str:
    special = next((a.special for a in batch if a.special in stage.decisions), None)
    success, failure = stage.decisions[:2]
    return special or (success if all(attempt.ok for attempt in batch) else failure)


class ScriptedBoard:
    """A board (see board.py) whose moves come from the script's position, one per environment."""

    def __init__(self, stack: Stack, steps: int, environments: Sequence[str]) -> None:
        self._stack = stack
        self._steps = steps
        self._environments = environments
        self._moves: dict[str, Move] = {}
        self._endings: dict[str, Move] = {}
        self.hopeless: dict[str, str] = {}
        self.asks: dict[str, tuple[Ask, ...]] = {}  #: never filled here
        self.spent: dict[str, str] = {}
        self.failed: dict[str, str] = {}  #: environments whose script ended with a task's failure

    def prepare(self, state: RunState) -> None:
        """Find each environment's position and the moves of its stage."""
        self._moves, self.hopeless = {}, {}
        for environment in self._environments:
            if environment in state.endings:
                continue
            attempts, mended = state.history[environment], state.mended.get(environment, ())
            position = walk(self._stack.pipeline, attempts, self._steps, mended)
            self._offer(environment, position, state)

    def _offer(self, environment: str, position: Position, state: RunState) -> None:
        if position.visits > self._steps:
            self.spent[environment] = f"the script made {self._steps} visits without coming to an end (limits.steps)"
            return
        key = f"{environment}/{position.stage.id}"
        if position.ended:
            failed = position.failed
            why = f"{failed.message}; " if failed and failed.message and failed.keyword == position.stage.id else ""
            self.hopeless[key] = f"{why}the script ended with {position.ended}"
            if self._is_task(position.stage) and position.ended == position.stage.decisions[1]:
                self.failed[environment] = self.hopeless[key]
            return
        for name in position.todo:
            move = self._move(environment, name, position)
            if move is None:
                self.hopeless[key] = f"no strategy for {name}"
            elif move.key not in state.in_flight:
                self._moves[move.id] = move

    def _is_task(self, stage: Stage) -> bool:
        """Whether nothing looks at what the stage does: only its keyword says how it went."""
        return any(self._stack.specs[name].claimed for name in stage.components)

    def _move(self, environment: str, name: str, position: Position) -> Move | None:
        stage = position.stage
        if stage.mode is StageMode.RECOVER:
            found = self._treatment(name, position.failed)
            return found and self._recover(environment, found[0], stage, found[1])
        mode = _MODES[stage.mode or StageMode.FORCE]
        return self._stage_move(environment, name, stage, mode)

    def _treatment(self, name: str, failed: Attempt | None) -> tuple[str, Strategy] | None:
        """The component to recover and how: the one that failed, or else the nearest it stands on, taken for dead."""
        kind = (failed and failed.kind) or FailureKind.DIED
        names, strategies = [name], self._stack.strategies
        for one in names:
            found = _first_fit(strategies, one, kind if one == name else FailureKind.DIED)
            if found:
                return one, found
            names += [other for other in self._stack.specs[one].requires if other not in names]
        return None

    def _stage_move(self, environment: str, name: str, stage: Stage, mode: Mode) -> Move:
        spec = self._stack.specs[name]
        return Move(
            id=f"{environment}/{name}/{mode}",
            environment=environment,
            component=name,
            agent=stage.agent,
            mode=mode,
            keyword=stage.id,
            why="its turn in the script" if stage.id == name else f"the script stands at {stage.id}",
            estimate=spec.estimate,
            deadline=spec.deadline,
            order=self._stack.order[name],
            locks=spec.locks,
        )

    def _recover(self, environment: str, name: str, stage: Stage, strategy: Strategy) -> Move:
        return Move(
            id=f"{environment}/{name}/{Mode.RECOVER}/{strategy.name}",
            environment=environment,
            component=name,
            agent=stage.agent,
            mode=Mode.RECOVER,
            strategy=strategy.name,
            keyword=stage.id,
            why=f"the script stands at {stage.id}; {strategy.what}",
            estimate=strategy.estimate,
            risk=strategy.risk,
            rung=strategy.radius,
            order=self._stack.order[name],
            touches=tuple(one for one in strategy.touches if one in self._stack.specs),
        )

    def put(self, key: str, place: tuple[float, int], options: Options | None) -> None:
        """Gaps do not matter to a script."""

    def can_delegate(self, _key: str) -> bool:
        """Gaps do not matter to a script."""
        return False

    def offer_endings(self, endings: Mapping[str, Move]) -> None:
        """The moves that end environments, by id."""
        self._endings = dict(endings)

    def __iter__(self) -> Iterator[Move]:
        """The stage's moves, then endings."""
        yield from self._moves.values()
        yield from self._endings.values()

    def of(self, environment: str) -> Iterator[Move]:
        """The stage's moves of one environment."""
        yield from (move for move in self._moves.values() if move.environment == environment)

    def endings(self) -> Iterator[Move]:
        """Moves that end an environment."""
        yield from self._endings.values()

    def get(self, move_id: str) -> Move | None:
        """The legal move of that id, or None."""
        return self._moves.get(move_id) or self._endings.get(move_id)

    def __len__(self) -> int:
        """How many moves there are."""
        return len(self._moves) + len(self._endings)


def _first_fit(strategies: Sequence[Strategy], name: str, kind: FailureKind) -> Strategy | None:
    """A script has no memory: always the first strategy that treats the kind of failure."""
    return next((strategy for strategy in strategies if strategy.fits(name, kind)), None)
