"""A run's goal, its endings and their exit codes."""

from collections.abc import Iterable
from enum import StrEnum

from shiftboss.model.value import Value


class Ending(StrEnum):
    """How a run (or one of its environments) ended; each has an exit code of its own."""

    CONVERGED = "converged"  #: no gap remains
    ESCALATED = "escalated"  #: a human is needed; there is a report
    NEEDS_APPROVAL = "needs_approval"  #: waits for consent
    EXHAUSTED = "exhausted"  #: out of time (or a script out of steps); there is a report
    INTERRUPTED = "interrupted"  #: stopped by the user, or the hub died


EXIT_CODES = {
    Ending.CONVERGED: 0,
    Ending.ESCALATED: 3,
    Ending.NEEDS_APPROVAL: 4,
    Ending.EXHAUSTED: 5,
    Ending.INTERRUPTED: 130,
}
EXIT_INTERNAL, EXIT_USAGE, EXIT_REFUSED = 1, 2, 6

_WORST_FIRST = (
    Ending.INTERRUPTED,
    Ending.ESCALATED,
    Ending.NEEDS_APPROVAL,
    Ending.EXHAUSTED,
    Ending.CONVERGED,
)


def worst(endings: Iterable[Ending]) -> Ending:
    """The ending of the whole, given the ending of each environment."""
    return min(endings, key=_WORST_FIRST.index, default=Ending.CONVERGED)


class Want(StrEnum):
    """What the user asks for."""

    UP = "up"
    DOWN = "down"
    RESTART = "restart"


class Goal(Value):
    """What should be true at the end."""

    want: Want = Want.UP
    components: tuple[str, ...] = ()  #: empty means all; else these and what they require
    replace: tuple[str, ...] = ()  #: restart: identities (key=instance) that must be gone
    purge: bool = False  #: down: move the data aside as well
    keep: bool = False  #: up: do not end when all is well, but keep it so (watch)
    untouched: tuple[str, ...] = ()  #: components that nothing may be done to, whatever is wrong with them
    words: str = ""  #: as the user said it
