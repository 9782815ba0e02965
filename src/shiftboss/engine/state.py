"""A run as the fold of its events: the same live, after a crash, and in tests."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import assert_never

from shiftboss.engine.ladder import Undoable
from shiftboss.engine.record import order_of
from shiftboss.model.events import (
    ApprovalAsked,
    Approved,
    Consulted,
    Decided,
    Delegated,
    Denied,
    EnvironmentEnded,
    Event,
    Learned,
    MendedByHand,
    NotAdmitted,
    NoteAdded,
    NoteAddressed,
    Observed,
    RunEnded,
    RunResumed,
    RunStarted,
    Settled,
    ToolUsed,
    Warned,
)
from shiftboss.model.failure import FailureKind, log_lines
from shiftboss.model.mind import Usage
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.recovery import Attempt
from shiftboss.model.run import Ending

ASKED = frozenset({Ending.ESCALATED, Ending.NEEDS_APPROVAL, Ending.EXHAUSTED})
"""Endings after which a person may have mended something; what a killed hub was doing is its own work."""


@dataclass
class RunState:
    """What the hub knows of a run. Changed by `apply` only."""

    run: str
    started: float = 0.0
    decisions: int = 0
    last_turn: int = -1
    snapshot: dict[str, Observation] = field(default_factory=dict[str, Observation])
    since: dict[str, float] = field(default_factory=dict[str, float])  #: when it last changed or was worked on
    in_flight: dict[str, Delegation] = field(default_factory=dict[str, Delegation])
    ledger: dict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    history: dict[str, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    recoveries: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    used: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  #: strategies by environment
    worked: set[str] = field(default_factory=set[str])  #: what has been ready at some time of this run
    undo: dict[str, Undoable] = field(default_factory=dict[str, Undoable])  #: failed recoveries still to be taken back
    notes: list[str] = field(default_factory=list[str])
    addressed: set[int] = field(default_factory=set[int])  #: numbers of notes that somebody has acted on
    usage: Usage = field(default_factory=Usage)  #: what models have cost
    models: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """What became of the answers of each model, by its name."""
    outputs: dict[str, str] = field(default_factory=dict[str, str])
    """What agents put out in words, by environment/stage and environment/component; the newest."""
    resumed: bool = False  #: taken up again after an ending that asked a person, and nothing decided since
    approved: set[str] = field(default_factory=set[str])  #: acts
    denied: set[str] = field(default_factory=set[str])  #: acts
    mended: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """By environment, after how many attempts of its history a person had it taken up again."""
    endings: dict[str, Ending] = field(default_factory=dict[str, Ending])
    ended: Ending | None = None
    _orders: dict[str, tuple[Delegation, str | None]] = field(default_factory=dict[str, tuple[Delegation, str | None]])

    def apply(self, event: Event, at: float) -> None:  # noqa: C901, PLR0912 - one arm per kind of event
        """Fold one event in."""
        match event:
            case RunStarted():
                self.started = at
            case Observed():
                self._observed(event, at)
            case Decided():
                self.decisions += 1
                self.resumed = False
                self.last_turn = max(self.last_turn, event.turn)
            case Delegated():
                self._delegated(event)
            case Settled():
                self._settled(event, at)
            case NoteAdded():
                self.notes.append(event.text)
            case NoteAddressed():
                self.addressed.add(event.note)
            case Consulted():
                self.usage = self.usage.plus(Usage(calls=event.calls, tokens=event.tokens, money=event.money))
                self.models[event.model][event.verdict] += 1
            case EnvironmentEnded():
                self.endings[event.environment] = Ending(event.ending)
            case RunEnded():
                self.ended = Ending(event.ending)
            case RunResumed():
                self._resumed(at)
            case Approved():
                self.approved.add(event.act)
            case Denied():
                self.denied.add(event.act)
            case Learned():
                self._learned(event)
            case NotAdmitted() | Warned() | ApprovalAsked() | MendedByHand() | ToolUsed():
                pass
            case _:
                assert_never(event)

    def see(self, observation: Observation) -> None:
        """Keep an answer (also one that says the same again: its date counts)."""
        before = self.snapshot.get(observation.key)
        if before is None or (before.health, before.instance) != (observation.health, observation.instance):
            self.since[observation.key] = observation.at
        if observation.health is Health.READY:
            self.worked.add(observation.key)
        self.snapshot[observation.key] = observation

    def _resumed(self, at: float) -> None:
        """A person may have mended something: budgets and time start anew, what is on the way is kept."""
        if self.ended in ASKED:
            self.resumed = True
            for environment in self.endings:
                self.mended[environment].add(len(self.history[environment]))
        self.started, self.ended = at, None
        self.since = {key: min(since, at) for key, since in self.since.items()}  # the date may have been set back
        self.endings.clear()
        self.calm()

    def calm(self) -> None:
        """Forget what went wrong so far: it no longer counts against any budget."""
        self.ledger.clear()
        self.recoveries.clear()
        self.used.clear()

    def _observed(self, event: Observed, at: float) -> None:
        self.see(
            Observation(
                environment=event.environment,
                component=event.component,
                health=Health(event.health),
                summary=event.summary,
                evidence=event.evidence,
                failure=FailureKind(event.failure) if event.failure else None,
                instance=event.instance,
                unproven=event.unproven,
                measures=event.measures,
                at=at,
            )
        )

    def _delegated(self, event: Delegated) -> None:
        order = order_of(event, self.run)
        self.in_flight[order.key] = order
        self._orders[order.id] = (order, event.treated)
        if order.mode is Mode.RECOVER:
            self.recoveries[order.environment] += 1
            self.used[order.environment][order.strategy or ""] += 1

    def _settled(self, event: Settled, at: float) -> None:
        order, treated = self._orders.pop(event.id)
        self.in_flight.pop(order.key, None)
        self.since[order.key] = at
        failure = event.failure or {}
        attempt = Attempt(
            delegation=order.id,
            component=order.component,
            keyword=order.keyword,
            mode=order.mode,
            strategy=order.strategy,
            ok=event.ok,
            kind=FailureKind(failure["kind"]) if failure else None,
            signature=failure.get("signature"),
            message=failure.get("message", ""),
            treated=treated,
            special=event.special or (event.outcome if event.outcome == "environment_reset" else None),
            seconds=event.seconds,
            undoable=event.undoable,
            log=log_lines(failure.get("evidence", {})),
        )
        if event.output:
            self.outputs |= dict.fromkeys((order.key, f"{order.environment}/{order.keyword}"), event.output)
        self._take_back(order, event)
        if event.status not in ("interrupted", "cancelled"):
            self.ledger[order.key].append(attempt)
            self.history[order.environment].append(attempt)

    def _take_back(self, order: Delegation, event: Settled) -> None:
        """A recovery that failed or was cut off has steps to be taken back; until that is done."""
        if order.mode is Mode.RECOVER and not event.ok and event.undoable:
            undo = Undoable(delegation=order.id, strategy=order.strategy or "", touches=order.touches)
            self.undo[order.key] = undo
        elif event.ok:
            self.undo.pop(order.key, None)

    def _learned(self, event: Learned) -> None:
        """A recovery that did not last counts as failed from now on."""
        if event.lasted:
            return
        for attempts in (self.ledger[f"{event.environment}/{event.component}"], self.history[event.environment]):
            for index, attempt in enumerate(attempts):
                if attempt.delegation == event.delegation:
                    attempts[index] = attempt.but(lasted=False)

    def open_notes(self) -> dict[int, str]:
        """What people said and nobody has acted on yet, by number from 1."""
        return {number: text for number, text in enumerate(self.notes, 1) if number not in self.addressed}

    def waited(self, key: str, now: float) -> float:
        """Seconds since a component last changed or was worked on."""
        return now - self.since.get(key, now)

    def treated(self, delegation: str) -> str | None:
        """The signature that a delegation in flight was sent against."""
        order = self._orders.get(delegation)
        return order[1] if order else None

    def attempts(self, key: str, mode: Mode) -> int:
        """How many delegations of this mode the component has had (settled or not)."""
        return sum(attempt.mode == mode for attempt in self.ledger[key])
