"""How environments and runs end, as events: with which ending, which report, and what a person is asked."""

from collections.abc import Mapping

from shiftboss.engine.board import Board
from shiftboss.engine.charter import Charter
from shiftboss.engine.scripted import ScriptedBoard
from shiftboss.engine.state import RunState
from shiftboss.model.events import ApprovalAsked, EnvironmentEnded, Event, Json, RunEnded
from shiftboss.model.gap import Gap
from shiftboss.model.move import Mode, Move
from shiftboss.model.run import Ending, worst
from shiftboss.system.clock import Clock


class Closing:
    """Writes the endings of one run; changes nothing."""

    def __init__(
        self, charter: Charter, state: RunState, gaps: Mapping[str, Gap], board: Board | ScriptedBoard, clock: Clock
    ) -> None:
        self._charter = charter
        self._state = state
        self._gaps = gaps
        self._board = board
        self._clock = clock

    def ending(self, move: Move) -> Ending:
        """What an ending move comes to: one that gives up only wants consent, if nothing else is in its way."""
        if move.mode is Mode.COMPLETE:
            return Ending.CONVERGED
        return Ending.NEEDS_APPROVAL if self.only_asks(move.environment) else Ending.ESCALATED

    def only_asks(self, environment: str) -> bool:
        """Whether nothing but consent stands in the way of what is hopeless there."""
        lost = {key for key in self._board.hopeless if key.startswith(f"{environment}/")}
        return lost <= self._board.asks.keys()

    def one(self, environment: str, ending: Ending, said: str, why: str = "") -> list[Event]:
        """An environment's end: what was said of it, what is asked, and the report on why it is not complete."""
        asked = self._asked(environment) if ending is Ending.NEEDS_APPROVAL else []
        report: dict[str, Json] = {}
        if ending is not Ending.CONVERGED:
            report = self._charter.report(environment, why or said, self._state, self._gaps)
            report["approvals"] = [vars(one) for one in asked]
        return [*asked, EnvironmentEnded(environment=environment, ending=ending, reasoning=said, report=report)]

    def all(self, ending: Ending, why: str) -> list[Event]:
        """Every environment that has not ended ends like this, and with them the run."""
        open_ones = [e for e in self._charter.environments if e not in self._state.endings]
        events = [event for environment in open_ones for event in self.one(environment, ending, why)]
        return [*events, *self.run(dict.fromkeys(open_ones, ending))]

    def spent(self) -> list[Event]:
        """The ends of environments whose script is out of steps."""
        new = {e: why for e, why in self._board.spent.items() if e not in self._state.endings}
        events = [event for e, why in new.items() for event in self.one(e, Ending.EXHAUSTED, why)]
        return [*events, *self.run(dict.fromkeys(new, Ending.EXHAUSTED))] if new else []

    def run(self, new: Mapping[str, Ending]) -> list[Event]:
        """The run's end, if these endings are the last ones."""
        endings = {**self._state.endings, **new}
        if len(endings) < len(self._charter.environments):
            return []
        seconds = self._clock.now() - self._state.started
        turns = self._state.decisions + 1
        return [RunEnded(ending=worst(endings.values()), turns=turns, seconds=round(seconds, 3))]

    def _asked(self, environment: str) -> list[ApprovalAsked]:
        """What a person is asked to consent to, each act by itself."""
        return [
            ApprovalAsked(
                environment=environment,
                component=ask.move.component,
                act=ask.act,
                move=ask.move.id,
                risk=ask.move.risk,
                what=ask.what,
                why=ask.move.why,
            )
            for key, asks in self._board.asks.items()
            for ask in asks
            if key.startswith(f"{environment}/")
        ]
