"""What a run would do from here if nothing went wrong: steps with why, skips with why, expected times. Pure."""

from collections.abc import Mapping

from shiftboss.engine.moves import Budget, Options, Terms, options_for
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.move import DELEGATED, Move
from shiftboss.model.observation import Snapshot
from shiftboss.model.stack import Stack
from shiftboss.model.value import Value

Expected = Mapping[tuple[str, str, str], float]
"""Seconds by (agent, component, mode), where they have been learnt."""


class Step(Value):
    """One delegation that would be made."""

    environment: str
    component: str
    agent: str
    keyword: str
    mode: str
    strategy: str | None
    why: str
    starts: float  #: seconds from now
    seconds: float
    learnt: bool  #: from earlier runs here, not only declared


class Skip(Value):
    """Something that need not be done, and why."""

    environment: str
    component: str
    why: str


class Plan(Value):
    """The dry run."""

    steps: tuple[Step, ...]
    skips: tuple[Skip, ...]
    seconds: float  #: expected, with everything independent side by side
    critical: tuple[str, ...]  #: the components that decide how long it takes


def plan_for(stack: Stack, snapshot: Snapshot, gaps: Mapping[str, Gap], expected: Expected) -> Plan:
    """The steps in the order of their start."""
    ends: dict[str, float] = {}
    after: dict[str, str | None] = {}
    steps: list[Step] = []
    for gap in _in_order(stack, gaps):
        keys = [before.key for before in _first_of_all(gap, stack, gaps)]
        late = max((key for key in keys if key in ends), key=ends.__getitem__, default=None)
        step = _step(gap, stack, ends[late] if late else 0.0, expected)
        if step is not None:
            steps.append(step)
            ends[gap.key], after[gap.key] = step.starts + step.seconds, late
    skips = tuple(
        Skip(environment=seen.environment, component=seen.component, why=seen.summary)
        for key, seen in snapshot.items()
        if key not in gaps
    )
    steps.sort(key=lambda step: (step.starts, stack.order[step.component]))
    last = max(ends, key=ends.__getitem__, default=None)
    return Plan(steps=tuple(steps), skips=skips, seconds=max(ends.values(), default=0.0), critical=_path(last, after))


def _first_of_all(gap: Gap, stack: Stack, gaps: Mapping[str, Gap]) -> list[Gap]:
    """What must be closed before: what it requires; or when it is to be stopped, stopping those that require it."""
    stops = gap.kind is GapKind.UNWANTED
    names = stack.dependents[gap.component] if stops else stack.specs[gap.component].requires
    near = (gaps.get(f"{gap.environment}/{name}") for name in names)
    return [one for one in near if one is not None and (one.kind is GapKind.UNWANTED or not stops)]


def _in_order(stack: Stack, gaps: Mapping[str, Gap]) -> list[Gap]:
    """Each gap after those that must be closed before it, else in declared order."""
    found: dict[str, Gap] = {}

    def add(gap: Gap) -> None:
        for before in _first_of_all(gap, stack, gaps):
            if before.key not in found:
                add(before)
        found[gap.key] = gap

    for gap in sorted(gaps.values(), key=lambda gap: (gap.environment, stack.order[gap.component])):
        if gap.key not in found:
            add(gap)
    return list(found.values())


def _step(gap: Gap, stack: Stack, starts: float, expected: Expected) -> Step | None:
    move = _first(_options(gap, stack))
    if move is None:
        return None
    learnt = expected.get((move.agent, move.component, move.mode))
    return Step(
        environment=gap.environment,
        component=gap.component,
        agent=move.agent,
        keyword=move.keyword,
        mode=move.mode,
        strategy=move.strategy,
        why=gap.why,
        starts=round(starts, 3),
        seconds=round(move.estimate if learnt is None else learnt, 3),
        learnt=learnt is not None,
    )


def _options(gap: Gap, stack: Stack) -> Options:
    free = Gap(environment=gap.environment, component=gap.component, kind=gap.kind, why=gap.why, failure=gap.failure)
    return options_for(free, stack, (), Terms(budget=Budget(attempts=1, recoveries=1)), waited=0.0)


def _first(options: Options) -> Move | None:
    return next((move for move in options.moves if move.mode in DELEGATED), None)


def _path(last: str | None, after: Mapping[str, str | None]) -> tuple[str, ...]:
    path: list[str] = []
    while last is not None:
        path.append(last)
        last = after[last]
    return tuple(reversed(path))
