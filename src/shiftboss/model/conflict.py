"""What may not run beside what. Pure; brains use it to choose, the hub to admit."""

from collections.abc import Collection, Iterable
from typing import Protocol

from shiftboss.model.move import Mode
from shiftboss.model.stack import Stack

_CHANGES_OTHERS = frozenset({Mode.RECOVER, Mode.UNDO, Mode.REMOVE, Mode.FORCE})


class Holder(Protocol):
    """What a move would hold, and a delegation does hold, while it lasts."""

    @property
    def environment(self) -> str: ...  # noqa: D102 - as in Move and Delegation
    @property
    def component(self) -> str: ...  # noqa: D102
    @property
    def mode(self) -> Mode: ...  # noqa: D102
    @property
    def touches(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def locks(self) -> tuple[str, ...]: ...  # noqa: D102


def obstacle(move: Holder, stack: Stack, holders: Iterable[Holder]) -> str | None:
    """What stands in the way of starting a move beside those that hold something already, or None."""
    mine = {move.component, *move.touches}
    needs = stack.specs[move.component].requires
    everywhere = mine & stack.shared, stack.shared.intersection(needs)
    for other in holders:
        clash = None
        if other.environment == move.environment:
            clash = _clash(mine, needs, set(move.locks), other)
        elif any(everywhere):
            clash = _clash(*everywhere, set(), other)
            clash = clash and f"{clash} for {other.environment}"
        if clash:
            return clash
    return None


def _clash(mine: set[str], needs: Collection[str], locks: set[str], other: Holder) -> str | None:
    theirs = {other.component, *other.touches}
    if mine & theirs:
        return f"{min(mine & theirs)} is already being worked on"
    if other.mode in _CHANGES_OTHERS and theirs.intersection(needs):
        return f"{min(theirs.intersection(needs))}, which it requires, is being changed"
    shared = locks.intersection(other.locks)
    return f"the lock {min(shared)!r} is held for {other.component}" if shared else None


def has_lane(environment: str, lanes: int, holders: Collection[Holder], overdue: Collection[str]) -> bool:
    """Whether one more may start there: a lane is free, or it has waited too long and nothing is in flight there.

    So no environment is held up by what hangs in another one.
    """
    return len(holders) < lanes or (environment in overdue and all(one.environment != environment for one in holders))
