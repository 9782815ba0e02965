"""Hubs that are killed, over chaos' simulated mining stack and in virtual time: control and runner, cut off anywhere.

`Mortal` is one working directory with its store: hubs are built from its journal one after the other, each drives on
until it ends or dies. What was in flight when one died has happened, or not, or by half.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import SimpleNamespace

from shiftboss.brains.policy import PolicyBrain
from shiftboss.chaos.simulator import TURNS, _at_once, _report
from shiftboss.chaos.simulator_site import ENVIRONMENT, Site
from shiftboss.chaos.weather import CALM, Fate, Weather
from shiftboss.chaos.world import World
from shiftboss.contracts import Brain
from shiftboss.engine.charter import Charter
from shiftboss.engine.hub import Hub
from shiftboss.engine.runner import _said
from shiftboss.engine.state import RunState
from shiftboss.leftovers import cut_off_recoveries
from shiftboss.model.events import ApprovalAsked, Event, Recorded, RunEnded, RunResumed, RunStarted, kind_of
from shiftboss.model.fault import Moment
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health
from shiftboss.model.outcome import Outcome, Status
from shiftboss.model.run import Ending, Goal
from shiftboss.packs.mining.pack import PACK
from shiftboss.store.database import Database
from shiftboss.store.inbox import Inbox
from shiftboss.store.journal import Journal
from shiftboss.store.memory import Memory

ASKING = (Ending.ESCALATED, Ending.NEEDS_APPROVAL, Ending.EXHAUSTED)
"""Endings that ask a person: he may have read it before he noticed that the hub was killed, or not."""


class Dead(BaseException):
    """The hub was killed with -9."""


@dataclass
class Death:
    """When hubs die: at the writing of some events, counted from the beginning (or among those of one kind)."""

    at: list[tuple[int, bool]] = field(default_factory=list)  #: the event's number; whether just before it is durable
    kind: str = ""  #: only events of this kind are counted
    count: int = 0
    deaths: int = 0

    def strikes(self, events: Iterable[Event]) -> str:
        """`before`, `after` or nothing, for one transaction with these events."""
        after = self.count + sum(not self.kind or kind_of(event) == self.kind for event in events)
        if self.at and self.count < self.at[0][0] <= after:
            _, early = self.at.pop(0)
            self.deaths += 1
            self.count = self.count if early else after
            return "before" if early else "after"
        self.count = after
        return ""


class MortalJournal(Journal):
    """A journal at whose writing the hub may die."""

    def __init__(self, database: Database, death: Death) -> None:
        super().__init__(database)
        self._death = death

    def append(self, run: str, at: float, events: Sequence[Event], **more) -> None:
        strikes = self._death.strikes(events)
        if strikes == "before":
            raise Dead
        super().append(run, at, events, **more)
        if strikes:
            raise Dead


class Undo:
    """The ways back that are still open at a site, as UndoLog tells them."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def open(self) -> list[str]:
        return sorted(self._site._before)

    def keep(self, delegation: str) -> None:
        self._site._before.pop(delegation, None)


@dataclass
class Given:
    """One order, as it met the world."""

    order: Delegation
    was_ready: bool  #: its component did its job when it was given
    first: bool  #: in the first turn of its hub, which had just looked at everything


