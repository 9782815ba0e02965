"""The default brain: deterministic, explains itself, needs no model.

Declared order, gentlest strategy first, as many at once as may run side by side. When something is hopeless in an
environment nothing new is started there, except what has worked before and can be had again; then a human is asked.
"""

from shiftboss.model.conflict import obstacle
from shiftboss.model.move import DELEGATED, Decision, Mode, Move
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
        reasoning = "\n".join(reason(move, situation) for move in moves)
        return Decision(moves=tuple(move.id for move in moves), reasoning=reasoning, source=self.name)


def choose(situation: Situation) -> list[Move]:
    """The moves to make now: endings where there are any, else what may start side by side."""
    lost = {key.partition("/")[0] for key in situation.hopeless}
    lowered = situation.lowered
    chosen: list[Move] = []
    endings: list[Move] = []
    holders = list(situation.in_flight.values())
    considered: set[str] = set()
    for move in situation.legal:
        if move.mode not in DELEGATED:
            endings.append(move)
        elif len(chosen) >= situation.lanes:
            break
        elif (move.environment not in lost or move.key in lowered) and move.key not in considered:
            considered.add(move.key)  # a harsher way is not taken only because the gentlest has to wait its turn
            if obstacle(move, situation.stack, [*holders, *chosen]) is None:
                chosen.append(move)
    return endings + chosen


def reason(move: Move, situation: Situation) -> str:
    """Why this move, in one sentence that cites the evidence."""
    if move.mode is Mode.COMPLETE:
        down = situation.goal.want is Want.DOWN
        reached = "nothing of ours is running any more" if down else "everything that was wanted does its job"
        return f"{move.environment}: {reached}, no gap remains."
    if move.mode is Mode.ESCALATE:
        return f"{move.environment}: a human is needed: {move.why}."
    needed = situation.stack.dependents[move.component]
    purpose = f"; {', '.join(needed)} wait{'s' if len(needed) == 1 else ''} for it" if needed else ""
    if move.mode is Mode.UNDO:
        return f"{move.component}: {move.why}, so that it is no worse than before."
    if move.mode is Mode.RECOVER:
        tried = sum(a.mode == Mode.RECOVER for a in situation.ledger.get(move.key, ()))
        again = f" (recovery {tried + 1} of this component)" if tried else ""
        return f"{move.component}: {move.why}{again}."
    return f"{move.component}: {move.why}{purpose}."
