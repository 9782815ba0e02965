"""Named ways to recover, as data: what they treat, how far they reach, how much they may hurt."""

from collections.abc import Collection

from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Risk
from shiftboss.model.value import Value

RUNGS = (
    "wait",
    "retry",
    "reload",
    "reconfigure",
    "relocate_port",
    "restart_one",
    "restart_rest",
    "repair_data",
    "restore",
    "free_space",
    "reset_environment",
)
"""The ladder by blast radius, smallest first (DESIGN section 7)."""


class Strategy(Value):
    """A way to recover. Its handler is the recovery agent's; this says when it may be tried."""

    name: str
    rung: str  #: one of RUNGS
    treats: Collection[FailureKind]
    components: Collection[str] = ()  #: the components it knows; empty means any
    touches: tuple[str, ...] = ()  #: further components it may change
    risk: Risk = Risk.SAFE
    uses: int = 2  #: how often per component and signature before the next rung
    most: int = 0  #: how often per environment in one run, whatever the failure; 0 means no limit of its own
    undo: str = ""  #: how it is taken back, in one sentence; empty means it can't be
    estimate: float = 2.0
    what: str  #: one sentence

    @property
    def radius(self) -> int:
        """Position on the ladder: smaller is gentler."""
        return RUNGS.index(self.rung)

    def fits(self, component: str, kind: FailureKind) -> bool:
        """Whether it treats this kind of failure of this component."""
        return kind in self.treats and (not self.components or component in self.components)


class Attempt(Value):
    """One settled delegation, as the ledger keeps it for the next decision."""

    delegation: str
    component: str
    keyword: str
    mode: str
    strategy: str | None
    ok: bool
    kind: FailureKind | None = None  #: of the failure it ended with
    signature: str | None = None
    message: str = ""
    treated: str | None = None  #: signature of the failure a recovery was sent against
    special: str | None = None  #: an outcome keyword of its own, e.g. environment_reset
    seconds: float = 0.0
    lasted: bool = True  #: False when the failure it treated was back within the window
    undoable: int = 0  #: steps that could be taken back when it ended
    log: tuple[str, ...] = ()  #: the last lines that the part wrote, where it failed
