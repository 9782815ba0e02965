"""A simulated stack in time: the facts of a world, its clock, what happens by itself, what probes say, what orders do.

Driven by simulator.py; the rules stand in world.py, chance in weather.py.
"""

import heapq
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from shiftboss.chaos.weather import Fate, Weather
from shiftboss.chaos.weather_drift import Course, Drift
from shiftboss.chaos.world import Condition, Facts, Step, World
from shiftboss.model.failure import Failure, FailureKind
from shiftboss.model.fault import ENSURE, Moment
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, Status, done

ENVIRONMENT = "sim"
START = 1_700_000_000.0
RECONNECT = (0.0, 3.0)
"""Seconds in which a process finds its way back when what feeds it works again (the miner pauses up to 5 s)."""

RETURN = (0.2, 3.0)
"""Seconds after which a recurring fault is back."""

WARM_UP = (2.0, 20.0)
LONGEST_WAIT = 6.0
NO_WORK = 0.02


class Timer(NamedTuple):
    """Something that will happen by itself."""

    at: float
    number: int
    fault: str
    ripens: bool  #: it passes; else it strikes


@dataclass
class VirtualClock:
    """Virtual time; satisfies system.clock.Clock."""

    time: float = START

    def now(self) -> float:
        """Seconds since 1970."""
        return self.time

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self.time - START

    async def sleep(self, seconds: float) -> None:
        """Nobody waits here but the driver."""
        self.time += seconds


