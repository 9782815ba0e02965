"""Components + snapshot -> gaps. Pure; the incremental pass equals the full one (a property test says so)."""

from collections.abc import Collection, Iterable, Mapping, MutableMapping
from types import MappingProxyType

from shiftboss.model.forecast import Forecast
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.observation import Health, Observation, Snapshot
from shiftboss.model.pipeline import PipelineKind
from shiftboss.model.run import Goal, Want
from shiftboss.model.stack import Stack

_KINDS = {
    Health.ABSENT: GapKind.MISSING,
    Health.BROKEN: GapKind.BROKEN,
    Health.STARTING: GapKind.NOT_YET,
    Health.UNKNOWN: GapKind.UNKNOWN,
}


class Analysis:
    """How gaps are read off a snapshot, for one stack and goal."""

    def __init__(
        self,
        stack: Stack,
        goal: Goal,
        forecasts: Mapping[str, Forecast] = MappingProxyType({}),
        parts: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        """`forecasts` (by `environment/component`) is read anew each time: it may change meanwhile.

        `parts` are the components that belong to an environment; where nothing is said, all do.
        """
        self.stack = stack
        self._forecasts = forecasts
        self._parts = parts
        self.goal = goal
        names = goal.components
        self.wanted = tuple(names) if goal.want is Want.DOWN and names else stack.closure(names)
        if goal.want is Want.DOWN and names:
            found = {name for one in names for name in (one, *stack.downstream(one))}
            self.wanted = tuple(name for name in stack.specs if name in found)
        if goal.want is Want.DOWN:  # what is not to be touched may stay; what it stands on stays with it
            kept = frozenset(stack.closure(goal.untouched)) if goal.untouched else frozenset[str]()
            self.wanted = tuple(name for name in self.wanted if name not in kept)
        if stack.pipeline.kind is PipelineKind.SCRIPTED:  # which tasks are done is said by the way it takes
            self.wanted = tuple(name for name in self.wanted if not stack.specs[name].claimed)
        self._wanted = frozenset(self.wanted)
        self._wanted_in = {name: self._wanted.intersection(own) for name, own in parts.items()}

    def wanted_in(self, environment: str) -> Collection[str]:
        """What is wanted in an environment."""
        return self._wanted_in.get(environment, self._wanted)

    def full(self, environments: Iterable[str], snapshot: Snapshot) -> dict[str, Gap]:
        """All gaps, by `environment/component`, in declared order."""
        found: dict[str, Gap] = {}
        for environment in environments:
            wanted = self.wanted_in(environment)
            for name in (one for one in self.wanted if one in wanted):
                gap = self.gap(environment, name, snapshot)
                if gap:
                    found[gap.key] = gap
        return found

    def update(self, gaps: MutableMapping[str, Gap], changed: Collection[str], snapshot: Snapshot) -> set[str]:
        """Bring gaps up to date after some answers changed; the keys that were looked at again."""
        affected = {key for one in changed for key in self._affected(one)}
        for key in sorted(affected, key=self._position):  # in an order that is the same in every process
            environment, _, name = key.partition("/")
            gap = self.gap(environment, name, snapshot)
            if gap is None:
                gaps.pop(key, None)
            else:
                gaps[key] = gap
        return affected

    def _position(self, key: str) -> tuple[str, int]:
        environment, _, name = key.partition("/")
        return environment, self.stack.order[name]

    def _affected(self, key: str) -> list[str]:
        environment, _, name = key.partition("/")
        near = (name, *self.stack.dependents[name])
        if self.goal.want is Want.DOWN:
            near = self.stack.closure((name,))
        wanted = self.wanted_in(environment)
        return [f"{environment}/{one}" for one in near if one in wanted]

    def gap(self, environment: str, name: str, snapshot: Snapshot) -> Gap | None:
        """The gap of one component, or None when it is as wanted."""
        seen = snapshot.get(f"{environment}/{name}")
        if self.goal.want is Want.DOWN:
            return self._unwanted(environment, name, seen, snapshot)
        if seen is None:
            return Gap(environment=environment, component=name, kind=GapKind.UNKNOWN, why="not looked at yet")
        if f"{seen.key}={seen.instance}" in self.goal.replace:
            return _gap(seen, GapKind.UNWANTED, f"{name} is to be restarted ({seen.summary})")
        if seen.health is Health.READY:
            coming = self._forecasts.get(seen.key)
            return _gap(seen, GapKind.FORECAST, coming.why).but(failure=coming.limit.kind) if coming else None
        kind = GapKind.UNPROVEN if seen.unproven else _KINDS[seen.health]
        waiting = _not_ready(environment, self.stack.specs[name].requires, snapshot)
        return _gap(seen, kind, seen.summary, waiting)

    def _unwanted(self, environment: str, name: str, seen: Observation | None, snapshot: Snapshot) -> Gap | None:
        if seen is None or not _may_run(seen):
            return None
        running = tuple(one for one in self.stack.downstream(name) if _may_run(snapshot.get(f"{environment}/{one}")))
        is_known = seen.health is not Health.UNKNOWN
        why = f"{name} is running and is to be stopped" if is_known else f"{name} may be running: {seen.summary}"
        return _gap(seen, GapKind.UNWANTED, why, running)


def felt_by(name: str, environment: str, stack: Stack, snapshot: Snapshot) -> set[str]:
    """What may have felt a change of a component: its dependents, and theirs as far as they are there.

    What stands on an absent one feels nothing until that one comes up, so a turn costs what changed and not what
    there is.
    """
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for one in stack.dependents[waiting.pop()]:
            seen = snapshot.get(f"{environment}/{one}")
            if one not in found and (seen is None or seen.health is not Health.ABSENT):
                waiting.append(one)
            found.add(one)
    return found


def _gap(seen: Observation, kind: GapKind, why: str, blocked_by: tuple[str, ...] = ()) -> Gap:
    return Gap(
        environment=seen.environment,
        component=seen.component,
        kind=kind,
        why=why,
        failure=seen.failure,
        target=f"{seen.evidence['holder']} {seen.evidence.get('command', '')}" if seen.evidence.get("holder") else "",
        blocked_by=blocked_by,
    )


def _not_ready(environment: str, names: Iterable[str], snapshot: Mapping[str, Observation]) -> tuple[str, ...]:
    return tuple(name for name in names if not _ready(snapshot.get(f"{environment}/{name}")))


def _ready(seen: Observation | None) -> bool:
    return seen is not None and seen.health is Health.READY


def _may_run(seen: Observation | None) -> bool:
    """Whether a process of ours is there, or could be: what can't be asked never counts as stopped."""
    return seen is not None and (seen.instance is not None or seen.health is Health.UNKNOWN)
