"""What may be started right now, of all that is legal: the options of a brain without rules of its own. Pure.

Every single one would be admitted; of each component its harsher ways are only offered where the gentlest may start.
"""

from collections.abc import Iterator

from shiftboss.model.conflict import has_lane, obstacle
from shiftboss.model.move import DELEGATED, Mode, Move
from shiftboss.model.situation import Situation

MOST = 24
"""More options than anybody can weigh; the rest has its turn later."""


def offered(situation: Situation) -> list[Move]:
    """The moves to choose among, by priority; without COMPLETE, which is worked out and no matter of choice."""
    found = [move for move in situation.legal.endings() if move.mode is not Mode.COMPLETE]
    for move in startable(situation):
        if len(found) >= MOST:
            break
        found.append(move)
    return found


def startable(situation: Situation) -> Iterator[Move]:
    """Delegations that could begin now."""
    holders = list(situation.in_flight.values())
    lanes = situation.lanes + len(holders)
    must_wait: set[str] = set()
    seen: set[str] = set()
    for move in situation.legal:
        if move.mode not in DELEGATED or move.key in must_wait:
            continue
        free = has_lane(move.environment, lanes, holders, situation.overdue)
        if free and obstacle(move, situation.stack, holders) is None:
            seen.add(move.key)
            yield move
        elif move.key not in seen:
            must_wait.add(move.key)
