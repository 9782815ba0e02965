"""One simulated run -> what the scorecard counts. Pure; says what is wrong, and against which rule.

The same FaultResult as real runs have, and beside it what only a simulation can know for certain.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from shiftboss.chaos.result import FaultResult
from shiftboss.chaos.simulator import Played
from shiftboss.chaos.world import World
from shiftboss.model.failure import FailureKind
from shiftboss.model.fault import ENSURE, Fault
from shiftboss.model.observation import Health
from shiftboss.model.run import Ending
from shiftboss.model.value import Value

ANY_TIME = frozenset(
    {
        FailureKind.CRASHED,
        FailureKind.TIMEOUT,
        FailureKind.UNVERIFIED,
        FailureKind.DISCONNECTED,
        FailureKind.DIED,
    }
)
"""Failures that follow from others and from bad weather; to see them is no wrong diagnosis."""

HARMLESS = frozenset({"wait", "undo", ENSURE})

_RANKS = {Health.READY: 3, Health.STARTING: 2, Health.BROKEN: 1, Health.UNKNOWN: 0, Health.ABSENT: 0}


class Judged(Value):
    """A simulated run, judged."""

    result: FaultResult
    faults: int  #: how many met in it, controls not counted
    repairable: bool  #: there was a way that needs nobody's consent
    endless: bool
    worse: tuple[str, ...]  #: components that are worse off, though no fault explains it
    wrong: bool  #: it said converged, and something was not ready
    mutations: int
    how: str  #: the orders in words, for whoever wants to know why


def judge(played: Played, world: World) -> Judged:
    """How the hub did in one run."""
    faults = [world.faults[name] for name in played.struck if not world.faults[name].control]
    repairable = played.least is not None
    wrong = played.ending == Ending.CONVERGED and not _ready(played.after) and not played.surprised
    return Judged(
        result=_result(played, faults, world, repairable=repairable),
        faults=len(faults),
        repairable=repairable,
        endless=not played.ending,
        worse=_worse(played, faults, world),
        wrong=wrong,
        mutations=sum(act != "wait" for act, _ in played.changed),
        how=" ".join(f"{order.act}:{order.component}{'' if order.ok else '!'}" for order in played.orders),
    )


def _result(played: Played, faults: list[Fault], world: World, *, repairable: bool) -> FaultResult:
    converged = played.ending == Ending.CONVERGED
    skipped = ""
    if converged and played.surprised and not _ready(played.after):
        skipped = "a fault came just as the run ended"
    elif converged and _ready(played.after) and any(one.recurs for one in faults):
        skipped = "the run was over before the fault came back"
    return FaultResult(
        name="+".join(sorted(played.struck)),
        mode="simulated",
        seed=int(played.case.seed.partition("/")[2] or 0),
        skipped=skipped,
        control=not faults,
        detected=_detected(played, faults),
        diagnosed=all(_diagnosed(one, played, faults) for one in faults),
        mitigated=repairable and converged and _ready(played.after),
        escalated_rightly=not repairable and played.reported and played.ending in _right_endings(faults),
        false_action=_false_action(played, faults, world),
        collateral=_collateral(played, faults, world),
        seconds=played.seconds,
        delegations=len(played.orders),
        least=played.least,
        ending=played.ending,
    )


def _ready(healths: Mapping[str, Health]) -> bool:
    return all(health is Health.READY for health in healths.values())


def _detected(played: Played, faults: Collection[Fault]) -> bool:
    if not faults:
        return not played.gaps or played.before.values() != played.after.values()
    return any(fault.component in played.gaps or fault.component in played.kinds for fault in faults)


def _diagnosed(fault: Fault, played: Played, faults: Iterable[Fault]) -> bool:
    """The right kind was named for its component, and no wrong one; of several faults one may hide the others."""
    seen = {FailureKind(kind) for kind in played.kinds.get(fault.component, ())}
    right = {kind for one in faults if one.component == fault.component for kind in one.kinds}
    named = not fault.kinds or bool(seen & right) or len(played.struck) > 1
    return named and seen <= right | ANY_TIME


def _right_endings(faults: Sequence[Fault]) -> set[str]:
    """How a run may end that can't converge: as one of its faults says; several may spend the budget of a part."""
    named = {str(fault.ending) for fault in faults if fault.ending is not Ending.CONVERGED}
    return named | {str(Ending.ESCALATED)} if len(faults) > 1 else named


def _false_action(played: Played, faults: list[Fault], world: World) -> bool:
    """Something was changed in a way that none of the faults calls for."""
    running = [name for name in played.struck if world.faults[name].control]
    if not faults:
        allowed = {act for name in running for act in world.faults[name].mended_by}
        return any(act not in allowed for act, _ in played.changed)
    called_for = {act for fault in faults for act in fault.mended_by} | HARMLESS
    if any(set(fault.kills) - {fault.component} for fault in faults):
        called_for.add("restart_one")
    return any(act not in called_for for act, _ in played.changed)


def _collateral(played: Played, faults: Iterable[Fault], world: World) -> tuple[str, ...]:
    """Processes that were started again though no fault needs it."""
    kept = set(world.shape.processes)
    for name in played.struck:
        fault = world.faults[name]
        kept &= set(fault.untouched)
    for fault in faults:
        kept -= {fault.component, *fault.kills}
    return tuple(sorted(kept & played.restarted))


def _worse(played: Played, faults: Iterable[Fault], world: World) -> tuple[str, ...]:
    """Components below where they began though what they require is ready and no fault is at work on them.

    One that comes back again and again is at work on all that stands on its component, also while that is up.
    """
    late = {name for _, name in played.case.late}
    hit = {one for f in faults if f.name in played.left | late or f.recurs for one in (f.component, *f.kills)}
    hit |= {one for f in faults if f.recurs for one in world.stack.downstream(f.component)}
    found: list[str] = []
    for name, spec in world.stack.specs.items():
        fed = all(played.after[need] is Health.READY for need in spec.requires)
        if name not in hit and fed and _RANKS[played.after[name]] < _RANKS[played.before[name]]:
            found.append(name)
    return tuple(found)
