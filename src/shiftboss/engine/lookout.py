"""What must be looked at, and when: answers that are missing or stale, and what is about to change by itself."""

from collections.abc import Collection, Iterable

from shiftboss.engine.analyse import felt_by
from shiftboss.engine.charter import Charter
from shiftboss.engine.state import RunState
from shiftboss.model.observation import Health, Observation, Snapshot
from shiftboss.system.clock import Clock

FRESH_SECONDS = 2.0
"""An environment ends complete only on answers younger than this."""


class Lookout:
    """Keeps the list of probes that are due."""

    def __init__(self, charter: Charter, state: RunState, clock: Clock) -> None:
        self._charter = charter
        self._endings = state.endings
        self._clock = clock
        self._known = frozenset(self.all_keys())
        self._due = set(self._known)
        self._watched: dict[str, float] = {}
        self._asked_again: dict[str, float] = {}
        self.resting: set[str] = set()  #: components left alone for a while because they keep failing (watch)

    def all_keys(self) -> set[str]:
        """Every component of every environment."""
        return {f"{e}/{name}" for e in self._charter.environments for name in self._charter.parts_of(e)}

    @property
    def expects(self) -> bool:
        """Whether anything will be looked at by itself."""
        return bool(self._due or self._watched)

    def probes(self, busy: Collection[str]) -> list[str]:
        """What is due now, but for the components that are being worked on."""
        now = self._clock.now()
        soon = {key for key, at in self._watched.items() if at <= now}
        return sorted(key for key in self._due | soon if key not in busy)

    def stale(self, busy: Collection[str]) -> set[str]:
        """Components whose answer is known to be out of date."""
        return self._due.difference(busy)

    def seconds(self, busy: Collection[str]) -> float | None:
        """Seconds until something is due; None when nothing will be."""
        if self._due.difference(busy):
            return 0.0
        times = [at for key, at in self._watched.items() if key not in busy]
        return max(0.0, min(times) - self._clock.now()) if times else None

    def answered(self, keys: Iterable[str]) -> None:
        """These have been looked at."""
        self._due = self._due.difference(keys)  # new: a set that was large stays slow to walk

    def look_at(self, keys: Iterable[str]) -> None:
        """These are to be looked at again, if they belong to their environment."""
        self._due.update(self._known.intersection(keys))

    def compare(self, before: Observation | None, seen: Observation, snapshot: Snapshot) -> None:
        """Look again at what stands on a component that is there, or ready, again (see `felt_by`).

        And before anything is concluded about one that has just broken, at what it stands on: the cause may lie there.
        """
        if before is None or seen.environment in self._endings:
            return
        if seen.health is Health.BROKEN and before.health is not Health.BROKEN:
            needed = self._charter.stack.specs[seen.component].requires
            self.look_at(f"{seen.environment}/{name}" for name in (seen.component, *needed))
        there = before.health is Health.ABSENT and seen.health is not Health.ABSENT
        if there or (before.health is not Health.READY and seen.health is Health.READY):
            near = felt_by(seen.component, seen.environment, self._charter.stack, snapshot)
            self.look_at(f"{seen.environment}/{name}" for name in near)

    def watch(self, seen: Observation, since: float) -> bool:
        """Look again soon at what is starting or could not be asked; whether it is such a one.

        A run that keeps watch looks again at everything, at its own pace.
        """
        passing = seen.health in (Health.STARTING, Health.UNKNOWN)
        if seen.environment in self._endings or not (passing or self._charter.goal.keep):
            self._watched.pop(seen.key, None)
            return False
        period = self._charter.period
        pause = min(period * 10, max(period, (seen.at - since) / 4)) if passing else self._charter.interval
        self._watched[seen.key] = seen.at + pause
        return passing

    def rest(self, key: str, seconds: float) -> None:
        """Leave a component alone for a while; then what may be done about it is thought over again."""
        self.resting.add(key)
        self._watched[key] = self._clock.now() + seconds

    def again(self, environment: str, snapshot: Snapshot) -> bool:
        """Whether some answer is too old to end on; if so it is due again.

        What was asked again counts as fresh however long the asking took, or slow probes would never let a run end.
        """
        now = self._clock.now()
        oldest = min(now - FRESH_SECONDS, self._asked_again.get(environment, now))
        keys = [f"{environment}/{name}" for name in self._charter.parts_of(environment)]
        if not any(snapshot[key].at < oldest for key in keys if key in snapshot):
            return False
        self._asked_again[environment] = now
        self.look_at(keys)  # all at once: what is young now would be too old while the others are asked
        return True

    def trouble(self, environment: str) -> None:
        """There are gaps: the next end needs fresh answers of its own."""
        self._asked_again.pop(environment, None)

    def close(self, environment: str) -> None:
        """Nothing is looked at any more in an environment that has ended."""
        self._due = {key for key in self._due if not key.startswith(f"{environment}/")}
        self._watched = {key: at for key, at in self._watched.items() if not key.startswith(f"{environment}/")}
