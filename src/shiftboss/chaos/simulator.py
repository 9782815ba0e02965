"""Seeded runs of the real hub against a simulated mining stack, in virtual time: hours of trouble in milliseconds.

Does what engine/runner.py does, without an event loop to wait in; only a brain other than the policy gets one, as it
may really wait (for a model). The scorecard plays thousands of these. The stack is the shipped one with the pack's own
strategies and faults; only what the handlers would do is simulated.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from shiftboss.brains.policy import PolicyBrain
from shiftboss.chaos.search import Search
from shiftboss.chaos.simulator_site import ENVIRONMENT, START, Site
from shiftboss.chaos.weather import Climate, Fate, Weather
from shiftboss.chaos.weather_drift import Drift
from shiftboss.chaos.world import Facts, World
from shiftboss.contracts import Brain, Pack
from shiftboss.engine.charter import Charter
from shiftboss.engine.hub import Hub
from shiftboss.engine.report import Surroundings, build
from shiftboss.engine.state import RunState
from shiftboss.handlers import python
from shiftboss.model.events import Decided, Delegated, Observed, Recorded, RunStarted, Settled, Warned
from shiftboss.model.fault import Fault, Moment
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.lesson import Lesson
from shiftboss.model.move import Delegation
from shiftboss.model.observation import Health
from shiftboss.model.outcome import Outcome, Status
from shiftboss.model.run import Goal
from shiftboss.model.stack import Stack, stack_of
from shiftboss.model.value import Value
from shiftboss.store.database import Database
from shiftboss.store.journal import Journal
from shiftboss.store.memory import Memory
from shiftboss.templates.loader import load_shipped

TURNS = 3000
"""A run with more turns is endless: a sane hub needs some dozens."""

LATE_SECONDS = 5.0
"""So much later than its time a run may end, as looking takes time."""

UNSEEN_SECONDS = 6.0
"""A fault so shortly before the end may not have been seen: answers may be 2 s old, and looking takes up to 4 s."""

RUNS_PER_STORE = 200
"""A store that holds more runs only grows."""

_NOWHERE = Surroundings(versions={}, paths={}, log_tails={}, suggestions=())

Hear = Callable[[Recorded], None]
Turn = Coroutine[Any, Any, list[Delegation]]


class Case(Value):
    """What happens in one run."""

    seed: str
    faults: tuple[str, ...]  #: there from the beginning
    late: tuple[tuple[float, str], ...] = ()  #: seconds after the start, fault
    moment: Moment = Moment.RUNNING
    climate: Climate = Climate()
    lessons: Sequence[Lesson] = ()
    watch: float = 0.0  #: keep watch for so many seconds; 0: bring it up and end
    drift: Drift | None = None


class Order(Value):
    """One delegation as it was given, for the judge."""

    act: str  #: a strategy, or the mode
    component: str
    ok: bool | None = None  #: None: it never ended


class Played(Value):
    """One run as it went."""

    case: Case
    ending: str  #: empty: there was none
    seconds: float
    orders: tuple[Order, ...]
    least: int | None  #: None: there was no way
    struck: tuple[str, ...]  #: faults that came while the run lasted
    surprised: bool  #: a fault came so shortly before the end that the hub could not have seen it
    before: Mapping[str, Health]  #: as it was when the faults from the beginning were in
    after: Mapping[str, Health]
    left: frozenset[str]  #: faults still in effect
    kinds: Mapping[str, frozenset[str]]  #: failures seen or met, by component
    gaps: frozenset[str]  #: components seen not ready
    restarted: frozenset[str]
    changed: tuple[tuple[str, str], ...]
    reported: bool
    announced: float | None  #: seconds after the start at which something was first seen coming
    facts: Facts


class Simulator:
    """Plays cases; keeps a store and a search for all of them."""

    def __init__(
        self,
        pack: Pack,
        folder: Path,
        faults: Sequence[Fault] | None = None,
        brain: Callable[[], Brain] | None = None,
        hear: Hear | None = None,
    ) -> None:
        """`folder` gets the journals, which are of no use afterwards.

        `brain` makes the brain of each run (default: the policy); `hear` is told of every event of every run.
        """
        self.stack = stack_for(pack)
        self.world = World(self.stack, faults if faults is not None else faults_of(pack))
        self.search = Search(self.world)
        self.pack = pack
        self.brain = brain or PolicyBrain
        self.hear = hear
        self._loop = asyncio.Runner() if brain is not None else None
        self._folder = folder
        self._played = 0
        self._database: Database | None = None

    def close(self) -> None:
        """Close the store, and the loop where there is one."""
        self._close_store()
        if self._loop is not None:
            self._loop.close()

    def _close_store(self) -> None:
        if self._database is not None:
            self._database.close()

    def take(self, turn: Turn) -> list[Delegation]:
        """The result of a turn; one loop for all runs, as what a brain keeps open belongs to a loop."""
        return _at_once(turn) if self._loop is None else self._loop.run(turn)

    def play(self, case: Case) -> Played:
        """One run to its end; the same case gives the same run."""
        if self._played % RUNS_PER_STORE == 0:
            self._close_store()
            self._database = Database(self._folder / f"runs-{self._played}.sqlite3", synchronous="OFF")
        self._played += 1
        assert self._database is not None  # noqa: S101 - made above
        return _Drive(self, case, self._database, f"r{self._played}").play()


class _Drive:
    """One run."""

    def __init__(self, simulator: Simulator, case: Case, database: Database, run: str) -> None:
        self._case, self._search, self._take = case, simulator.search, simulator.take
        self._weather = Weather(case.seed, case.climate)
        self._site = Site(simulator.world, self._weather, case.moment, case.drift)
        self._announced: float | None = None
        self._flying: list[tuple[float, int, Delegation, Fate]] = []
        self._given: dict[str, Order] = {}
        self._kinds: dict[str, set[str]] = {}
        self._gaps: set[str] = set()
        self._settled = 0
        self._least: int | None = None
        self._hub = self._begin(simulator, database, run)

    def _begin(self, simulator: Simulator, database: Database, run: str) -> Hub:
        case, clock, journal = self._case, self._site.clock, Journal(database)
        for name in case.faults:
            self._site.strike(name)
        for seconds, name in case.late:
            self._site.arrive(seconds, name)
        brain = simulator.brain()
        charter = Charter(
            run=run,
            stack=simulator.stack,
            goal=Goal(keep=case.watch > 0),
            environments=(ENVIRONMENT,),
            brain=brain,
            fallback=PolicyBrain(),
            report=_report,
            limits=simulator.pack.limits,
            lessons=case.lessons,
        )
        started = RunStarted(pack="", pipeline="", brain=brain.name, goal={}, environments=[ENVIRONMENT])
        state = RunState(run=run)
        journal.append(run, clock.now(), [started])
        state.apply(started, clock.now())
        journal.listen(self._hear)
        if simulator.hear is not None:
            journal.listen(simulator.hear)
        return Hub(charter, state, journal, Memory(database), clock)

    def _hear(self, recorded: Recorded) -> None:
        """What the journal says of failures, orders and things to come."""
        match recorded.event:
            case Observed() as event:
                self._observed(event)
            case Delegated() as event:
                self._given[event.id] = Order(act=event.strategy or event.mode, component=event.component)
            case Settled() as event:
                self._ended(event)
            case Decided() as event if any(str(gap[0]).endswith(f"/{GapKind.FORECAST}") for gap in event.gaps):
                self._announce()
            case Warned():
                self._announce()
            case _:
                pass

    def _observed(self, event: Observed) -> None:
        if event.failure:
            self._kinds.setdefault(event.component, set()).add(event.failure)
        if event.health not in (Health.READY, Health.UNKNOWN):
            self._gaps.add(event.component)

    def _ended(self, event: Settled) -> None:
        order = self._given[event.id]
        self._given[event.id] = order.but(ok=event.ok)
        if event.failure:
            self._kinds.setdefault(order.component, set()).add(event.failure["kind"])

    def _announce(self) -> None:
        if self._announced is None:
            self._announced = self._site.clock.monotonic()

    def play(self) -> Played:
        """Drive it to the end."""
        site, hub = self._site, self._hub
        before = self._healths()
        self._least = self._search.least(site.facts)
        site.arrivals = self._more_to_do
        observations = site.look(hub.probes_due())
        hub.reconcile(observations)
        number = hub.state.last_turn + 1
        for _ in range(TURNS):
            if hub.time_left() <= 0:
                self._cut_off()
            for order in self._take(hub.turn(number, observations)):
                fate = self._weather.fate()
                self._flying.append((site.clock.time + site.seconds(order, fate), len(self._given), order, fate))
            if hub.state.ended is not None or self._over():
                break
            self._wait()
            self._settle()
            observations = site.look(hub.probes_due())
            number += 1
        self._cut_off()
        hub.flush()
        return self._result(before)

    def _over(self) -> bool:
        """Whether it must stop though the hub has not ended it."""
        watch = self._case.watch
        return self._hub.time_left() < -LATE_SECONDS or bool(watch and self._site.clock.monotonic() >= watch)

    def _more_to_do(self) -> None:
        """A fault has come meanwhile: what was done so far was at best a part of the way."""
        least, onward = self._least, self._search.least(self._site.facts)
        self._least = None if least is None or onward is None else min(self._settled, least) + onward

    def _wait(self) -> None:
        """Let time pass until something happens."""
        site, hub = self._site, self._hub
        now = site.clock.time
        look = hub.next_look()
        ends = [at for at, *_ in self._flying] + ([now + look] if look is not None else [])
        by_itself = site.next_timer()
        if by_itself is not None:
            ends.append(by_itself)
        limit = now + max(0.0, hub.time_left())
        site.advance(max(now, min([*ends, limit]) if ends else min(limit, now + 0.5)))

    def _settle(self) -> None:
        for one in sorted(self._flying, key=lambda item: item[:2]):
            at, _, order, fate = one
            if at > self._site.clock.time:
                break
            self._flying.remove(one)
            outcome = self._site.act(order, fate)
            self._settled += 1
            if self._hub.settle(order, outcome, self._site.look(self._hub.to_verify(order, outcome))):
                self._site.kept(order)

    def _cut_off(self) -> None:
        for _, _, order, _ in self._flying:
            self._hub.settle(order, Outcome(status=Status.CANCELLED, summary="the run is over"), [])
        self._flying.clear()

    def _healths(self) -> dict[str, Health]:
        return {name: seen.health for name, seen in self._site.world.conditions(self._site.facts).items()}

    def _result(self, before: Mapping[str, Health]) -> Played:
        site, state = self._site, self._hub.state
        return Played(
            case=self._case,
            ending=str(state.ended) if state.ended is not None else "",
            seconds=round(site.clock.now() - state.started, 3),
            orders=tuple(self._given.values()),
            least=self._least,
            struck=tuple(site.struck),
            surprised=any(START < at > site.clock.now() - UNSEEN_SECONDS for at in site.struck.values()),
            before=before,
            after=self._healths(),
            left=site.facts.faults,
            kinds={name: frozenset(kinds) for name, kinds in self._kinds.items()},
            gaps=frozenset(self._gaps),
            restarted=frozenset(site.restarted),
            changed=tuple(site.changed),
            reported=bool(state.endings),
            announced=self._announced,
            facts=site.facts,
        )


def _report(environment: str, why: str, state: RunState, gaps: Mapping[str, Gap]) -> dict[str, Any]:
    return build(environment, why, state, gaps, _NOWHERE)


def _at_once(turn: Turn) -> list[Delegation]:
    """The result of a turn that waits for nothing, as those of the policy brain do."""
    try:
        turn.send(None)
    except StopIteration as end:
        return end.value
    turn.close()
    raise TypeError("a simulated run needs a brain that decides at once")


def stack_for(pack: Pack) -> Stack:
    """The pack's shipped stack with its strategies."""
    catalogue = load_shipped(pack.folder)
    return stack_of(catalogue.pipelines[pack.default_pipeline], catalogue, pack.strategies, without=pack.optional)


def faults_of(pack: Pack) -> Sequence[Fault]:
    """The pack's catalogue of faults."""
    return python.load(pack.faults, "pack")


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for journals nobody will read."""
    return tempfile.TemporaryDirectory(prefix="shiftboss-sim-")
