"""What a hub is asked to do, by whom, and within which limits."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from shiftboss.contracts import Brain
from shiftboss.engine.ladder import Budget
from shiftboss.engine.state import RunState
from shiftboss.model.consent import Answer, rules_for
from shiftboss.model.duration import Conditions
from shiftboss.model.events import Json
from shiftboss.model.forecast import Limit
from shiftboss.model.gap import Gap
from shiftboss.model.lesson import Credit, Lesson
from shiftboss.model.move import Risk
from shiftboss.model.run import Goal
from shiftboss.model.stack import Stack
from shiftboss.model.value import Value

if TYPE_CHECKING:
    from shiftboss.model.estimate import Estimates

Report = Callable[[str, str, RunState, Mapping[str, Gap]], dict[str, Json]]
"""(environment, why, state, gaps) -> what a human is told."""

Expect = Callable[[], "Mapping[str, Estimates]"]
"""() -> what is known of durations, by environment."""


class Charter(Value):
    """What a hub is asked to do, and within which limits."""

    run: str
    stack: Stack
    goal: Goal
    environments: Sequence[str]
    parts: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])
    """Environment -> components that belong there; where nothing is said, all do."""
    brain: Brain
    asks: bool = False  #: the brain asks somebody and may take its time: people are heard meanwhile
    fallback: Brain  #: decides where the brain's choice was not admitted
    parallel: int = 4  #: lanes that all environments share; each may always use one
    seconds: float = 900.0
    steps: int = 100  #: visits a scripted pipeline may make
    budget: Budget = Budget(attempts=5, recoveries=10)
    period: float = 0.1  #: seconds between looks at what is starting (grows to ten times that)
    report: Report
    consent: Mapping[str, Mapping[Risk, Answer]] = field(default_factory=dict[str, Mapping[Risk, Answer]])
    limits: Sequence[Limit] = ()  #: measures that announce a failure
    window: float = 60.0  #: seconds a recovery must last to be credited
    interval: float = 5.0  #: seconds between looks when all is well (watch)
    lessons: Sequence[Lesson] = ()  #: of earlier runs, with these versions
    credits: Sequence[Credit] = ()  #: of earlier runs, still open
    versions: str = ""  #: what lessons are bound to
    conditions: Mapping[str, Conditions] = field(default_factory=dict[str, Conditions])
    """Environment -> under which conditions things take their time there."""
    expect: Expect | None = None  #: asked when there is something to do; None: the declared order

    def parts_of(self, environment: str) -> Collection[str]:
        """The components that belong to an environment."""
        return self.parts.get(environment, self.stack.specs)

    def rules(self, environment: str) -> Mapping[Risk, Answer]:
        """What may be done there without asking; regtest's defaults where nothing was said."""
        return self.consent.get(environment) or rules_for("regtest", {})
