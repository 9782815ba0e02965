"""The hub: owns authority and the journal. Three calls, no I/O but the journal's, each safe to repeat.

`probes_due` says what to look at, `turn` decides and orders, `settle` judges. runner.py drives, and judges nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from shiftboss.engine import record
from shiftboss.engine.admit import objection
from shiftboss.engine.agenda import Agenda
from shiftboss.engine.analyse import felt_by
from shiftboss.engine.board import ending_move
from shiftboss.engine.briefing import brief_for
from shiftboss.engine.charter import Charter
from shiftboss.engine.closing import Closing
from shiftboss.engine.fairness import Fairness
from shiftboss.engine.judge import excused, judge, stands_on
from shiftboss.engine.ladder import Undoable
from shiftboss.engine.learner import Learner
from shiftboss.engine.lookout import FRESH_SECONDS, Lookout
from shiftboss.engine.pen import Pen
from shiftboss.engine.state import RunState
from shiftboss.engine.trouble import trouble_of
from shiftboss.model.brief import Brief
from shiftboss.model.conflict import Holder
from shiftboss.model.events import (
    Approved,
    Consulted,
    Delegated,
    Denied,
    EnvironmentEnded,
    Event,
    NotAdmitted,
    NoteAddressed,
    Observed,
    ToolUsed,
    Warned,
)
from shiftboss.model.gap import Gap
from shiftboss.model.move import DELEGATED, Decision, Delegation, Mode, Move
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, Status
from shiftboss.model.run import Ending
from shiftboss.model.situation import Situation
from shiftboss.model.stack import ESCALATE
from shiftboss.store.journal import Journal
from shiftboss.store.memory import Memory
from shiftboss.system.clock import Clock, SteadyClock

_NONE: Mapping[str, Undoable] = MappingProxyType({})


class Hub:
    """One run's authority. See the module's text for its three calls."""

    def __init__(self, charter: Charter, state: RunState, journal: Journal, memory: Memory, clock: Clock) -> None:
        self.charter = charter
        self.state = state
        self._clock = clock = SteadyClock(clock)
        self._pen = Pen(charter.run, journal, memory, clock)
        self._learner = Learner(charter, self._pen, clock)
        self._lookout = Lookout(charter, state, clock)
        self._fairness = Fairness(charter, state, clock)
        self._agenda = Agenda(charter, state, self._learner, self._lookout, clock, self.warn)
        self.gaps: Mapping[str, Gap] = self._agenda.gaps
        self._board = self._agenda.board
        self._closing = Closing(charter, state, self.gaps, self._board, clock)
        self._started_at: dict[str, float] = {}
        self._calm_at = state.started  #: when all was last well (watch)
        self._answered: tuple[int, list[Delegation]] = (-1, [])

    def probes_due(self) -> list[str]:
        """Components whose answer is missing, touched by a settled delegation, or about to change by itself."""
        return self._lookout.probes(self._busy())

    def next_look(self) -> float | None:
        """Seconds until a probe is due by itself; None when none will be."""
        looks = [self._lookout.seconds(self._busy())]
        if len(self.state.in_flight) >= self.charter.parallel:  # somebody may be waiting for a lane
            looks.append(self._fairness.seconds())
        return min((one for one in looks if one is not None), default=None)

    def _busy(self) -> set[str]:
        """Components this hub has ordered work on: looked at when it settles (what a dead hub ordered is not)."""
        return {key for key, order in self.state.in_flight.items() if order.id in self._started_at}

    def time_left(self) -> float:
        """Seconds until the run's time is spent; a run that keeps watch has it anew for each trouble."""
        since = max(self.state.started, self._calm_at) if self.charter.goal.keep else self.state.started
        return since + self.charter.seconds - self._clock.now()

    # -- one turn --------------------------------------------------------------------------------------------

    async def turn(self, number: int, observations: Collection[Observation]) -> list[Delegation]:
        """Take the answers in, let the brain choose, and order what is admitted (durably, before it starts)."""
        if number == self._answered[0]:
            return self._answered[1]
        if self.state.ended is not None:
            return []
        events: list[Event] = []
        self._look_at(observations, events)
        self._agenda.refresh()
        if self.time_left() <= 0:
            events += self._closing.all(Ending.EXHAUSTED, f"the run's {self.charter.seconds:g} seconds are spent")
        else:
            self._board.prepare(self.state)
            events += self._closing.spent() or await self._choose()
            if not events and self._stalled():
                events += self._closing.all(Ending.ESCALATED, "gaps remain, and nothing legal is left to do about them")
        self._commit(events)
        orders = [self.state.in_flight[e.environment + "/" + e.component] for e in events if isinstance(e, Delegated)]
        self._answered = (number, orders)
        return orders

    async def _choose(self) -> list[Event]:
        self._agenda.put_off(self._lookout.stale(self._busy()))  # about to be looked at
        self._board.offer_endings(self._endings())
        return await self._decide(self._situation())

    def _stalled(self) -> bool:
        """Whether nothing will ever happen by itself any more."""
        return not (self.state.in_flight or self._lookout.expects)

    def _look_at(self, observations: Collection[Observation], events: list[Event]) -> None:
        self._lookout.answered({seen.key for seen in observations})
        for one in observations:
            seen = one.but(at=self._clock.dated(one.at))
            before = self.state.snapshot.get(seen.key)
            if self._learner.look(seen, events) or seen.key in self._lookout.resting:
                self._agenda.changed.add(seen.key)
            if before is None or not seen.same_answer(before):
                events.append(record.observed(seen))
                self._agenda.changed.add(seen.key)
            self._lookout.compare(before, seen, self.state.snapshot)
            self.state.see(seen)
            if self._lookout.watch(seen, self.state.since[seen.key]):
                self._agenda.changed.add(seen.key)

    def _situation(self) -> Situation:
        return Situation(
            turn=self.state.decisions,  # turns in which nothing was decided are not counted
            run=self.charter.run,
            goal=self.charter.goal,
            stack=self.charter.stack,
            environments=self.charter.environments,
            snapshot=self.state.snapshot,
            gaps=self.gaps,
            legal=self._board,
            in_flight=self.state.in_flight,
            ledger=self.state.ledger,
            history=self.state.history,
            hopeless=self._board.hopeless,
            lowered=self._lowered(),
            lanes=self.charter.parallel - len(self.state.in_flight),
            overdue=self._fairness.overdue(),
            ranking=self._agenda.precedence.ranking,
            notes=self.state.open_notes(),
            lessons=self._learner.lessons,
            usage=self.state.usage,
        )

    # -- endings ---------------------------------------------------------------------------------------------

    def _lowered(self) -> set[str]:
        """What is still done where something is hopeless: what had worked, and everything if only consent lacks."""
        found, state = set[str](), self.state
        for environment in {key.partition("/")[0] for key in self._board.hopeless}:
            gaps = self._agenda.open[environment]
            only_asks = self._closing.only_asks(environment)
            rest = (key for key in gaps if only_asks or key in state.worked or key in state.undo)
            found |= {key for key in rest if self._board.can_delegate(key)}
        return found

    def _endings(self) -> dict[str, Move]:
        """The ending moves that are legal now, by id."""
        found: dict[str, Move] = {}
        hopeless = {key.partition("/")[0] for key in self._board.hopeless}
        lowered = {key.partition("/")[0] for key in self._lowered()}
        for environment in self._fairness.idle():
            if not self._agenda.open[environment] and environment not in self._board.failed:
                if self.charter.goal.keep:
                    self._all_well(environment)
                elif not self._lookout.again(environment, self.state.snapshot):
                    move = ending_move(environment, Mode.COMPLETE, *self.charter.stack.complete)
                    found[move.id] = move
                continue
            self._lookout.trouble(environment)
            if environment in hopeless and environment not in lowered:
                lost = {k: why for k, why in self._board.hopeless.items() if k.startswith(f"{environment}/")}
                why = "; ".join(f"{k}: {w}" for k, w in lost.items())
                move = ending_move(environment, Mode.ESCALATE, ESCALATE, why)
                found[move.id] = move
        return found

    def _all_well(self, environment: str) -> None:
        """Nothing is amiss (watch): a trouble after a quiet time is a new one, with budgets of its own."""
        now = self._clock.now()
        changes = [at for key, at in self.state.since.items() if key.startswith(f"{environment}/")]
        if now - max(changes, default=now) > self.charter.window and any(self.state.ledger.values()):
            self.state.calm()
        self._calm_at = now

    def end(self, ending: Ending, why: str) -> None:
        """End the run now (interrupted, or because it can't go on); what was in flight has settled before."""
        if self.state.ended is None:
            self._commit(self._closing.all(ending, why))

    # -- deciding and admitting ------------------------------------------------------------------------------

    async def _decide(self, situation: Situation) -> list[Event]:
        may_start = situation.lanes > 0 or situation.overdue
        if not len(self._board) or not (may_start or any(self._board.endings())):
            return []
        began = self._clock.now()
        decision = await self.charter.brain.decide(situation)
        if self._clock.now() - began > FRESH_SECONDS:  # what was seen has grown too old to end on
            self._board.offer_endings(self._endings())
        if decision is None:
            return []
        told = record.told(decision)
        if not decision.moves:
            return told
        events, refused = self._admit(decision, situation)
        if refused and not events[1:] and self.charter.fallback is not self.charter.brain:
            second = await self.charter.fallback.decide(situation)
            if second is not None:
                return [*told, *events[:1], *refused, *self._admit(second, situation)[0]]
        return [*told, *events[:1], *refused, *events[1:]]

    def _admit(self, decision: Decision, situation: Situation) -> tuple[list[Event], list[Event]]:
        """The decision with what follows from it, and what was turned down."""
        chosen: list[Move] = []
        refused: list[Event] = []
        held: list[Holder] = list(self.state.in_flight.values())
        orders: list[Event] = []
        endings: dict[str, Ending] = {}
        for move_id in decision.moves:
            move = self._board.get(move_id)
            why = f"{move_id} is not legal now"
            if move is not None:
                why = objection(move, self.charter, held, endings, self.state.recoveries, situation.overdue)
            if move is None or why:
                refused.append(NotAdmitted(turn=situation.turn, source=decision.source, move=move_id, why=why or ""))
                continue
            chosen.append(move)
            if move.mode in DELEGATED:
                orders.append(self._order(move, situation.turn, len(orders)))
                held.append(move)
            elif move.mode is not Mode.WAIT:
                endings[move.environment] = self._closing.ending(move)
                said = record.said_of(move.environment, decision.reasoning)
                orders += self._closing.one(move.environment, endings[move.environment], said, move.why)
        made = record.decided(situation.turn, decision, chosen, self.gaps, self._board)
        return [made, *orders, *self._closing.run(endings)] if endings else [made, *orders], refused

    def _order(self, move: Move, turn: int, index: int) -> Delegated:
        gap = self.gaps.get(move.key)
        trouble = None
        if gap and move.mode is Mode.RECOVER:
            spec, attempts = self.charter.stack.specs[move.component], self.state.ledger[move.key]
            waited = self.state.waited(move.key, self._clock.now())
            trouble = trouble_of(gap, spec, attempts, waited)
        undo = self.state.undo.get(move.key) if move.mode is Mode.UNDO else None
        order_id = f"{self.charter.run}/{turn}/{index}"
        tries = self.state.attempts(move.key, move.mode) + 1
        return record.delegated(move, order_id, tries, trouble, undo and undo.delegation)

    # -- settling --------------------------------------------------------------------------------------------

    def to_verify(self, order: Delegation, outcome: Outcome) -> list[str]:
        """What must be looked at before an order can be settled; if it went wrong, also what it stands on."""
        names = dict.fromkeys((order.component, *order.touches))
        ground = () if outcome.status is Status.DONE else stands_on(order, self.charter.stack)
        belong = self.charter.parts_of(order.environment)
        return [*(f"{order.environment}/{name}" for name in names if name in belong), *ground]

    def settle(self, order: Delegation, outcome: Outcome, observations: Sequence[Observation]) -> bool:
        """Judge how an order ended by what is seen now; written with the next order. Whether it did its job.

        Repeating it changes nothing.
        """
        if self.state.in_flight.get(order.key) != order:
            return False
        events: list[Event] = []
        self._learner.forget(order.key)
        self._look_at(observations, events)
        outcome = excused(order, outcome, self.charter.stack, self.state.snapshot)
        words = self.charter.stack.words(order.agent, order.keyword)
        verdict = judge(order, outcome, self.state.snapshot.get(order.key), words)
        self._fairness.worked(order.environment)
        seconds = self._clock.now() - self._started_at.pop(order.id, self._clock.now())
        seen = self.state.snapshot.get(order.key)
        treated = None if outcome.status is Status.CANCELLED else self.state.treated(order.id)  # that teaches nothing
        self._learner.settled(order, verdict, seconds, treated, seen, events)
        events.append(record.settled(order, outcome, verdict, seconds))
        self._pen.later(events)
        for event in events:
            if not isinstance(event, Observed):
                self.state.apply(event, self._clock.now())
        self._touch(order, ok=verdict.ok)
        return verdict.ok

    def flush(self) -> None:
        """Write down what has settled now, not with the next order."""
        self._pen.write(())

    def _touch(self, order: Delegation, *, ok: bool) -> None:
        """What must be looked at again: after a failure everything, else what may have felt it."""
        stack, environment = self.charter.stack, order.environment
        self._agenda.changed.add(order.key)
        worked_on = (order.component, *order.touches)
        near = (felt_by(one, environment, stack, self.state.snapshot) for one in worked_on)
        names = set[str]().union(*near) if ok else set(stack.specs)
        seen = {f"{environment}/{name}" for name in worked_on}
        self._lookout.look_at({f"{environment}/{name}" for name in names} - seen)
        self._agenda.changed |= {f"{environment}/{name}" for name in order.touches}
        self._lookout.look_at(f"{e}/{n}" for n in stack.shared.intersection(worked_on) for e in self._elsewhere(order))

    def _elsewhere(self, order: Delegation) -> list[str]:
        """The other environments that go on."""
        ended = self.state.endings
        return [one for one in self.charter.environments if one != order.environment and one not in ended]

    def take(self, events: Sequence[Event], messages: Iterable[int]) -> None:
        """Journal what came through the inbox, and remove it there in the same transaction."""
        now = self._pen.write(events, messages)
        for event in events:
            self.state.apply(event, now)
            if isinstance(event, Approved | Denied):
                self._agenda.changed |= {key for gaps in self._agenda.open.values() for key in gaps}

    def brief(self, order: Delegation) -> Brief:
        """The words that go with an order."""
        return brief_for(order, self.charter.stack, self.state, self.charter.goal)

    def tell(self, event: Consulted | ToolUsed | NoteAddressed) -> None:
        """Journal what an agent that is a prompt does while it works; a note can only be addressed if it is open."""
        if not isinstance(event, NoteAddressed) or event.note in self.state.open_notes():
            self._commit([event])

    def warn(self, text: str, environment: str = "", component: str = "") -> None:
        """Tell a person something that stops nothing."""
        self._commit([Warned(text=text, environment=environment, component=component)])

    def _commit(self, events: Sequence[Event]) -> None:
        now = self._pen.write(events)
        for event in events:
            if not isinstance(event, Observed):  # answers are taken in as they come, with their own date
                self.state.apply(event, now)
        for event in events:
            if isinstance(event, Delegated):
                self._ordered(event, now)
            elif isinstance(event, EnvironmentEnded):
                self._close(event.environment)

    def _ordered(self, event: Delegated, now: float) -> None:
        self._started_at[event.id] = now
        self._fairness.worked(event.environment)
        self._agenda.place(f"{event.environment}/{event.component}")
        if self.state.recoveries[event.environment] == self.charter.budget.recoveries:
            self._agenda.place_all(event.environment)  # what they may still do depends on that budget

    def _close(self, environment: str) -> None:
        """Nothing more is done or looked at in an environment that has ended."""
        self._agenda.place_all(environment)
        self._lookout.close(environment)

    def reconcile(self, observations: Collection[Observation], cut_off: Mapping[str, Undoable] = _NONE) -> list[str]:
        """Settle what a dead hub left in flight, by looking: closed gaps as observed, open ones as interrupted.

        `cut_off` are recoveries, by `environment/component`, whose steps are still written down: they are taken back
        where the component does not work. Where it does, their way back is to be given up: their ids are returned.
        """
        events: list[Event] = []
        before = dict(self.state.snapshot) if self.state.resumed else {}
        self._look_at(observations, events)
        self._agenda.refresh()
        steps = {undo.delegation for undo in cut_off.values()}
        for order in list(self.state.in_flight.values()):
            known = order.component in self.charter.stack.specs  # not so: a purge, or what is declared no more
            words = self.charter.stack.words(order.agent, order.keyword) if known else ("done", "failed")
            closed = known and order.key not in self.gaps and self._claimed_done(order)
            events.append(record.found(order, words, closed=closed, undoable=int(order.id in steps)))
            self._agenda.changed |= {order.key} if known else set()
        events += self._learner.mended_by_hand(before, self.state.snapshot, self.state.notes)
        self._commit(events)
        self.state.undo.update({key: undo for key, undo in cut_off.items() if key in self.gaps})
        self._agenda.changed |= cut_off.keys() & self.gaps.keys()
        return [undo.delegation for key, undo in cut_off.items() if self._works(key)]

    def _claimed_done(self, order: Delegation) -> bool:
        """Whether a task's agent has said that it is done; what is looked at needs no word."""
        return not self.charter.stack.specs[order.component].claimed or self._works(order.key)

    def _works(self, key: str) -> bool:
        seen = self.state.snapshot.get(key)
        return seen is not None and seen.health is Health.READY and key not in self.gaps
