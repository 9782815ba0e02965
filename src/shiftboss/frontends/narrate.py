"""Events -> what a person reads of them: (seconds since the start, a word, text). The same for plain lines and live.

Pure: it folds the events into a view of its own (the text of one event needs those before it), and prints nothing.
"""

from collections.abc import Iterator
from typing import assert_never

from shiftboss.frontends.text import seconds_text
from shiftboss.model.events import (
    ApprovalAsked,
    Approved,
    Consulted,
    Decided,
    Delegated,
    Denied,
    EnvironmentEnded,
    Learned,
    MendedByHand,
    NotAdmitted,
    NoteAdded,
    NoteAddressed,
    Observed,
    Recorded,
    RunEnded,
    RunResumed,
    RunStarted,
    Settled,
    ToolUsed,
    Warned,
)
from shiftboss.model.value import Value
from shiftboss.view import RunView

_Alone = RunStarted | RunResumed | Decided | NotAdmitted | NoteAdded | NoteAddressed | Consulted | ToolUsed
_People = ApprovalAsked | Approved | Denied | MendedByHand
_Spoken = _Alone | _People | Delegated | Settled | Learned | Warned | EnvironmentEnded | RunEnded

READY = "ready"
URGENT = frozenset({"failed", "warns", "ends", "refuses", "asks"})
"""The words that --quiet still shows."""

_DOING = {
    "ensure": "for",
    "remove": "to stop",
    "recover": "to recover",
    "undo": "to take back a failed recovery of",
    "force": "to redo",
    "verify": "to verify",
}


class Line(Value):
    """One thing worth reading: when, what sort of thing, and the text (one paragraph)."""

    at: float  #: seconds since the run's start
    word: str  #: starts, sees, thinks, decides, sends, uses, done, failed, warns, notes, refuses, asks, learns, ends
    text: str


class Narrator:
    """Tells a run event by event; what is found ready at the first look is told as one line."""

    def __init__(self) -> None:
        self.view = RunView()
        self._ready: list[str] = []
        self._began = 0.0

    def tell(self, record: Recorded) -> list[Line]:
        """The lines of one event, in order."""
        self._began = self._began or record.at
        at = max(0.0, record.at - self._began)
        event = record.event
        texts: list[tuple[str, str]]
        if isinstance(event, Observed):
            texts = list(self._observed(event))
        else:
            texts = [*self._found_ready(), *self._texts(event)]
        self.view.apply(record)
        return [Line(at=at, word=word, text=text) for word, text in texts]

    def _found_ready(self) -> Iterator[tuple[str, str]]:
        if self._ready:
            yield "sees", f"{', '.join(self._ready)} {'is' if len(self._ready) == 1 else 'are'} ready"
            self._ready.clear()

    def _name(self, environment: str, component: str) -> str:
        """A component's name, with its environment where there are several."""
        return f"{environment}/{component}" if self._several else component

    @property
    def _several(self) -> bool:
        return self.view.start is not None and len(self.view.start.environments) > 1

    def _texts(self, event: _Spoken) -> Iterator[tuple[str, str]]:
        match event:
            case Delegated():
                yield "sends", self._delegated(event)
            case Settled():
                yield self._settled(event)
            case ApprovalAsked() | Learned() | MendedByHand():
                yield _of_people_and_memory(event, self._name(event.environment, event.component))
            case Approved() | Denied():
                yield "notes", self._answered(event)
            case Warned():
                name = f"{self._name(event.environment, event.component)}: " if event.component else ""
                yield "warns", f"{name}{event.text}"
            case EnvironmentEnded():
                if self._several:
                    said = event.reasoning.removeprefix(f"{event.environment}: ")
                    yield "ends", f"{event.environment} {event.ending}: {said}"
            case RunEnded():
                yield "ends", _ended(event, self.view.mutations)
            case _:
                yield from _by_itself(event)

    def _observed(self, event: Observed) -> Iterator[tuple[str, str]]:
        """Ready at the first look: kept for one common line; ready by a delegation: told when that is done."""
        key = f"{event.environment}/{event.component}"
        name = self._name(event.environment, event.component)
        busy = any(key == f"{one.environment}/{one.component}" for one in self.view.in_flight)
        if event.health != READY or (key in self.view.components and not busy):
            if name in self._ready:  # it was, until now (watch): first things first
                yield from self._found_ready()
            yield "sees", f"{name}: {event.summary}"
        elif not busy:
            self._ready.append(name)

    def _delegated(self, event: Delegated) -> str:
        how = f" by {event.strategy}" if event.strategy else ""
        again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
        name = self._name(event.environment, event.component)
        before = self.view.components.get(f"{event.environment}/{event.component}")
        new = event.mode == "force" and before is not None and before.health == "absent"
        mode = "ensure" if new else event.mode  # what is not there is not redone
        return f"{event.agent} {_DOING.get(mode, mode)} {name}{how}{again}"

    def _answered(self, event: Approved | Denied) -> str:
        asked = self.view.asked.get(event.act)
        name = f"{self._name(asked.environment, asked.component)}: {asked.what} " if asked else ""
        what = f"{name}(act {event.act})"
        if isinstance(event, Approved):
            return f"a person approved {what}"
        return f"a person denied {what}{': ' + event.reason if event.reason else ''}"

    def _settled(self, event: Settled) -> tuple[str, str]:
        order = self.view.delegations[event.id]
        name = self._name(order.environment, order.component)
        if not event.ok:
            return "failed", f"{name} after {seconds_text(event.seconds)}: {event.summary}"
        answered = f"{event.special}, " if event.special else ""
        return "done", f"{name} in {seconds_text(event.seconds)}: {answered}{event.summary}"


