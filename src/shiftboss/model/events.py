"""What can happen in a run: one past-tense line each. The journal stores them, everything shown is folded from them.

Fields hold plain JSON values only, so that an event is its own stored form. A new kind needs a line in
`Event` and an arm in each fold; the type checker names the folds that lack it.
"""

from dataclasses import field
from typing import Any, get_args

from shiftboss.model.value import Value

Json = Any
"""The one place where the type of a value is not known: what JSON can hold."""


def _dict() -> dict[str, Json]:
    return {}


def _list() -> list[Json]:
    return []


class RunStarted(Value):
    """A run began: everything needed to take it up again."""

    pack: str
    pipeline: str
    brain: str
    goal: dict[str, Json]
    environments: list[str]
    profiles: dict[str, str] = field(default_factory=dict[str, str])  #: environment -> what kind it is
    sets: list[str] = field(default_factory=list[str])  #: KEY=VALUE arguments, for `resume`
    settings: dict[str, Json] = field(default_factory=_dict)
    versions: dict[str, str] = field(default_factory=_dict)
    command: str = ""
    pid: int = 0


class RunResumed(Value):
    """A later hub took the run up again."""

    pid: int


class Observed(Value):
    """A probe's answer changed."""

    environment: str
    component: str
    health: str
    summary: str
    evidence: dict[str, Json] = field(default_factory=_dict)
    failure: str | None = None
    instance: str | None = None
    unproven: bool = False
    measures: dict[str, float] = field(default_factory=_dict)


class Decided(Value):
    """A brain chose among the legal moves."""

    turn: int
    source: str
    keywords: list[str]
    moves: list[str]
    reasoning: str
    gaps: list[Json] = field(default_factory=_list)  #: [id, why, blocked_by]
    legal: list[Json] = field(default_factory=_list)  #: [id, keyword, why]
    more: int = 0  #: legal moves beyond those listed


class NotAdmitted(Value):
    """The hub turned a chosen move down."""

    turn: int
    source: str
    move: str
    why: str


class Delegated(Value):
    """An order was given; written before anything is done."""

    id: str
    environment: str
    component: str
    agent: str
    mode: str
    strategy: str | None
    keyword: str
    attempt: int
    deadline: float
    touches: list[str] = field(default_factory=_list)
    locks: list[str] = field(default_factory=_list)
    failure: str | None = None
    treated: str | None = None  #: signature of the failure a recovery is sent against
    undoes: str | None = None  #: id of the recovery whose steps are to be taken back


class Settled(Value):
    """A delegation ended and was judged by probes. Its memory form is `outcome.Outcome`."""

    id: str
    status: str
    outcome: str  #: the agent's keyword, e.g. pool_ready
    ok: bool
    summary: str
    seconds: float
    changes: list[str] = field(default_factory=_list)
    failure: dict[str, Json] | None = None  #: {kind, message, signature, evidence}
    evidence: dict[str, Json] = field(default_factory=_dict)
    undoable: int = 0  #: steps that can be taken back
    special: str | None = None  #: the agent's keyword where it is neither its success nor its failure
    output: str = ""  #: what the agent put out in words


class ApprovalAsked(Value):
    """Only a move that needs consent could help: a person is asked about exactly this act."""

    environment: str
    component: str
    act: str  #: its hash, which an approval names
    move: str
    risk: str
    what: str
    why: str


class Approved(Value):
    """A person consented to one act."""

    act: str


class Denied(Value):
    """A person forbade one act."""

    act: str
    reason: str = ""


class Learned(Value):
    """It was seen whether a recovery lasted."""

    environment: str
    component: str
    signature: str
    strategy: str
    delegation: str
    lasted: bool
    why: str


class MendedByHand(Value):
    """What had failed works when the run is taken up again: a person was at work."""

    environment: str
    component: str
    signature: str
    what: str
    changed: list[str] = field(default_factory=_list)  #: names of the evidence that differs
    notes: list[str] = field(default_factory=_list)  #: what the person said


class Warned(Value):
    """Something a person should know, which stops nothing."""

    text: str
    environment: str = ""
    component: str = ""


class NoteAdded(Value):
    """A person said something about the run."""

    text: str


class NoteAddressed(Value):
    """A brain or an agent says that it has acted on a note; it is shown to nobody after that."""

    note: int  #: its number, from 1
    by: str


class Consulted(Value):
    """A model was asked; what it chose, and what the policy brain would have done."""

    purpose: str  #: decide, work, goal
    model: str
    verdict: str  #: followed, beside (shadow), or why not: failed, late, refused, unreadable, spent, unrecorded
    why: str = ""
    turn: int = -1  #: decide: of the decision
    delegation: str = ""  #: work: of the order
    options: list[str] = field(default_factory=_list)  #: in the order shown
    chosen: list[str] = field(default_factory=_list)
    policy: list[str] = field(default_factory=_list)  #: decide: the policy brain's choice
    reasoning: str = ""
    quotes: list[str] = field(default_factory=_list)  #: what it cites; only what really stood in the question
    seconds: float = 0.0
    calls: int = 0
    tokens: int = 0
    money: float = 0.0
    replayed: bool = False


class ToolUsed(Value):
    """An agent that is a prompt used a tool, or was not allowed to."""

    delegation: str
    tool: str
    argument: str
    allowed: bool
    result: str  #: what came of it, shortened; or why it was not allowed
    seconds: float = 0.0


class EnvironmentEnded(Value):
    """An environment of the run reached its end."""

    environment: str
    ending: str
    reasoning: str
    report: dict[str, Json] = field(default_factory=_dict)


class RunEnded(Value):
    """The run ended; `ending` is the worst of its environments."""

    ending: str
    turns: int
    seconds: float


Event = (
    RunStarted
    | RunResumed
    | Observed
    | Decided
    | NotAdmitted
    | Delegated
    | Settled
    | ApprovalAsked
    | Approved
    | Denied
    | Learned
    | MendedByHand
    | Warned
    | NoteAdded
    | NoteAddressed
    | Consulted
    | ToolUsed
    | EnvironmentEnded
    | RunEnded
)

_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


class Recorded(Value):
    """An event as the journal holds it: numbered and dated."""

    seq: int
    run: str
    at: float
    event: Event


def kind_of(event: Event) -> str:
    """The stored name of an event's kind."""
    return type(event).__name__


def plain(event: Event) -> dict[str, Json]:
    """The event's fields as plain JSON values."""
    return vars(event)


def from_plain(kind: str, data: dict[str, Json]) -> Event:
    """The event that `plain` was made of.

    Raises:
        KeyError: a kind this version does not know.
    """
    return _KINDS[kind](**data)
