"""The brain of a scripted pipeline: does what the current stage says and ignores what is observed.

It is what shiftboss replaces, kept so that both can be run on the same parts and compared.
"""

from shiftboss.model.conflict import has_lane, obstacle
from shiftboss.model.move import DELEGATED, Decision, Move
from shiftboss.model.situation import Situation


class ScriptBrain:
    """Follows the connections; has no second opinion and no memory."""

    name = "script"

    async def decide(self, situation: Situation) -> Decision | None:
        """Everything the stage still has to do; an ending only when the script has none left."""
        stage: list[Move] = []
        holders = list(situation.in_flight.values())
        for move in situation.legal:
            held = [*holders, *stage]
            free = move.mode in DELEGATED and has_lane(
                move.environment, situation.lanes + len(holders), held, situation.overdue
            )
            if free and obstacle(move, situation.stack, held) is None:
                stage.append(move)
        busy = {one.environment for one in (*holders, *stage)}
        moves = [*stage, *(move for move in situation.legal.endings() if move.environment not in busy)]
        if not moves:
            return None
        reasoning = "\n".join(f"{move.component or move.environment}: {move.why}." for move in moves)
        return Decision(moves=tuple(move.id for move in moves), reasoning=reasoning, source=self.name)
