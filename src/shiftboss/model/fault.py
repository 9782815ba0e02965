"""A fault as data: how it is put into a stack, what is to be seen of it, what may and what must not be done about it.

Packs bring their own; chaos/ injects them into real parts and simulates them. Nothing else reads them: the hub never
knows that a fault was injected.
"""

from enum import StrEnum

from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health
from shiftboss.model.run import Ending
from shiftboss.model.value import Value

ENSURE = "ensure"
"""Stands among strategies for the owner's own work: what is missing is simply done again."""


class Moment(StrEnum):
    """What the stack must be doing when the fault is put in."""

    RUNNING = "running"
    STOPPED = "stopped"  #: brought down cleanly, data kept
    NEW = "new"  #: nothing was ever brought up


class Fault(Value):
    """One way in which a stack breaks."""

    name: str
    what: str  #: one sentence
    component: str  #: where it is felt
    moment: Moment = Moment.RUNNING
    kinds: tuple[FailureKind, ...] = ()  #: right diagnoses, the first a must; empty: a plain gap, or nothing to see
    mended_by: tuple[str, ...] = ()  #: strategies (or `ensure`) that may be used; empty: nothing to mend
    untouched: tuple[str, ...] = ()  #: components whose process must be the same afterwards
    ending: Ending = Ending.CONVERGED  #: how a run that meets it rightly ends
    control: bool = False  #: nothing is wrong: only what `mended_by` names is right, mostly nothing at all
    own_disk: bool = False  #: needs a small disk for the working directory alone
    recurs: bool = False  #: it comes back after every repair
    inject: str = ""  #: `module:function` that puts it into real parts; empty: simulated only
    clear: str = ""  #: `module:function` that takes it away; empty: nothing is left behind
    breaks: Health = Health.BROKEN  #: simulator: what the component's probe says while it is there
    kills: tuple[str, ...] = ()  #: simulator: components whose process ends when it is put in
    cures: tuple[str, ...] = ()  #: simulator: what really removes it; empty: nothing does
