"""From evidence to the kind of failure: pure rules, used by probes and by what a start raises, so that both agree.

What is seen now (free space, rights, who holds lock and port) decides before what a program said of itself: "please
reindex" on a full disk is no damage. Only the program's own output since its last start counts as its last words; its
log gives details. Messages hold nothing that changes from one time to the next except numbers and paths, so the
signature of the same trouble is the same. Looks at nothing itself: diagnosis_look.py gathers, diagnosis_words.py reads.
"""

from collections.abc import Collection, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from shiftboss.model.failure import FailureKind
from shiftboss.model.value import Value

if TYPE_CHECKING:
    from shiftboss.packs.mining.diagnosis_words import Words

STOPPED = frozenset("Tt")
"""States of a process that was stopped by a signal or a debugger (proc(5))."""

COOKIE_SECONDS = 2.0
"""A daemon that listens wrote its cookie before; so long we may still have read the one of its predecessor."""


class Holder(Value):
    """A living process that holds something we need."""

    pid: int | None  #: None when the system does not let us see it
    name: str  #: its program
    ours: bool  #: it carries the marks of this environment

    @property
    def who(self) -> str:
        """For messages, without its number."""
        return f"a left-over process of ours ({self.name})" if self.ours else f"another process ({self.name})"


class Finding(Value):
    """What is wrong, and what shows it."""

    kind: FailureKind
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Scene(Value):
    """What can be seen of a daemon that does not run."""

    free_mb: float  #: least free space below its folders
    needed_mb: float
    denied: str = ""  #: what is not ours to write, and why
    lock: Holder | None = None  #: who holds the lock of the data folder
    port: Holder | None = None  #: who listens on a port of ours
    port_name: str = "rpc"  #: which one
    number: int = 0  #: that port
    bound: Holder | None = None  #: who listens on the other port that it could not have
    bound_number: int = 0
    ended: bool = False  #: a process of ours ended without being told to
    changed: bool = False  #: program, configuration or start are others now: what it complained of may be over
    touched: Collection[FailureKind] = ()  #: kinds whose files somebody changed after it had ended
    data_there: bool = True
    wallet_there: bool = True  #: the wallet file that it names is on disk
    output: str = ""  #: what it printed since its last start
    log: str = ""  #: what it logged since its last start
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Silence(Value):
    """What can be seen of a daemon that runs and was asked in vain."""

    state: str  #: of its process, see proc(5)
    age: float  #: seconds
    patience: float  #: seconds it may take to start
    error: str  #: the kind of failure of the call (name of the class)
    text: str  #: of the failure
    listens: bool  #: it listens on our port itself
    holder: Holder | None = None  #: somebody else who does
    number: int = 0  #: the port


def obstacle(scene: Scene) -> Finding | None:
    """What would keep a daemon from starting now, whatever happened before."""
    if scene.free_mb < scene.needed_mb:
        message = f"only {scene.free_mb:.0f} MB are free, the daemon needs {scene.needed_mb:.0f} MB"
        return Finding(kind=FailureKind.NO_SPACE, message=message, evidence={"free_mb": round(scene.free_mb, 1)})
    if scene.denied:
        return Finding(kind=FailureKind.PERMISSION, message=scene.denied)
    if scene.lock:
        message = f"the data folder is locked by {scene.lock.who}"
        kind = FailureKind.PORT_ORPHAN if scene.lock.ours else FailureKind.LOCKED
        return Finding(kind=kind, message=message, evidence=_held(scene.lock, "lock"))
    if scene.port:
        return port_taken(LABELS[scene.port_name], scene.port_name, scene.number, scene.port)
    return None


LABELS = {"rpc": "RPC", "p2p": "P2P", "zmq": "ZMQ"}
"""How the daemon's ports are called in messages."""


