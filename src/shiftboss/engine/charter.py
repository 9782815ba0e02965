"""What a hub is asked to do, by whom, and within which limits."""

from collections.abc import Callable, Mapping, Sequence

from shiftboss.contracts import Brain
from shiftboss.engine.moves import Budget
from shiftboss.engine.state import RunState
from shiftboss.model.events import Json
from shiftboss.model.gap import Gap
from shiftboss.model.run import Goal
from shiftboss.model.stack import Stack
from shiftboss.model.value import Value

Report = Callable[[str, str, RunState, Mapping[str, Gap]], dict[str, Json]]
"""(environment, why, state, gaps) -> what a human is told."""


class Charter(Value):
    """What a hub is asked to do, and within which limits."""

    run: str
    stack: Stack
    goal: Goal
    environments: Sequence[str]
    brain: Brain
    fallback: Brain  #: decides where the brain's choice was not admitted
    parallel: int = 4
    seconds: float = 900.0
    steps: int = 100  #: visits a scripted pipeline may make
    budget: Budget = Budget(attempts=5, recoveries=10)
    period: float = 0.1  #: seconds between looks at what is starting (grows to ten times that)
    report: Report