def _of_people_and_memory(event: ApprovalAsked | Learned | MendedByHand, name: str) -> tuple[str, str]:
    match event:
        case ApprovalAsked():
            return "asks", f"{name}: {event.what}? ({event.risk}); to allow it: shiftboss approve {event.act}"
        case Learned():
            return "learns", f"{name}: {event.strategy} {'lasted' if event.lasted else 'did not last'}: {event.why}"
        case MendedByHand():
            changed = f" (differs: {', '.join(event.changed)})" if event.changed else ""
            return "learns", f"{name} was mended by hand: {event.what}{changed}; kept as a lesson for the next time"


def _by_itself(event: _Alone) -> Iterator[tuple[str, str]]:
    """The texts of events that need nothing of those before them."""
    match event:
        case RunStarted():
            yield "starts", _started(event)
        case RunResumed():
            yield "starts", "the run is taken up again"
        case Decided():
            yield from _decided(event)
        case NotAdmitted():
            yield "refuses", f"{event.move}: {event.why}"
        case NoteAdded():
            yield "notes", event.text
        case NoteAddressed():
            yield "notes", f"note {event.note} is addressed by {event.by}"
        case Consulted():
            yield from _consulted(event)
        case ToolUsed():
            used = "" if event.allowed else f": not allowed ({event.result})"
            yield "uses", f"{event.tool} {event.argument}{used}"
        case _:
            assert_never(event)


def _consulted(event: Consulted) -> Iterator[tuple[str, str]]:
    """A model's answer where the decision does not show it: it was not followed, or only looked on."""
    if event.verdict == "followed" or event.purpose == "work":
        return
    if event.verdict == "beside":
        chosen, policy = ", ".join(event.chosen), ", ".join(event.policy)
        if set(event.chosen) != set(event.policy):
            yield "thinks", f"{event.model} would choose {chosen} instead of {policy}"
        return
    rest = "; the policy brain decides" if event.purpose == "decide" else ""
    yield "thinks", f"{event.model} {event.verdict}: {event.why}{rest}"


def _ended(event: RunEnded, mutations: int) -> str:
    changes = "1 change" if mutations == 1 else f"{mutations} changes"
    turns = "1 turn" if event.turns == 1 else f"{event.turns} turns"
    return f"{event.ending} after {seconds_text(event.seconds)}, {turns}, {changes}"


def _started(event: RunStarted) -> str:
    replaced = [key.partition("=")[0].partition("/")[2] for key in event.goal.get("replace", ())]
    parts = event.goal.get("components") or replaced
    what = f" {', '.join(parts)}" if parts else ""
    return f"{event.goal.get('want', 'up')} {event.pack}{what} ({event.pipeline}, {event.brain} brain)"


def _decided(event: Decided) -> Iterator[tuple[str, str]]:
    """One line per chosen move where the reasoning has one line for each; else the keywords and the whole text."""
    reasons = [line for line in event.reasoning.splitlines() if line.strip()]
    keyword_of = {move[0]: move[1] for move in event.legal}
    if len(reasons) == len(event.moves) and all(move in keyword_of for move in event.moves):
        for move, reason in zip(event.moves, reasons, strict=True):
            yield "decides", f"{keyword_of[move]} — {reason}"
        return
    yield "decides", f"{', '.join(event.keywords)} — {' '.join(reasons)}"
