"""The extension points: one method each, and a plain function is enough.

Brains choose, probes look, handlers act. A strategy is data (model.recovery) and needs no protocol.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Protocol

from shiftboss.model.failure import FailureKind
from shiftboss.model.forecast import Limit
from shiftboss.model.mind import Question, Reply
from shiftboss.model.move import Decision, Delegation
from shiftboss.model.observation import Observation
from shiftboss.model.outcome import Outcome
from shiftboss.model.profile import Profile
from shiftboss.model.recovery import Strategy
from shiftboss.model.situation import Situation
from shiftboss.model.value import Value
from shiftboss.system.workbench import Workbench


class Brain(Protocol):
    """Chooses among the legal moves. Sees a situation, returns a decision, touches nothing."""

    @property
    def name(self) -> str:
        """How the journal calls it."""
        ...

    async def decide(self, situation: Situation) -> Decision | None:
        """The next choice; None when there is nothing to do but wait."""
        ...


class Probe(Protocol):
    """Looks at one component. Changes nothing; what it raises becomes UNKNOWN."""

    async def __call__(self, bench: Workbench) -> Observation:
        """The dated answer with its evidence."""
        ...


class Handler(Protocol):
    """Closes one gap. Idempotent (except when told to force): called twice, the second changes nothing.

    May raise `errors.Failed` with a typed kind; anything else it raises becomes a failure of kind CRASHED.
    """

    async def __call__(self, order: Delegation, bench: Workbench) -> Outcome:
        """Do the work, and say every change one by one."""
        ...


class Mind(Protocol):
    """A language model: asked one question, it gives one reply of the shape asked for, and knows nothing else."""

    @property
    def name(self) -> str:
        """Provider and model, as the journal calls it."""
        ...

    async def ask(self, question: Question, seconds: float) -> Reply:
        """The reply, within so many seconds.

        Raises:
            MindFailed: there is none that could be used; whatever the provider raises becomes this.
        """
        ...


class Advisor(Protocol):
    """Suggests commands to a human for the report of an escalation; (command, 'safe' | 'destructive')."""

    def __call__(self, component: str, kind: FailureKind | None, bench: Workbench) -> Sequence[tuple[str, str]]:
        """The commands, most useful first."""
        ...


class Describer(Protocol):
    """Reads endpoints, proof or versions off the machine, for people and scripts."""

    async def __call__(self, bench: Workbench) -> Mapping[str, object]:
        """Plain values by name."""
        ...


class Act(Protocol):
    """Something a developer does to a running stack by hand (mine 3 blocks); no part of any run.

    Raises `errors.Failed` when it can't; notes that shiftboss keeps about the stack stay true.
    """

    async def __call__(self, bench: Workbench, number: int) -> Mapping[str, object]:
        """Do it so many times; what came of it, as plain values."""
        ...


class Pack(Value):
    """A bundle for one kind of stack. Components and agents stand in its agent files."""

    name: str
    folder: Path  #: holds agents/ and pipelines/
    default_pipeline: str
    profiles: Mapping[str, Profile]  #: kinds of environments by name; the first is the default
    parts: Callable[[Workbench], Collection[str] | None] = lambda _bench: None  #: wanted in an environment; None: all
    optional: Mapping[str, str] = field(default_factory=dict[str, str])
    """Components that are wanted only where a setting says so -> its key, such as daemon.peer."""
    acts: Mapping[str, str] = field(default_factory=dict[str, str])  #: name -> `module:function` of an Act
    strategies: Sequence[Strategy] = ()
    advise: Advisor
    endpoints: Describer
    proof: Describer
    logs: Callable[[Workbench], Mapping[str, Path]]  #: component -> its log file in an environment
    limits: Sequence[Limit] = ()  #: measures that announce a failure
    versions: Callable[[Workbench], Mapping[str, str]] = lambda _bench: {}  #: of its programs; cheap to ask
    download: str = ""  #: `module:NAME` of the system.packages.PackageSpec that it fetches, if any
    faults: str = ""  #: `module:NAME` of a sequence of model.fault.Fault, loaded by chaos only