@dataclass
class Site:
    """What is really there, and when."""

    world: World
    weather: Weather
    moment: Moment
    drift: Drift | None = None
    clock: VirtualClock = field(default_factory=VirtualClock)
    facts: Facts = field(init=False)
    struck: dict[str, float] = field(default_factory=dict[str, float])  #: faults that came, and when last
    restarted: set[str] = field(default_factory=set[str])  #: processes that ran and were started again by orders
    arrivals: Callable[[], None] = lambda: None  #: called when a fault came for the first time by itself
    changed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])  #: act, component: changed something
    _numbers: dict[str, int] = field(default_factory=dict[str, int])
    _timers: list[Timer] = field(default_factory=list[Timer])
    _count: int = 0
    _away: dict[str, float] = field(default_factory=dict[str, float])
    _before: dict[str, Facts] = field(default_factory=dict[str, Facts])

    def __post_init__(self) -> None:
        """Everything as it is before anything breaks."""
        self.facts = self.world.begin(self.moment)
        self._numbers = dict.fromkeys(self.world.shape.processes, 1)

    # -- time ------------------------------------------------------------------------------------------------

    def strike(self, name: str) -> None:
        """A fault comes."""
        self.struck[name] = self.clock.time
        self._become(self.world.strike(self.facts, name))
        if self.world.takes_time(name):
            self._later(self.weather.between(*WARM_UP), name, ripens=True)

    def arrive(self, seconds: float, name: str) -> None:
        """A fault will come."""
        self._later(seconds, name, ripens=False)

    def _later(self, seconds: float, name: str, *, ripens: bool) -> None:
        self._count += 1
        heapq.heappush(self._timers, Timer(self.clock.time + seconds, self._count, name, ripens))

    def next_timer(self) -> float | None:
        """When something happens by itself."""
        return self._timers[0].at if self._timers else None

    def advance(self, to: float) -> None:
        """Let time pass, and happen what must."""
        while self._timers and self._timers[0].at <= to:
            timer = heapq.heappop(self._timers)
            self.clock.time = max(self.clock.time, timer.at)
            if timer.ripens:
                self._become(self.world.ripen(self.facts, timer.fault))
                continue
            is_new = timer.fault not in self.struck
            self.strike(timer.fault)
            if is_new:
                self.arrivals()
        self.clock.time = max(self.clock.time, to)

    def _become(self, facts: Facts, started: Collection[str] = ()) -> None:
        """The facts change; who stands on what came back needs a moment, and what recurs will be back."""
        old, new = self.world.conditions(self.facts), self.world.conditions(facts)
        for name in self.world.feeds:
            back = not self.world.fed(name, self.facts, old) and self.world.fed(name, facts, new)
            if back and name in facts.there and name not in started:
                self._away[name] = self.clock.time + self.weather.between(*RECONNECT)
        for name in started:
            self._numbers[name] += 1
            self._away.pop(name, None)
        cured = sorted(self.facts.faults - facts.faults)
        self.facts = facts
        for name in cured:
            if self.world.faults[name].recurs:
                self._later(self.weather.between(*RETURN), name, ripens=False)

    # -- looking ---------------------------------------------------------------------------------------------

    def look(self, keys: Collection[str]) -> list[Observation]:
        """The probes' answers; looking takes time."""
        if not keys:
            return []
        self.advance(self.clock.time + self.weather.look_seconds())
        known = self.world.conditions(self.facts)
        return [self._seen(key.partition("/")[2], known) for key in keys]

    def condition(self, name: str, known: Mapping[str, Condition]) -> Condition:
        """How a component is now."""
        seen = known[name]
        if seen.health is Health.READY and self._away.get(name, 0.0) > self.clock.time:
            return self.world.finding_back(name)
        return seen

    def _seen(self, name: str, known: Mapping[str, Condition]) -> Observation:
        seen = self.condition(name, known)
        if self.weather.blind():
            seen = Condition(Health.UNKNOWN, "no answer within 5 s")
        return Observation(
            environment=ENVIRONMENT,
            component=name,
            health=seen.health,
            summary=seen.why,
            failure=seen.kind,
            instance=self.instance(name),
            unproven=seen.unproven,
            measures=self._measures(name),
            at=self.clock.time,
        )

    def _measures(self, name: str) -> dict[str, float]:
        drift = self.drift
        if drift is None or drift.component != name:
            return {}
        return {drift.limit.measure: drift.value(self.clock.monotonic(), self.weather.noise(1.0))}

    def instance(self, name: str) -> str | None:
        """The identity of a running process."""
        running = name in self._numbers and name in self.facts.there
        return f"{name}#{self._numbers[name]}" if running else None

    # -- orders ----------------------------------------------------------------------------------------------

    def seconds(self, order: Delegation, fate: Fate) -> float:
        """How long an order will take."""
        if fate is Fate.HANG:
            return order.deadline
        if order.mode is Mode.RECOVER:
            if order.strategy == "wait":
                return min(
                    LONGEST_WAIT, max(NO_WORK, self._away.get(order.component, START) - self.clock.time + NO_WORK)
                )
            estimate = next(one.estimate for one in self.world.stack.strategies if one.name == order.strategy)
            return self.weather.seconds(estimate)
        if order.mode is Mode.ENSURE and self.world.conditions(self.facts)[order.component].health is Health.READY:
            return NO_WORK
        return min(order.deadline, self.weather.seconds(self.world.stack.specs[order.component].estimate))

    def act(self, order: Delegation, fate: Fate) -> Outcome:
        """Do the work of an order, as it goes."""
        if fate is Fate.HANG:
            return _failed(order, FailureKind.TIMEOUT, f"{order.agent} did not end within {order.deadline:g} s")
        if fate is Fate.CRASH:
            return _failed(order, FailureKind.CRASHED, "ValueError: something unexpected")
        before = self.facts
        step = self._step(order)
        self._note(order, before, step)
        self._become(step.facts, step.started)
        undoable = len(step.changes) if order.id in self._before else 0
        if fate is Fate.LATE_CRASH:
            failed = _failed(order, FailureKind.CRASHED, "ValueError: something unexpected")
            return failed.but(changes=step.changes, undoable=undoable)
        if step.kind is not None and (order.mode is Mode.ENSURE or self.weather.admits()):
            return _failed(order, step.kind, step.why).but(changes=step.changes, undoable=undoable)
        return done("did it", *step.changes).but(undoable=undoable)

    def _step(self, order: Delegation) -> Step:
        match order.mode:
            case Mode.ENSURE:
                return self.world.ensure(self.facts, order.component)
            case Mode.RECOVER:
                return self.world.recover(self.facts, order.strategy or "", order.component)
            case Mode.UNDO:
                return self.world.undo(self.facts, self._before.get(order.undoes or "", self.facts))
            case _:
                return Step(self.facts)

    def _note(self, order: Delegation, before: Facts, step: Step) -> None:
        """What the judge wants to know of it."""
        act = order.strategy or str(order.mode)
        if act == "restart_one" and order.component not in before.there:
            act = ENSURE  # what does not run is only started
        if step.changes:
            self.changed.append((act, order.component))
        self.restarted |= step.started & before.there
        self.restarted |= (before.there - step.facts.there) & set(self.world.shape.processes)
        if self.drift and order.mode is Mode.RECOVER and order.component == self.drift.component and act != "wait":
            self.drift = self.drift.but(course=Course.STEADY)
        undoable = any(one.name == order.strategy and one.undo for one in self.world.stack.strategies)
        if order.mode is Mode.RECOVER and undoable and step.changes:
            self._before[order.id] = before

    def kept(self, order: Delegation) -> None:
        """A recovery went well: the way back is given up."""
        self._before.pop(order.id, None)


def _failed(order: Delegation, kind: FailureKind, message: str) -> Outcome:
    failure = Failure(component=order.component, kind=kind, message=message)
    return Outcome(status=Status.FAILED, summary=message, failure=failure)
