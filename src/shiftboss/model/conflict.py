"""What may not run beside what. Pure; brains use it to choose, the hub to admit."""

from collections.abc import Collection, Iterable
from typing import Protocol

from shiftboss.model.move import Mode
from shiftboss.model.stack import Stack

_CHANGES_OTHERS = frozenset({Mode.RECOVER, Mode.UNDO, Mode.REMOVE, Mode.FORCE})


class Claim(Protocol):
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


def obstacle(move: Claim, stack: Stack, holders: Iterable[Claim]) -> str | None:
    """What stands in the way of starting a move beside those that hold something already, or None."""
    mine = {move.component, *move.touches}
    needs = stack.specs[move.component].requires
    for other in holders:
        if other.environment == move.environment:
            clash = _clash(mine, needs, set(move.locks), other)
            if clash:
                return clash
    return None


def _clash(mine: set[str], needs: Collection[str], locks: set[str], other: Claim) -> str | None:
    theirs = {other.component, *other.touches}
    if mine & theirs:
        return f"{min(mine & theirs)} is already being worked on"
    if other.mode in _CHANGES_OTHERS and theirs.intersection(needs):
        return f"{min(theirs.intersection(needs))}, which it requires, is being changed"
    shared = locks.intersection(other.locks)
    return f"the lock {min(shared)!r} is held for {other.component}" if shared else None


def has_lane(environment: str, lanes: int, holders: Collection[Claim]) -> bool:
    """Whether one more may start there: a shared lane is free, or nothing is in flight in that environment.

    So none is held up by what hangs in another one.
    """
    return len(holders) < lanes or all(one.environment != environment for one in holders)
