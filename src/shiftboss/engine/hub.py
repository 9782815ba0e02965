"""The hub: owns authority and the journal. Three calls, no I/O but the journal's, each safe to repeat.

`probes_due` says what to look at, `turn` decides and orders, `settle` judges how an order ended. runner.py (or,
one day, a distributed engine) drives them; nothing of the hub's judgement may hide there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from shiftboss.engine import record
from shiftboss.engine.admit import objection
from shiftboss.engine.analyse import Analysis, felt_by
from shiftboss.engine.board import Board, ending_move
from shiftboss.engine.charter import Charter
from shiftboss.engine.judge import judge
from shiftboss.engine.moves import options_for, trouble_of
from shiftboss.engine.pen import Pen
from shiftboss.engine.scripted import ScriptedBoard
from shiftboss.engine.state import RunState
from shiftboss.model.conflict import Claim
from shiftboss.model.events import (
    Delegated,
    EnvironmentEnded,
    Event,
    Json,
    NotAdmitted,
    Observed,
    RunEnded,
    Warned,
)
from shiftboss.model.gap import Gap
from shiftboss.model.move import DELEGATED, Decision, Delegation, Mode, Move
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome
from shiftboss.model.pipeline import PipelineKind
from shiftboss.model.run import Ending, worst
from shiftboss.model.situation import Situation
from shiftboss.model.stack import COMPLETE, ESCALATE
from shiftboss.store.journal import Journal
from shiftboss.store.memory import Memory
from shiftboss.system.clock import Clock

FRESH_SECONDS = 2.0
"""An environment ends complete only on answers younger than this."""


class Hub:
    """One run's authority. See the module's text for its three calls."""

    def __init__(self, charter: Charter, state: RunState, journal: Journal, memory: Memory, clock: Clock) -> None:
        self.charter = charter
        self.state = state
        self._pen = Pen(charter.run, journal, memory, clock)
        self._clock = clock
        self._analysis = Analysis(charter.stack, charter.goal)
        self.gaps: dict[str, Gap] = {}
        scripted = charter.stack.pipeline.kind is PipelineKind.SCRIPTED
        self._board = ScriptedBoard(charter.stack, charter.steps, charter.environments) if scripted else Board()
        self._open_gaps: dict[str, set[str]] = {environment: set() for environment in charter.environments}
        self._due: set[str] = {f"{e}/{name}" for e in charter.environments for name in charter.stack.specs}
        self._changed = set(self._due)  # also for a run taken up again, whose gaps nobody has read off yet
        self._watched: dict[str, float] = {}
        self._started_at: dict[str, float] = {}
        self._asked_again: dict[str, float] = {}
        self._answered: tuple[int, list[Delegation]] = (-1, [])

    # -- what to look at -------------------------------------------------------------------------------------

    def probes_due(self) -> list[str]:
        """Components whose answer is missing, touched by a settled delegation, or about to change by itself."""
        now = self._clock.now()
        soon = {key for key, at in self._watched.items() if at <= now}
        busy = self._busy()
        return sorted(key for key in self._due | soon if key not in busy)

    def _busy(self) -> set[str]:
        """Components this hub has ordered work on: looked at when it settles (what a dead hub ordered is not)."""
        return {key for key, order in self.state.in_flight.items() if order.id in self._started_at}

    def next_look(self) -> float | None:
        """Seconds until a probe is due by itself; None when none will be."""
        busy = self._busy()
        if self._due - busy:
            return 0.0
        times = [at for key, at in self._watched.items() if key not in busy]
        return max(0.0, min(times) - self._clock.now()) if times else None

    def time_left(self) -> float:
        """Seconds until the run's time is spent."""
        return self.state.started + self.charter.seconds - self._clock.now()

    # -- one turn --------------------------------------------------------------------------------------------

    async def turn(self, number: int, observations: Collection[Observation]) -> list[Delegation]:
        """Take the answers in, let the brain choose, and order what is admitted (durably, before it starts)."""
        if number == self._answered[0]:
            return self._answered[1]
        if self.state.ended is not None:
            return []
        events: list[Event] = []
        self._look_at(observations, events)
        self._refresh()
        if self.time_left() <= 0:
            events += self._end_all(Ending.EXHAUSTED, f"the run's {self.charter.seconds:g} seconds are spent")
        else:
            self._board.prepare(self.state)
            events += self._end_spent() or await self._choose()
            if not events and self._stalled():
                events += self._end_all(Ending.ESCALATED, "gaps remain, and nothing legal is left to do about them")
        self._commit(events)
        orders = [self.state.in_flight[e.environment + "/" + e.component] for e in events if isinstance(e, Delegated)]
        self._answered = (number, orders)
        return orders

    async def _choose(self) -> list[Event]:
        self._board.offer_endings(self._endings())
        return await self._decide(self._situation())

    def _stalled(self) -> bool:
        """Whether nothing will ever happen by itself any more."""
        return not (self.state.in_flight or self._due or self._watched)

    def _look_at(self, observations: Collection[Observation], events: list[Event]) -> None:
        self._due = self._due - {seen.key for seen in observations}  # new: a set that was large stays slow to walk
        for seen in observations:
            before = self.state.snapshot.get(seen.key)
            if before is None or not seen.same_answer(before):
                events.append(record.observed(seen))
                self._changed.add(seen.key)
            if before is not None and before.health is Health.ABSENT and seen.health is not Health.ABSENT:
                self._came_up(seen)
            self.state.see(seen)
            self._watch(seen)

    def _came_up(self, seen: Observation) -> None:
        """While it was absent, nothing that stands on it was looked at (see `felt_by`)."""
        if seen.environment not in self.state.endings:
            near = felt_by(seen.component, seen.environment, self.charter.stack, self.state.snapshot)
            self._due |= {f"{seen.environment}/{name}" for name in near}

    def _watch(self, seen: Observation) -> None:
        if seen.health not in (Health.STARTING, Health.UNKNOWN) or seen.environment in self.state.endings:
            self._watched.pop(seen.key, None)
            return
        waited = seen.at - self.state.since[seen.key]
        self._watched[seen.key] = seen.at + min(self.charter.period * 10, max(self.charter.period, waited / 4))
        self._changed.add(seen.key)

    def _refresh(self) -> None:
        looked = self._analysis.update(self.gaps, self._changed, self.state.snapshot)
        for key in looked | self._changed:
            self._place(key)
        self._changed.clear()

    def _place(self, key: str) -> None:
        environment, _, name = key.partition("/")
        gap = self.gaps.get(key)
        (self._open_gaps[environment].add if gap else self._open_gaps[environment].discard)(key)
        options = None
        if gap is not None and key not in self.state.in_flight and environment not in self.state.endings:
            options = options_for(
                gap,
                self.charter.stack,
                self.state.ledger[key],
                self.charter.budget,
                waited=self._waited(key),
                recoveries=self.state.recoveries[environment],
            )
        self._board.put(key, self.charter.stack.order[name], options)

    def _waited(self, key: str) -> float:
        """Seconds since the component last changed or was worked on."""
        now = self._clock.now()
        return now - self.state.since.get(key, now)

    def _situation(self) -> Situation:
        return Situation(
            turn=self.state.decisions,  # turns in which nothing was decided are not counted
            goal=self.charter.goal,
            stack=self.charter.stack,
            snapshot=self.state.snapshot,
            gaps=self.gaps,
            legal=self._board,
            in_flight=self.state.in_flight,
            ledger=self.state.ledger,
            history=self.state.history,
            hopeless=self._board.hopeless,
            lanes=self.charter.parallel - len(self.state.in_flight),
            notes=self.state.notes,
        )

    # -- endings ---------------------------------------------------------------------------------------------

    def _endings(self) -> dict[str, Move]:
        """The ending moves that are legal now, by id."""
        found: dict[str, Move] = {}
        busy = {order.environment for order in self.state.in_flight.values()}
        hopeless = {key.partition("/")[0] for key in self._board.hopeless}
        for environment in self.charter.environments:
            if environment in self.state.endings or environment in busy:
                continue
            if not self._open_gaps[environment]:
                if not self._look_again(environment):
                    move = ending_move(environment, Mode.COMPLETE, COMPLETE, "no gap remains")
                    found[move.id] = move
                continue
            self._asked_again.pop(environment, None)
            if environment in hopeless:
                lost = {k: why for k, why in self._board.hopeless.items() if k.startswith(f"{environment}/")}
                why = "; ".join(f"{k}: {w}" for k, w in lost.items())
                move = ending_move(environment, Mode.ESCALATE, ESCALATE, why)
                found[move.id] = move
        return found

    def _look_again(self, environment: str) -> bool:
        """Whether some answer is too old to end on; if so it is due again.

        What was asked again counts as fresh however long the asking took, or slow probes would never let a run end.
        """
        now = self._clock.now()
        oldest = min(now - FRESH_SECONDS, self._asked_again.get(environment, now))
        old = {k for k, s in self.state.snapshot.items() if s.environment == environment and s.at < oldest}
        if old:
            self._asked_again[environment] = now
        self._due |= old
        return bool(old)

    def _end_all(self, ending: Ending, why: str) -> list[Event]:
        open_ones = [e for e in self.charter.environments if e not in self.state.endings]
        return [self._ended(environment, ending, why) for environment in open_ones] + self._run_ended(
            dict.fromkeys(open_ones, ending)
        )

    def _end_spent(self) -> list[Event]:
        new = {e: Ending.EXHAUSTED for e in self._board.spent if e not in self.state.endings}
        events: list[Event] = [self._ended(e, ending, self._board.spent[e]) for e, ending in new.items()]
        return [*events, *self._run_ended(new)] if new else []

    def _ended(self, environment: str, ending: Ending, said: str, why: str = "") -> EnvironmentEnded:
        """An environment's end: what was said of it, and the report on why it is not complete."""
        report: dict[str, Json] = {}
        if ending is not Ending.CONVERGED:
            report = self.charter.report(environment, why or said, self.state, self.gaps)
        return EnvironmentEnded(environment=environment, ending=ending, reasoning=said, report=report)

    def _run_ended(self, new: Mapping[str, Ending]) -> list[Event]:
        endings = {**self.state.endings, **new}
        if len(endings) < len(self.charter.environments):
            return []
        seconds = self._clock.now() - self.state.started
        return [RunEnded(ending=worst(endings.values()), turns=self.state.decisions + 1, seconds=round(seconds, 3))]

    def interrupt(self, why: str) -> None:
        """End the run as interrupted; what is in flight has been cancelled and settled before."""
        if self.state.ended is None:
            self._commit(self._end_all(Ending.INTERRUPTED, why))

    def give_up(self, why: str) -> None:
        """End the run as escalated because it can't be gone on with."""
        self._commit(self._end_all(Ending.ESCALATED, why))

    # -- deciding and admitting ------------------------------------------------------------------------------

    async def _decide(self, situation: Situation) -> list[Event]:
        if situation.lanes <= 0 or not len(self._board):
            return []
        decision = await self.charter.brain.decide(situation)
        if decision is None or not decision.moves:
            return []
        events, refused = self._admit(decision, situation)
        if refused and not events[1:] and self.charter.fallback is not self.charter.brain:
            second = await self.charter.fallback.decide(situation)
            if second is not None:
                return [*events[:1], *refused, *self._admit(second, situation)[0]]
        return [*events[:1], *refused, *events[1:]]

    def _admit(self, decision: Decision, situation: Situation) -> tuple[list[Event], list[Event]]:
        """The decision with what follows from it, and what was turned down."""
        chosen: list[Move] = []
        refused: list[Event] = []
        claimed: list[Claim] = list(self.state.in_flight.values())
        orders: list[Event] = []
        endings: dict[str, Ending] = {}
        for move_id in decision.moves:
            move = self._board.get(move_id)
            why = f"{move_id} is not legal now"
            if move is not None:
                why = objection(move, self.charter, claimed, endings, self.state.recoveries)
            if move is None or why:
                refused.append(NotAdmitted(turn=situation.turn, source=decision.source, move=move_id, why=why or ""))
                continue
            chosen.append(move)
            if move.mode in DELEGATED:
                orders.append(self._order(move, situation.turn, len(orders)))
                claimed.append(move)
            elif move.mode is not Mode.WAIT:
                ending = Ending.CONVERGED if move.mode is Mode.COMPLETE else self._given_up(move.environment)
                endings[move.environment] = ending
                orders.append(self._ended(move.environment, ending, decision.reasoning, move.why))
        said = record.decided(situation.turn, decision, chosen, self.gaps, self._board)
        return [said, *orders, *self._run_ended(endings)] if endings else [said, *orders], refused

    def _given_up(self, environment: str) -> Ending:
        """How an environment ends that can't go on: for want of consent, if nothing else is in its way."""
        lost = {key for key in self._board.hopeless if key.startswith(f"{environment}/")}
        return Ending.NEEDS_APPROVAL if lost <= self._board.unconsented else Ending.ESCALATED

    def _order(self, move: Move, turn: int, index: int) -> Delegated:
        gap = self.gaps.get(move.key)
        trouble = None
        if gap and move.mode is Mode.RECOVER:
            spec, attempts = self.charter.stack.specs[move.component], self.state.ledger[move.key]
            trouble = trouble_of(gap, spec, attempts, self._waited(move.key))
        order_id = f"{self.charter.run}/{turn}/{index}"
        return record.delegated(move, order_id, self.state.attempts(move.key, move.mode) + 1, trouble)

    # -- settling --------------------------------------------------------------------------------------------

    def to_verify(self, order: Delegation) -> list[str]:
        """What must be looked at before an order can be settled."""
        names = dict.fromkeys((order.component, *order.touches))
        return [f"{order.environment}/{name}" for name in names]

    def settle(self, order: Delegation, outcome: Outcome, observations: Sequence[Observation]) -> None:
        """Judge how an order ended by what is seen now; written with the next order. Repeating it changes nothing."""
        if self.state.in_flight.get(order.key) != order:
            return
        events: list[Event] = []
        self._look_at(observations, events)
        words = self.charter.stack.words(order.agent, order.keyword)
        verdict = judge(order, outcome, self.state.snapshot.get(order.key), words)
        seconds = self._clock.now() - self._started_at.pop(order.id, self._clock.now())
        events.append(record.settled(order, outcome, verdict, seconds))
        telling = verdict.ok and order.mode in (Mode.ENSURE, Mode.FORCE, Mode.RECOVER)
        self._pen.later(events, (order.agent, order.component, order.mode, seconds) if telling else None)
        self.state.apply(events[-1], self._clock.now())
        self._touch(order, ok=verdict.ok)

    def flush(self) -> None:
        """Write down what has settled now, not with the next order."""
        self._pen.write(())

    def _touch(self, order: Delegation, *, ok: bool) -> None:
        """What must be looked at again: after a failure everything, else what may have felt it."""
        stack, environment = self.charter.stack, order.environment
        self._changed.add(order.key)
        worked_on = (order.component, *order.touches)
        near = (felt_by(one, environment, stack, self.state.snapshot) for one in worked_on)
        names = set[str]().union(*near) if ok else set(stack.specs)
        seen = set(self.to_verify(order))
        self._due |= {f"{environment}/{name}" for name in names} - seen
        self._changed |= {f"{environment}/{name}" for name in order.touches}

    def take(self, events: Sequence[Event], messages: Iterable[int]) -> None:
        """Journal what came through the inbox, and remove it there in the same transaction."""
        now = self._pen.write(events, messages)
        for event in events:
            self.state.apply(event, now)

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
        self._place(f"{event.environment}/{event.component}")
        if self.state.recoveries[event.environment] == self.charter.budget.recoveries:
            for key in sorted(self._open_gaps[event.environment]):  # what they may still do depends on that budget
                self._place(key)

    def _close(self, environment: str) -> None:
        """Nothing more is done or looked at in an environment that has ended."""
        for key in sorted(self._open_gaps[environment]):
            self._place(key)
        self._due = {key for key in self._due if not key.startswith(f"{environment}/")}
        self._watched = {key: at for key, at in self._watched.items() if not key.startswith(f"{environment}/")}

    def reconcile(self, observations: Collection[Observation]) -> None:
        """Settle what a dead hub left in flight, by looking: closed gaps as observed, open ones as interrupted."""
        events: list[Event] = []
        self._look_at(observations, events)
        self._refresh()
        for order in list(self.state.in_flight.values()):
            known = order.component in self.charter.stack.specs  # not so: a purge, or what is declared no more
            words = self.charter.stack.words(order.agent, order.keyword) if known else ("done", "failed")
            events.append(record.found(order, words, closed=known and order.key not in self.gaps))
            self._changed |= {order.key} if known else set()
        self._commit(events)
