"""What a run would do from here if nothing went wrong: steps with why, skips with why, expected times. Pure.

The times are those of a simulated run (engine/schedule.py) in the order the hub would choose, so lanes and locks count.
"""

from collections.abc import Collection, Mapping, Sequence

from shiftboss.engine.moves import Budget, Options, Terms, options_for
from shiftboss.engine.schedule import Timetable, timetable
from shiftboss.engine.work import ranked, work_of
from shiftboss.model.duration import kind_of
from shiftboss.model.estimate import Confidence, Estimate, Estimates
from shiftboss.model.gap import Gap
from shiftboss.model.move import DELEGATED, Move
from shiftboss.model.observation import Snapshot
from shiftboss.model.ranking import Ranking
from shiftboss.model.stack import Stack
from shiftboss.model.value import Value

TENTH = 0.1
"""What takes a smaller share of the whole does not make the whole uncertain."""


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
    learnt: bool  #: from earlier runs, not only declared
    confidence: Confidence
    known: str  #: where the seconds come from
    spread: float  #: seconds by which it usually differs


class Skip(Value):
    """Something that need not be done, and why."""

    environment: str
    component: str
    why: str


class Plan(Value):
    """The dry run."""

    steps: tuple[Step, ...]
    skips: tuple[Skip, ...]
    seconds: float  #: expected for all of it, with lanes and locks respected
    critical: tuple[str, ...]  #: the chain that decides how long it takes, by `environment/component`
    lanes: int  #: how many may go side by side
    rule: str  #: what decides who goes first: "declared", or a learned order that is expected to be quicker
    declared: float  #: expected seconds in declared order
    confidence: Confidence  #: the worst on the critical chain, but for what hardly counts there


def plan_for(
    stack: Stack,
    snapshot: Snapshot,
    gaps: Mapping[str, Gap],
    expected: Mapping[str, Estimates],
    lanes: int = 4,
    untouched: Collection[str] = (),
) -> Plan:
    """The steps in the order of their start; `expected` holds what is known of durations, by environment."""
    kept = _kept(gaps, stack, untouched)
    options = {key: _options(gap, stack) for key, gap in gaps.items() if key not in kept}
    moves = {key: move for key, one in options.items() if (move := _first(one)) is not None}
    known = {key: _estimate(move, expected.get(move.environment)) for key, move in moves.items()}
    graph = work_of(stack, {key: gaps[key] for key in moves}, {key: one.seconds for key, one in known.items()})
    ranking = ranked(graph, {key: gaps[key] for key in moves}, lanes)
    times = timetable(graph, ranking.priorities, lanes)
    taken = {key: one.but(seconds=graph.seconds[key]) for key, one in known.items()}
    steps = [_step(moves[key], gaps[key], times.starts[key], taken[key]) for key in times.starts]
    steps.sort(key=lambda step: (step.starts, step.environment, stack.order[step.component]))
    return _plan(steps, [*_skips(snapshot, gaps), *kept.values()], times, ranking, taken, lanes)


def _plan(
    steps: Sequence[Step],
    skips: Sequence[Skip],
    times: Timetable,
    ranking: Ranking,
    known: Mapping[str, Estimate],
    lanes: int,
) -> Plan:
    declared = times.seconds if ranking.declared is None else ranking.declared
    return Plan(
        steps=tuple(steps),
        skips=tuple(skips),
        seconds=round(times.seconds, 3),
        critical=times.critical,
        lanes=lanes,
        rule=ranking.rule,
        declared=round(declared, 3),
        confidence=_overall([known[key] for key in times.critical], times.seconds),
    )


def _skips(snapshot: Snapshot, gaps: Mapping[str, Gap]) -> list[Skip]:
    return [
        Skip(environment=seen.environment, component=seen.component, why=seen.summary)
        for key, seen in snapshot.items()
        if key not in gaps
    ]


def _kept(gaps: Mapping[str, Gap], stack: Stack, untouched: Collection[str]) -> dict[str, Skip]:
    """What would be done if the goal did not say not to touch it, or what it stands on."""
    found: dict[str, Skip] = {}
    for key, gap in gaps.items():
        below = {name for name in untouched if gap.component in (name, *stack.downstream(name))}
        lacking = [name for name in stack.order if name in below and f"{gap.environment}/{name}" in gaps]
        if lacking:
            why = "not to be touched, though" if gap.component in lacking else f"waits for {lacking[0]} in vain"
            found[key] = Skip(environment=gap.environment, component=gap.component, why=f"{why}: {gap.why}")
    return found


def _estimate(move: Move, known: Estimates | None) -> Estimate:
    if known is None:
        return Estimate(seconds=move.estimate)
    return known.of(kind_of(move.agent, move.component, move.mode, move.strategy), move.estimate)


def _overall(critical: Sequence[Estimate], seconds: float) -> Confidence:
    words = list(Confidence)
    counted = [one.confidence for one in critical if one.seconds >= TENTH * seconds]
    return min(counted, key=words.index, default=Confidence.GOOD)


def _step(move: Move, gap: Gap, starts: float, known: Estimate) -> Step:
    return Step(
        environment=gap.environment,
        component=gap.component,
        agent=move.agent,
        keyword=move.keyword,
        mode=move.mode,
        strategy=move.strategy,
        why=gap.why,
        starts=round(starts, 3),
        seconds=round(known.seconds, 3),
        learnt=known.confidence is not Confidence.NONE,
        confidence=known.confidence,
        known=known.why,
        spread=round(known.spread, 3),
    )


def _options(gap: Gap, stack: Stack) -> Options:
    free = gap.but(blocked_by=(), target="")
    return options_for(free, stack, (), Terms(budget=Budget(attempts=1, recoveries=1)), waited=0.0)


def _first(options: Options) -> Move | None:
    return next((move for move in options.moves if move.mode in DELEGATED), None)
