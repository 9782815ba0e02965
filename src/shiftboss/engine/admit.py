"""Whether a chosen move may really be made now. Pure; the hub asks before it orders anything (DESIGN section 2, 5).

A brain proposes, the hub admits: what is said here is journalled as NotAdmitted, and the brain's word never counts
against it.
"""

from collections.abc import Collection, Mapping, Sequence

from shiftboss.engine.charter import Charter
from shiftboss.model.conflict import Holder, has_lane, obstacle
from shiftboss.model.consent import Answer
from shiftboss.model.move import DELEGATED, Mode, Move
from shiftboss.model.pipeline import PipelineKind


def objection(
    move: Move,
    charter: Charter,
    held: Sequence[Holder],
    ending: Collection[str],
    recoveries: Mapping[str, int],
    overdue: Collection[str] = (),
) -> str | None:
    """Why a legal move is not admitted beside what is held already, or None.

    `held` holds the orders in flight and then the moves admitted with this decision, `ending` the environments
    that end with it, `recoveries` those ordered so far by environment, `overdue` the environments that have waited for
    a lane too long.
    """
    if move.environment in ending:
        return f"{move.environment} ends with this decision"
    if move.mode not in DELEGATED:
        at_work = move.mode is not Mode.WAIT and any(one.environment == move.environment for one in held)
        return f"{move.environment} has orders in flight" if at_work else None
    kept = charter.goal.untouched
    if kept and (off := sorted({move.component, *move.touches}.intersection(kept))):
        return f"the goal says not to touch {off[0]}"
    if not has_lane(move.environment, charter.parallel, held, overdue):
        return f"no lane is free (limits.parallel = {charter.parallel})"
    return _unaffordable(move, charter, held, recoveries) or obstacle(move, charter.stack, held)


def _unaffordable(move: Move, charter: Charter, held: Sequence[Holder], recoveries: Mapping[str, int]) -> str | None:
    scripted = charter.stack.pipeline.kind is PipelineKind.SCRIPTED  # a script's board does not ask for consent
    if scripted and charter.rules(move.environment)[move.risk] is not Answer.ALLOW:
        return f"needs consent: {move.risk}"
    if move.mode is Mode.RECOVER and _recoveries_left(move.environment, charter, held, recoveries) <= 0:
        return f"the recoveries of {move.environment} are spent"
    return None


def _recoveries_left(environment: str, charter: Charter, held: Sequence[Holder], recoveries: Mapping[str, int]) -> int:
    """Recoveries that may still start; a script is bounded by its steps instead."""
    if charter.stack.pipeline.kind is PipelineKind.SCRIPTED:
        return 1
    chosen = [one for one in held if isinstance(one, Move) and one.environment == environment]
    used = recoveries.get(environment, 0) + sum(one.mode is Mode.RECOVER for one in chosen)
    return charter.budget.recoveries - used
