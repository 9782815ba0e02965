"""Which strategies may still be tried against a failure, and in which order (DESIGN section 7). Pure.

The gentlest that fits first, unless memory knows better; each a bounded number of times; and a rung on which the same
failure has been treated twice is left, where there is a higher one: the third time something else must be done.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field

from shiftboss.engine.trouble import Trouble
from shiftboss.model.consent import Consent
from shiftboss.model.failure import FailureKind
from shiftboss.model.lesson import Lesson, by_experience
from shiftboss.model.recovery import Attempt, Strategy
from shiftboss.model.value import Value

SAME_RUNG = 2
"""So often the same failure may be treated on one rung; its third appearance changes the rung."""


VAGUE = frozenset(
    {
        FailureKind.DIED,
        FailureKind.TIMEOUT,
        FailureKind.FROZEN,
        FailureKind.DISCONNECTED,
        FailureKind.CRASHED,
        FailureKind.UNVERIFIED,
    }
)
"""Failures that have many causes: what helped once says nothing about the next, so memory is not asked."""

WATCHED = 3
"""Under watch there is time: gentle ways are tried so many times as often, with pauses, before harsher ones."""


class Budget(Value):
    """How often something may go wrong before a human is asked."""

    attempts: int  #: failed delegations per component
    recoveries: int  #: recoveries per environment
    signature: int = 6  #: recoveries against one and the same failure


class Undoable(Value):
    """A failed recovery whose steps are still to be taken back."""

    delegation: str
    strategy: str
    touches: tuple[str, ...] = ()


class Terms(Value):
    """What holds for recoveries in one environment now, beside the component's own history."""

    budget: Budget = Budget(attempts=5, recoveries=10)
    recoveries: int = 0  #: ordered so far
    used: Mapping[str, int] = field(default_factory=dict[str, int])  #: strategy -> times ordered so far
    consent: Consent = field(default_factory=Consent)
    lessons: Mapping[str, dict[str, Lesson]] = field(default_factory=dict[str, dict[str, Lesson]])  #: by signature
    undo: Undoable | None = None  #: of this component
    untouched: frozenset[str] = frozenset()  #: components that the goal says not to touch
    watching: bool = False  #: there is no hurry: what keeps failing is given ever more time


def ladder(
    component: str, strategies: Sequence[Strategy], attempts: Sequence[Attempt], trouble: Trouble, terms: Terms
) -> list[Strategy]:
    """The strategies that may be tried now, the one to try first first."""
    if terms.recoveries >= terms.budget.recoveries or _treated(attempts, trouble) >= terms.budget.signature:
        return []
    patience = WATCHED if terms.watching else 1
    left = _worn_rung(strategies, attempts, trouble, SAME_RUNG * patience)
    fitting = [
        one
        for one in strategies
        if one.fits(component, trouble.kind)
        and terms.untouched.isdisjoint(one.touches)
        and _uses(attempts, one.name, trouble) < one.uses * patience
        and not (one.most and terms.used.get(one.name, 0) >= one.most)
    ]
    above = [one for one in fitting if one.radius > left]
    lessons = {} if trouble.kind in VAGUE else terms.lessons.get(trouble.signature, {})
    return by_experience(above or [one for one in fitting if one.radius == left], lessons)


def spent_on(attempts: Sequence[Attempt], trouble: Trouble, terms: Terms) -> str | None:
    """Which budget of recoveries is spent, if one is."""
    if terms.recoveries >= terms.budget.recoveries:
        return "the environment's recoveries are spent"
    if _treated(attempts, trouble) >= terms.budget.signature:
        return f"{terms.budget.signature} recoveries against the same failure did not help"
    return None


def _treated(attempts: Sequence[Attempt], trouble: Trouble) -> int:
    return sum(attempt.treated == trouble.signature for attempt in attempts)


_ACCIDENTS = frozenset({FailureKind.CRASHED, FailureKind.TIMEOUT})
"""What can befall any recovery, and says nothing about whether it is the right one."""


def _uses(attempts: Sequence[Attempt], strategy: str, trouble: Trouble) -> int:
    """How often it has been tried; the first time that it met with an accident does not count."""
    made = [a for a in attempts if a.strategy == strategy and a.treated == trouble.signature]
    return len(made) - any(not a.ok and a.kind in _ACCIDENTS for a in made)


def _worn_rung(strategies: Sequence[Strategy], attempts: Sequence[Attempt], trouble: Trouble, often: int) -> int:
    """The highest rung on which this failure was treated often enough; -1 when there is none."""
    rungs = {strategy.name: strategy.radius for strategy in strategies}
    treated = Counter(rungs.get(a.strategy or "", -1) for a in attempts if a.treated == trouble.signature)
    return max((rung for rung, times in treated.items() if times >= often), default=-1)
