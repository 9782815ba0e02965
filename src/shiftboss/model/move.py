"""What a brain may choose from, what it chose, and what became an order."""

from enum import StrEnum

from shiftboss.model.events import Consulted
from shiftboss.model.value import Value


class Mode(StrEnum):
    """What a move does with its component."""

    ENSURE = "ensure"  #: bring it up; a second call changes nothing
    RECOVER = "recover"  #: apply a named strategy to a failure
    UNDO = "undo"  #: take back the steps of a recovery that failed
    REMOVE = "remove"  #: stop it (data stays)
    FORCE = "force"  #: scripted pipelines: do it again whatever is there
    VERIFY = "verify"  #: scripted pipelines: look only
    WAIT = "wait"  #: give it time
    COMPLETE = "complete"  #: end the environment: no gap is left
    ESCALATE = "escalate"  #: end the environment: a human is needed


DELEGATED = frozenset({Mode.ENSURE, Mode.RECOVER, Mode.UNDO, Mode.REMOVE, Mode.FORCE, Mode.VERIFY})


class Risk(StrEnum):
    """How much a move may hurt; consent is given per class and environment."""

    SAFE = "safe"
    DISRUPTIVE = "disruptive"  #: interrupts a part that may be working
    DESTRUCTIVE = "destructive"  #: data is moved aside, or made anew
    FOREIGN = "foreign"  #: touches what is not ours
    SYSTEM = "system"  #: installs system-wide


class Move(Value):
    """One legal option: who may close which gap in which way, and why."""

    id: str  #: environment/component/mode[/strategy]; environment/complete; environment/escalate
    environment: str
    component: str = ""
    agent: str = ""
    mode: Mode
    strategy: str | None = None
    keyword: str  #: the pipeline's word for it, e.g. delegate_pool_setup
    why: str
    estimate: float = 0.0  #: declared seconds
    remaining: float = 0.0  #: expected seconds to the end of the longest way that begins with it; 0 where not ranked
    deadline: float = 60.0  #: seconds after which the delegation is given up
    risk: Risk = Risk.SAFE
    rung: int = 0  #: blast radius: position on the ladder of strategies
    order: int = 0  #: declared order of the component in the pipeline
    touches: tuple[str, ...] = ()  #: further components it may change
    locks: tuple[str, ...] = ()
    target: str = ""  #: the process of others that it would end: pid and command

    @property
    def key(self) -> str:
        """`environment/component` of the gap it closes."""
        return f"{self.environment}/{self.component}"


class Decision(Value):
    """What a brain chose: ids of legal moves, and its reasoning."""

    moves: tuple[str, ...]
    reasoning: str
    source: str  #: which brain said it
    consulted: tuple[Consulted, ...] = ()  #: models that were asked for it
    addressed: tuple[int, ...] = ()  #: numbers of notes that it acts on


class Delegation(Value):
    """One order to one agent for one gap; carries names only, the handler looks for itself."""

    id: str  #: run/turn/index, also the idempotency key
    run: str
    environment: str
    component: str
    agent: str
    mode: Mode
    strategy: str | None
    keyword: str
    attempt: int  #: 1-based, counted per component and mode
    deadline: float  #: seconds it may take
    touches: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    failure: str | None = None  #: kind of the failure a recovery treats
    undoes: str | None = None  #: id of the recovery whose steps are to be taken back

    @property
    def key(self) -> str:
        """`environment/component`."""
        return f"{self.environment}/{self.component}"