def port_taken(label: str, name: str, number: int, holder: Holder) -> Finding:
    """A port that we need is held; `name` is that of the setting ports.NAME."""
    kind = FailureKind.PORT_ORPHAN if holder.ours else FailureKind.PORT_FOREIGN
    evidence = {"port": name, "number": number, **_held(holder, "port")}
    return Finding(kind=kind, message=f"{label} port {number} is held by {holder.who}", evidence=evidence)


def _held(holder: Holder, what: str) -> dict[str, Any]:
    return {"held": what, "holder": holder.pid, "command": holder.name, "ours": holder.ours}


def classify(scene: Scene) -> Finding | None:
    """Why a daemon that should run does not; None when it simply was not started (or may be started again)."""
    found = obstacle(scene) or (_post_mortem(scene) if scene.ended and not scene.changed else None)
    return found and found.but(evidence={**scene.evidence, **found.evidence})


def _post_mortem(scene: Scene) -> Finding | None:
    """Why it ended, by its last words; a cause that can be seen to be gone only leaves that it ended."""
    from shiftboss.packs.mining.diagnosis_words import blame  # its patterns cost 5 ms, and mostly nothing has died

    words = blame(scene.output, scene.log)
    if words is None:
        return Finding(kind=FailureKind.DIED, message="the daemon's process ended unexpectedly")
    if words.kind in scene.touched:
        return None  # somebody has seen to it: only a new start can tell
    if words.kind in (FailureKind.DATA_DAMAGED, FailureKind.WALLET_DAMAGED):
        return _damage(scene, words)
    if words.kind is FailureKind.PORT_FOREIGN and scene.bound:
        return port_taken("P2P", "p2p", scene.bound_number, scene.bound)
    if words.passes:
        return Finding(kind=FailureKind.DIED, message=f"the daemon ended: {words.line}", evidence=words.evidence)
    return Finding(kind=words.kind, message=f"the daemon did not start: {words.line}", evidence=words.evidence)


def _damage(scene: Scene, words: "Words") -> Finding | None:
    if not scene.data_there:
        return None  # moved away since: there is nothing left that could be damaged
    if words.kind is FailureKind.WALLET_DAMAGED and not scene.wallet_there:
        message = f"a wallet file that the daemon loads is gone: {words.line}"
        return Finding(kind=FailureKind.WALLET_MISSING, message=message, evidence=words.evidence)
    what = "a wallet's file does" if words.kind is FailureKind.WALLET_DAMAGED else f"the {words.part} do"
    return Finding(kind=words.kind, message=f"{what} not load: {words.line}", evidence=words.evidence)


def stopped(part: str, state: str | None) -> Finding | None:
    """A process that was stopped by a signal can't be waited for."""
    if state not in STOPPED:
        return None
    message = f"the {part}'s process is stopped by a signal (state {state})"
    return Finding(kind=FailureKind.FROZEN, message=message, evidence={"state": state})


def classify_silence(seen: Silence) -> Finding | None:
    """Why a running daemon does not answer us; None while it may still be starting."""
    frozen = stopped("daemon", seen.state)
    if frozen:
        return frozen
    if seen.error == "RpcWarming":
        return None
    if seen.holder and not seen.listens:
        return port_taken("RPC", "rpc", seen.number, seen.holder)
    if seen.error == "RpcUnauthorized" and seen.listens and seen.age >= COOKIE_SECONDS:
        message = f"the daemon's process lives, but: {seen.text}"
        return Finding(kind=FailureKind.CREDENTIAL, message=message, evidence={"state": seen.state})
    if seen.age < seen.patience:
        return None  # not listening yet, too busy to answer, or just ending
    message = f"the daemon's process lives, but: {seen.text}"
    return Finding(kind=FailureKind.FROZEN, message=message, evidence={"state": seen.state})


def lost(expected: int, height: int) -> Finding:
    """The chain loads, but less of it than there was before the last start."""
    message = f"the chain went back silently: block {expected} was its tip before the last start, now it is {height}"
    return Finding(
        kind=FailureKind.DATA_LOST, message=message, evidence={"height_before": expected, "height_now": height}
    )
