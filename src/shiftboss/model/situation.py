"""All that a brain may see when it decides. It can touch nothing through it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from shiftboss.model.gap import Gap
from shiftboss.model.lesson import Lesson
from shiftboss.model.mind import Usage
from shiftboss.model.move import Delegation, Move
from shiftboss.model.observation import Snapshot
from shiftboss.model.ranking import Ranking
from shiftboss.model.recovery import Attempt
from shiftboss.model.run import Goal
from shiftboss.model.stack import Stack
from shiftboss.model.value import Value


class LegalMoves(Protocol):
    """The legal moves, by priority (else as declared) and gentlest first; made as they are asked for."""

    def __iter__(self) -> Iterator[Move]:
        """The moves in order."""
        ...

    def of(self, environment: str) -> Iterator[Move]:
        """Those of one environment that can be delegated, in the same order."""
        ...

    def endings(self) -> Iterator[Move]:
        """Those that end an environment."""
        ...

    def __len__(self) -> int:
        """How many there are, counting each component once."""
        ...

    def get(self, move_id: str) -> Move | None:
        """The legal move of that id, or None."""
        ...


class Situation(Value):
    """What is wanted, what is seen, what was tried, what is legal now."""

    turn: int
    run: str = ""
    goal: Goal
    stack: Stack
    environments: Sequence[str] = ()
    snapshot: Snapshot
    gaps: Mapping[str, Gap]  #: by environment/component
    legal: LegalMoves
    in_flight: Mapping[str, Delegation]  #: by environment/component
    ledger: Mapping[str, Sequence[Attempt]]  #: settled delegations by environment/component
    history: Mapping[str, Sequence[Attempt]]  #: settled delegations by environment, in order
    lanes: int  #: how many further delegations may start now; may be negative
    overdue: Collection[str] = ()  #: environments that waited too long: each may start one, whatever `lanes` says
    hopeless: Mapping[str, str]  #: why nothing may be done any more, by environment/component
    lowered: Collection[str] = ()  #: what has worked in this run and does not now, by environment/component
    ranking: Ranking = Ranking()  #: what the order of the legal moves comes from
    notes: Mapping[int, str] = field(default_factory=dict[int, str])  #: what people said and nobody has acted on yet
    lessons: Mapping[str, Mapping[str, Lesson]] = field(default_factory=dict[str, Mapping[str, Lesson]])
    """What earlier runs taught, by signature and strategy."""
    usage: Usage = Usage()  #: what models have cost in this run so far
