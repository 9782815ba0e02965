"""Watches a brain in one simulated run: what it was asked, what it chose, what the policy would have chosen, what came.

Whether an order was legal is worked out here once more, from what the brain was shown, and not taken from the hub. Used
by chaos/brain_score.py; changes nothing of what the brain says.
"""

import time
from collections.abc import Sequence

from shiftboss.brains.policy import choose
from shiftboss.chaos.baselines import options
from shiftboss.chaos.simulator_judge import Judged
from shiftboss.contracts import Brain
from shiftboss.model.conflict import Holder, obstacle
from shiftboss.model.events import Consulted, Decided, Delegated, NotAdmitted, Recorded
from shiftboss.model.move import Decision, Move
from shiftboss.model.situation import Situation
from shiftboss.model.value import Value


class Asked(Value):
    """One question to a brain."""

    choice: bool  #: more than one thing could be done
    same: bool  #: it chose the same set of moves as the policy
    keywords: tuple[str, ...]  #: what the policy chose, in words
    seconds: float  #: real ones
    consulted: tuple[Consulted, ...] = ()


class BrainRun(Value):
    """One run of a brain."""

    judged: Judged
    asked: tuple[Asked, ...]
    refused: int = 0  #: moves that it chose and the hub did not admit
    taken_over: int = 0  #: decisions made by the policy after that
    illegal: tuple[str, ...] = ()  #: orders that were given and should not have been; there must be none


class Watched:
    """A brain that hands every question on to another one and takes notes."""

    def __init__(self, brain: Brain) -> None:
        self.name = brain.name
        self._brain = brain
        self._asked: list[Asked] = []
        self._illegal: list[str] = []
        self._refused = self._taken_over = 0
        self._decided = False  #: what it was asked last has a decision
        self._shown: dict[str, Move] = {}
        self._held: list[Holder] = []
        self._situation: Situation | None = None

    async def decide(self, situation: Situation) -> Decision | None:
        """What the brain says."""
        self._situation, self._decided = situation, False
        self._shown = {move.id: move for move in situation.legal}
        self._held = list(situation.in_flight.values())
        policy, choice = choose(situation), len(options(situation)) > 1
        began = time.perf_counter()
        decision = await self._brain.decide(situation)
        seconds = time.perf_counter() - began
        chosen = set(decision.moves if decision else ())
        asked = Asked(
            choice=choice,
            same=chosen == {move.id for move in policy},
            keywords=tuple(move.keyword for move in policy),
            seconds=seconds,
            consulted=decision.consulted if decision else (),
        )
        self._asked.append(asked)
        return decision

    def hear(self, recorded: Recorded) -> None:
        """An event of the run."""
        match recorded.event:
            case Delegated() as event:
                self._ordered(event)
            case NotAdmitted():
                self._refused += 1
            case Decided():
                self._taken_over += self._decided  # a second one of the same question is the policy's
                self._decided = True
            case _:
                pass

    def _ordered(self, event: Delegated) -> None:
        """An order must be one of the moves shown, and stand in nobody's way."""
        parts = (event.environment, event.component, event.mode, event.strategy)
        name = "/".join(part for part in parts if part)
        move = self._shown.get(name)
        if move is None or self._situation is None or obstacle(move, self._situation.stack, self._held):
            self._illegal.append(name)
        if move is not None:
            self._held.append(move)

    def run(self, judged: Judged) -> BrainRun:
        """The notes of the run, when it is over."""
        return BrainRun(
            judged=judged,
            asked=tuple(self._asked),
            refused=self._refused,
            taken_over=self._taken_over,
            illegal=tuple(self._illegal),
        )


def keywords(runs: Sequence[BrainRun]) -> list[str]:
    """Every word the policy chose in these runs."""
    return [word for run in runs for asked in run.asked for word in asked.keywords]
