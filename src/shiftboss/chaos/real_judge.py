"""What was seen of a run against faults -> how well the hub did. Pure; used by chaos/real.py."""

from collections.abc import Mapping, Sequence

from shiftboss.chaos.result import FaultResult
from shiftboss.model.events import Delegated, Event, Observed, Settled
from shiftboss.model.fault import ENSURE, Fault
from shiftboss.model.move import Mode
from shiftboss.model.observation import Health
from shiftboss.model.run import Ending, worst
from shiftboss.model.value import Value

ASKING = (Ending.ESCALATED, Ending.NEEDS_APPROVAL)


class Seen(Value):
    """What a run against faults left to look at."""

    events: Sequence[Event]
    ending: str
    seconds: float
    healthy: bool  #: what a fresh look at the whole stack says afterwards
    before: Mapping[str, str]  #: identity of each part right after the faults were put in
    after: Mapping[str, str]
    killed: Sequence[str] = ()  #: foreign processes that are gone and should not be
    notes: str = ""


def judge(name: str, faults: Sequence[Fault], seen: Seen, seed: int = 0) -> FaultResult:
    """The row of the scorecard."""
    expected = worst(fault.ending for fault in faults)
    control = all(fault.control for fault in faults)
    wrong = wrong_acts(faults, seen.events)
    found = kinds(seen.events)
    as_expected = seen.ending == expected
    return FaultResult(
        name=name,
        mode="real",
        seed=seed,
        control=control,
        detected=not wrong if control else all(_detected(fault, seen.events) for fault in faults),
        diagnosed=all(_diagnosed(fault, faults, found) for fault in faults),
        mitigated=as_expected and expected is Ending.CONVERGED and seen.healthy,
        escalated_rightly=as_expected and expected in ASKING,
        false_action=bool(wrong),
        collateral=(*_changed(faults, seen), *seen.killed),
        seconds=round(seen.seconds, 2),
        delegations=sum(isinstance(event, Delegated) for event in seen.events),
        ending=seen.ending,
        notes="; ".join(part for part in (seen.notes, _story(found, seen.events), _wrong_story(wrong)) if part),
    )


def kinds(events: Sequence[Event]) -> dict[str, set[str]]:
    """The kinds of failure that were found, by component."""
    orders = {event.id: event for event in events if isinstance(event, Delegated)}
    found: dict[str, set[str]] = {}
    for event in events:
        if isinstance(event, Observed) and event.failure:
            found.setdefault(event.component, set()).add(str(event.failure))
        elif isinstance(event, Settled) and event.failure and event.id in orders:
            found.setdefault(orders[event.id].component, set()).add(str(event.failure["kind"]))
    return found


def wrong_acts(faults: Sequence[Fault], events: Sequence[Event]) -> list[str]:
    """What was changed in a way that none of the faults calls for.

    Owners' work on the parts around a fault is right where something was wrong, and taking back always is.
    """
    allowed = {name for fault in faults for name in fault.mended_by}
    if not all(fault.control for fault in faults):
        allowed.add(ENSURE)
    orders = {event.id: event for event in events if isinstance(event, Delegated)}
    changed = [orders[event.id] for event in events if isinstance(event, Settled) and event.changes]
    acts = [(order.component, order.strategy or order.mode) for order in changed if order.mode != Mode.UNDO]
    return [f"{component}: {act}" for component, act in acts if str(act) not in allowed]


def _detected(fault: Fault, events: Sequence[Event]) -> bool:
    """Whether the run saw the component as not ready, or failed at it."""
    looks = [one for one in events if isinstance(one, Observed) and one.component == fault.component]
    return fault.control or any(one.health != Health.READY for one in looks) or fault.component in kinds(events)


def _diagnosed(fault: Fault, faults: Sequence[Fault], found: Mapping[str, set[str]]) -> bool:
    """Whether its first kind was found, and no kind on its component that belongs to none of the faults."""
    right = {str(kind) for one in faults if one.component == fault.component for kind in one.kinds}
    seen = found.get(fault.component, set())
    return seen <= right and (not fault.kinds or str(fault.kinds[0]) in seen)


def _changed(faults: Sequence[Fault], seen: Seen) -> tuple[str, ...]:
    """The parts that should be the same processes as before by every fault, and are not."""
    kept = [name for name in faults[0].untouched if all(name in fault.untouched for fault in faults)]
    return tuple(sorted(name for name in kept if name in seen.before and seen.after.get(name) != seen.before[name]))


def _story(found: Mapping[str, set[str]], events: Sequence[Event]) -> str:
    """Which kinds were found and which strategies were used, in few words."""
    used = [f"{one.strategy}@{one.component}" for one in events if isinstance(one, Delegated) and one.strategy]
    saw = [f"{name} {'/'.join(sorted(names))}" for name, names in sorted(found.items())]
    return f"saw {', '.join(saw) or 'no failure'}; used {', '.join(used) or 'no strategy'}"


def _wrong_story(wrong: Sequence[str]) -> str:
    return f"not called for: {', '.join(wrong)}" if wrong else ""
