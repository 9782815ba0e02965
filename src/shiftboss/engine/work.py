"""Gaps as work that can be ordered and timed: what waits for what, and what locks what. Pure.

engine/precedence.py ranks a run's work with it, engine/plan.py a plan's.
"""

from collections.abc import Mapping, Sequence

from shiftboss.engine.schedule import Graph, best_order
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.ranking import Ranking
from shiftboss.model.stack import Stack


def work_of(stack: Stack, gaps: Mapping[str, Gap], seconds: Mapping[str, float]) -> Graph:
    """What is to be done about some gaps, in declared order, as work that waits and locks."""
    keys = sorted(gaps, key=lambda key: (stack.order[gaps[key].component], key))
    after = {key: first_of_all(gaps[key], stack, gaps) for key in keys}
    done_for = _shared(keys, stack, gaps)
    held = {key: stack.specs[gaps[key].component].locks for key in keys}
    return Graph(
        seconds={key: 0.0 if key in done_for else seconds[key] for key in keys},
        after={**after, **{key: [*after[key], first] for key, first in done_for.items()}},
        locks={key: [f"{gaps[key].environment}/{lock}" for lock in locks] for key, locks in held.items() if locks},
    )


def _shared(keys: Sequence[str], stack: Stack, gaps: Mapping[str, Gap]) -> dict[str, str]:
    """What is one for all environments is done in the first of them; the others wait for that and find it done."""
    firsts: dict[str, str] = {}
    found: dict[str, str] = {}
    for key in keys if stack.shared else ():
        gap = gaps[key]
        if gap.component in stack.shared and gap.kind is not GapKind.UNWANTED:
            first = firsts.setdefault(gap.component, key)
            if first != key:
                found[key] = first
    return found


def first_of_all(gap: Gap, stack: Stack, gaps: Mapping[str, Gap]) -> list[str]:
    """What must be closed before: what it requires; or when it is to be stopped, stopping those that require it."""
    stops = gap.kind is GapKind.UNWANTED
    names = stack.dependents[gap.component] if stops else stack.specs[gap.component].requires
    near = ((key, gaps.get(key)) for key in (f"{gap.environment}/{name}" for name in names))
    return [key for key, one in near if one is not None and (one.kind is GapKind.UNWANTED or not stops)]


def ranked(graph: Graph, gaps: Mapping[str, Gap], lanes: int) -> Ranking:
    """The ranking for this work; where all of it is to be stopped, the declared order."""
    if all(gap.kind is GapKind.UNWANTED for gap in gaps.values()):
        return Ranking()
    return best_order(graph, lanes)