class Mortal:
    """One working directory over a simulated stack."""

    def __init__(
        self,
        world: World,
        folder: Path,
        seed: str,
        faults: Sequence[str],
        moment: Moment,
        death: Death | None = None,
        brain: Brain | None = None,
    ) -> None:
        self.chance = Random(seed)
        self.brain = brain or PolicyBrain()
        self.death = death or Death()
        self.database = Database(folder / "state.sqlite3", synchronous="OFF")
        self.journal = MortalJournal(self.database, self.death)
        self.memory = Memory(self.database)
        self.inbox = Inbox(self.database)
        self.site = Site(world, Weather(seed, CALM), moment)
        self.undo = Undo(self.site)
        self.fates: list[str] = []  #: what comes of the orders in flight at the next deaths; then by chance
        self.ways: list[str] = []  #: how a person goes on after the next deaths, `up` or `resume`; then by chance
        self.runs: list[str] = []
        self.given: list[Given] = []
        self.acted: set[str] = set()  #: ids of orders whose work has been done
        self.flying: list[tuple[float, int, Delegation]] = []
        for name in faults:
            self.site.strike(name)

    # -- what a person does ------------------------------------------------------------------------------------

    def up(self) -> Ending:
        """Start a run; whenever its hub dies, go on as a person would, until it has ended."""
        return self._to_the_end(new=True)

    def resume(self) -> Ending:
        """Take the newest run up again, until it has ended."""
        return self._to_the_end(new=False)

    def answer(self, kind: str = "approve") -> None:
        """Say yes (or, with `deny`, no) to everything that is asked."""
        acts = {event.act for event in self.events(ApprovalAsked)}
        for act in sorted(acts):
            self.inbox.send(self.runs[-1], self.site.clock.now(), kind, act=act)

    def note(self, text: str) -> None:
        """Say something about whichever run comes next."""
        self.inbox.send("", self.site.clock.now(), "note", text=text)

    def mend(self) -> None:
        """Whatever is wrong is put right past the hub, for good."""
        self.site._become(self.site.facts._replace(faults=frozenset(), dead=frozenset()))
        self.site._timers.clear()

    def rest(self, seconds: float) -> None:
        """Nobody is at work for a while."""
        self.site.advance(self.site.clock.now() + seconds)

    # -- what came of it ---------------------------------------------------------------------------------------

    def records(self) -> list[Recorded]:
        """All events of all runs in order."""
        return sorted((one for run in self.runs for one in self.journal.read(run)), key=lambda one: one.seq)

    def events(self, kind: type) -> list:
        return [one.event for one in self.records() if isinstance(one.event, kind)]

    def healths(self) -> dict[str, Health]:
        return {name: seen.health for name, seen in self.site.world.conditions(self.site.facts).items()}

    def starts(self) -> dict[str, int]:
        """How often each process was started by us."""
        return {name: number - 1 for name, number in self.site._numbers.items()}

    # -- dying and going on ------------------------------------------------------------------------------------

    def _to_the_end(self, *, new: bool) -> Ending:
        again, before = not new, len(self.events(RunEnded))
        while True:
            try:
                return self._live(again=again)
            except Dead:
                self._abandon()
            began = bool(self.journal.read(self.runs[-1]))
            ended = self._fold().ended if len(self.events(RunEnded)) > before else None
            if ended is Ending.CONVERGED or (ended in ASKING and self.chance.random() < 0.5):
                return ended
            way = self.ways.pop(0) if self.ways else self.chance.choice(("up", "resume"))
            again = began and (not new or way == "resume")

    def _fold(self) -> RunState:
        state = RunState(run=self.runs[-1])
        for record in self.journal.read(state.run):
            state.apply(record.event, record.at)
        return state

    def _abandon(self) -> None:
        """What a dead hub had ordered happens, or not, or by half; then it is quiet for a while."""
        orders = {order.id: order for order in self._fold().in_flight.values()}
        for order in orders.values():
            fate = self.fates.pop(0) if self.fates else self.chance.choice(("nothing", "half", "all"))
            if order.id in self.acted or fate == "nothing":
                continue
            self.acted.add(order.id)
            if fate == "half" and order.mode is Mode.RECOVER:
                self._half(order)
            else:
                self._act(order)
        self.flying.clear()
        self.rest(self.chance.uniform(0.0, 5.0))

    def _half(self, order: Delegation) -> None:
        """A recovery got so far that everything it touches is stopped, and no further."""
        site, before = self.site, self.site.facts
        step = site._step(order)
        gone = (before.there - step.facts.there) | (step.started & before.there)
        site._note(order, before, step)
        site._become(site.world._stopped(before, gone & set(site.world.shape.processes)))

    def _act(self, order: Delegation) -> Outcome:
        outcome = self.site.act(order, Fate.FINE)
        if order.mode is Mode.UNDO:
            self.undo.keep(order.undoes or "")
        return outcome

    # -- one hub, as control._drive and engine/runner.py have it -----------------------------------------------

    def _live(self, *, again: bool) -> Ending:
        clock = self.site.clock
        if not again:
            self._bury()
            self.runs += [] if self.runs and not self.journal.read(self.runs[-1]) else [f"r{len(self.runs) + 1}"]
        run = self.runs[-1]
        started = RunStarted(pack="", pipeline="", brain="policy", goal={}, environments=[ENVIRONMENT])
        self.journal.append(run, clock.now(), [RunResumed(pid=1) if again else started])
        hub = Hub(self._charter(run), self._fold(), self.journal, self.memory, clock)
        there = SimpleNamespace(benches={ENVIRONMENT: SimpleNamespace(undo=self.undo)})
        cut_off = cut_off_recoveries(there, SimpleNamespace(journal=self.journal))
        observations = self.site.look(hub.probes_due())
        for delegation in hub.reconcile(observations, cut_off) or ():
            self.undo.keep(delegation)
        self._read_inbox(hub)
        return self._drive(hub, observations)

    def _bury(self) -> None:
        """As control does: runs whose hub died have ended as interrupted when another one starts."""
        if self.runs and self.journal.read(self.runs[-1]) and self._fold().ended is None:
            end = RunEnded(ending=Ending.INTERRUPTED, turns=0, seconds=0.0)
            self.journal.append(self.runs[-1], self.site.clock.now(), [end])

    def _charter(self, run: str) -> Charter:
        return Charter(
            run=run,
            stack=self.site.world.stack,
            goal=Goal(),
            environments=(ENVIRONMENT,),
            brain=self.brain,
            fallback=PolicyBrain(),
            report=_report,
            limits=PACK.limits,
            lessons=self.memory.lessons(""),
            credits=self.memory.credits([ENVIRONMENT], ""),
        )

    def _read_inbox(self, hub: Hub) -> None:
        messages = self.inbox.messages(hub.charter.run)
        if messages:
            events = [event for message in messages if (event := _said(message)) is not None]
            hub.take(events, [message.id for message in messages])

    def _drive(self, hub: Hub, observations: Sequence) -> Ending:
        first = number = hub.state.last_turn + 1
        while True:
            if hub.time_left() <= 0:
                self._cut_off(hub)
            for order in _at_once(hub.turn(number, observations)):
                ready = self._ready(order.component)
                self.given.append(Given(order=order, was_ready=ready, first=number == first))
                ends = self.site.clock.now() + self.site.seconds(order, Fate.FINE)
                self.flying.append((ends, len(self.given), order))
            if hub.state.ended is not None:
                return hub.state.ended
            assert number < first + TURNS, "endless"
            self._wait(hub)
            self._settle(hub)
            observations = self.site.look(hub.probes_due())
            number += 1

    def _ready(self, component: str) -> bool:
        known = self.site.world.conditions(self.site.facts)
        return self.site.condition(component, known).health is Health.READY

    def _wait(self, hub: Hub) -> None:
        site, now, look = self.site, self.site.clock.now(), hub.next_look()
        by_itself = site.next_timer()
        ends = [at for at, *_ in self.flying]
        ends += [] if look is None else [now + look]
        ends += [] if by_itself is None else [by_itself]
        limit = now + max(0.0, hub.time_left())
        site.advance(max(now, min([*ends, limit]) if ends else min(limit, now + 0.5)))

    def _settle(self, hub: Hub) -> None:
        for one in sorted(self.flying, key=lambda item: item[:2]):
            at, _, order = one
            if at > self.site.clock.now():
                break
            self.flying.remove(one)
            self.acted.add(order.id)
            outcome = self._act(order)
            if hub.settle(order, outcome, self.site.look(hub.to_verify(order, outcome))) and outcome.undoable:
                hub.flush()
                self.undo.keep(order.id)

    def _cut_off(self, hub: Hub) -> None:
        for _, _, order in self.flying:
            steps = int(order.id in self.undo.open())
            hub.settle(order, Outcome(status=Status.CANCELLED, summary="time is spent", undoable=steps), [])
        self.flying.clear()
