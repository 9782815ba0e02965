"""The default brain: deterministic, explains itself, needs no model.

By priority (what is learned of durations, else as declared), gentlest strategy first, as many at once as may run side
by side. When something is hopeless in an environment nothing new is started there, except what has worked before and
can be had again; then a human is asked.
"""

from collections.abc import Iterable

from shiftboss.model.conflict import Holder, obstacle
from shiftboss.model.move import DELEGATED, Decision, Mode, Move
from shiftboss.model.ranking import DECLARED, Ranking
from shiftboss.model.run import Want
from shiftboss.model.situation import Situation


class PolicyBrain:
    """Chooses by rule; the same situation always gives the same decision."""

    name = "policy"

    async def decide(self, situation: Situation) -> Decision | None:
        """The next moves with their reasons; None while waiting is all there is to do."""
        moves = choose(situation)
        if not moves:
            return None
        choice = len(moves) < len(situation.legal) and not situation.hopeless  # something legal has to wait
        first = next((move.id for move in moves if move.mode in DELEGATED and choice), None)
        reasoning = "\n".join(reason(move, situation, first=move.id == first) for move in moves)
        return Decision(moves=tuple(move.id for move in moves), reasoning=reasoning, source=self.name)


def choose(situation: Situation) -> list[Move]:
    """The moves to make now: endings where there are any, else what may start side by side.

    First one for each environment that has waited too long, so that none is held up by another one; then what the lanes
    that all share have room for.
    """
    picks = _Picks(situation)
    for environment in situation.overdue:
        picks.take(situation.legal.of(environment), 1)
    picks.take(situation.legal, situation.lanes - len(picks.chosen))
    return [*situation.legal.endings(), *picks.chosen]


class _Picks:
    """What has been chosen so far, and what has been looked at."""

    def __init__(self, situation: Situation) -> None:
        self.chosen: list[Move] = []
        self._situation = situation
        self._lost = {key.partition("/")[0] for key in situation.hopeless}
        self._holders: list[Holder] = list(situation.in_flight.values())
        self._considered: set[str] = set()

    def take(self, moves: Iterable[Move], most: int) -> None:
        """Choose what may start, at most so many; of each component only the gentlest way."""
        if most <= 0:
            return
        for move in moves:
            if self._may_start(move):
                self.chosen.append(move)
                self._holders.append(move)
                most -= 1
            if most <= 0:
                break

    def _may_start(self, move: Move) -> bool:
        hopeless = move.environment in self._lost and move.key not in self._situation.lowered
        if move.mode not in DELEGATED or hopeless or move.key in self._considered:
            return False
        self._considered.add(move.key)  # a harsher way is not taken only because the gentlest has to wait its turn
        return obstacle(move, self._situation.stack, self._holders) is None


def reason(move: Move, situation: Situation, *, first: bool = False) -> str:
    """Why this move, in one sentence that cites the evidence; of the `first` one also why it goes before others."""
    if move.mode is Mode.COMPLETE:
        down = situation.goal.want is Want.DOWN
        if situation.stack.only_tasks and not down:
            return f"{move.environment}: {move.why}."
        reached = "nothing of ours is running any more" if down else "everything that was wanted does its job"
        return f"{move.environment}: {reached}, no gap remains."
    if move.mode is Mode.ESCALATE:
        return f"{move.environment}: a human is needed: {move.why}."
    order = _before_others(move, situation.ranking) if first else ""
    name = move.key if len(situation.environments) > 1 else move.component
    dependents = situation.stack.dependents[move.component]
    needed = [one for one in dependents if f"{move.environment}/{one}" in situation.snapshot]
    purpose = f"; {', '.join(needed)} wait{'s' if len(needed) == 1 else ''} for it" if needed else ""
    if move.mode is Mode.UNDO:
        return f"{name}: {move.why}, so that it is no worse than before."
    if move.mode is Mode.RECOVER:
        tried = sum(a.mode == Mode.RECOVER for a in situation.ledger.get(move.key, ()))
        again = f" (recovery {tried + 1} of this component)" if tried else ""
        return f"{name}: {move.why}{again}{order}."
    return f"{name}: {move.why}{purpose}{order}."


def _before_others(move: Move, ranking: Ranking) -> str:
    """Why a move goes before others that are legal too; empty where nothing is known of how long they take."""
    if ranking.rule == DECLARED:
        return "; before others, as declared" if ranking.remaining else ""
    way = " -> ".join(ranking.way(move.key))
    return f"; before others, as {move.remaining:.1f} s are still to go from here, by {way}"
