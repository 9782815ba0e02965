"""Events -> what a person reads of them: (seconds since the start, a word, text). The same for plain lines and live.

Pure: it folds the events into a view of its own (the text of one event needs those before it), and prints nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from shiftboss.frontends.text import seconds_text
from shiftboss.model.events import (
    Decided,
    Delegated,
    EnvironmentEnded,
    NotAdmitted,
    NoteAdded,
    Observed,
    Recorded,
    RunEnded,
    RunResumed,
    RunStarted,
    Settled,
    Warned,
)
from shiftboss.view import RunView

READY = "ready"
URGENT = frozenset({"failed", "warns", "ends", "refuses"})
"""The words that --quiet still shows."""

_DOING = {
    "ensure": "for",
    "remove": "to stop",
    "recover": "to recover",
    "force": "to redo",
    "verify": "to verify",
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing worth reading: when, what sort of thing, and the text (one paragraph)."""

    at: float  #: seconds since the run's start
    word: str  #: starts, sees, decides, sends, done, failed, warns, notes, refuses, ends
    text: str


class Narrator:
    """Tells a run event by event; what is found ready at the first look is told as one line."""

    def __init__(self) -> None:
        self.view = RunView()
        self._ready: list[str] = []
        self._ready_at = 0.0
        self._began = 0.0

    def tell(self, record: Recorded) -> list[Line]:
        """The lines of one event, in order."""
        if not self._began:
            self._began = record.at
        at = max(0.0, record.at - self._began)
        event = record.event
        lines: list[Line] = []
        if self._waits(event):
            self._ready.append(self._name(event.environment, event.component))  # pyright: ignore[reportAttributeAccessIssue] - only Observed waits
            self._ready_at = at
        else:
            lines += self._found_ready()
            lines += [Line(at=at, word=word, text=text) for word, text in self._texts(event)]
        self.view.apply(record)
        return lines

    def _waits(self, event: object) -> bool:
        return isinstance(event, Observed) and event.health == READY and self._key(event) not in self.view.components

    @staticmethod
    def _key(event: Observed) -> str:
        return f"{event.environment}/{event.component}"

    def _found_ready(self) -> Iterator[Line]:
        if self._ready:
            count = len(self._ready)
            verb = "is" if count == 1 else "are"
            yield Line(at=self._ready_at, word="sees", text=f"{', '.join(self._ready)} {verb} ready")
            self._ready.clear()

    def _name(self, environment: str, component: str) -> str:
        """A component's name, with its environment where there are several."""
        start = self.view.start
        return component if start is None or len(start.environments) == 1 else f"{environment}/{component}"

    def _texts(self, event: object) -> Iterator[tuple[str, str]]:  # noqa: C901 - one arm per kind of event
        match event:
            case RunStarted():
                yield "starts", _started(event)
            case RunResumed():
                yield "starts", "the run is taken up again"
            case Observed():
                yield from self._observed(event)
            case Decided():
                yield from _decided(event)
            case NotAdmitted():
                yield "refuses", f"{event.move}: {event.why}"
            case Delegated():
                yield "sends", self._delegated(event)
            case Settled():
                yield self._settled(event)
            case Warned():
                name = f"{self._name(event.environment, event.component)}: " if event.component else ""
                yield "warns", f"{name}{event.text}"
            case NoteAdded():
                yield "notes", event.text
            case EnvironmentEnded():
                if self.view.start is not None and len(self.view.start.environments) > 1:
                    yield "ends", f"{event.environment} {event.ending}: {event.reasoning}"
            case RunEnded():
                changes = "1 change" if self.view.mutations == 1 else f"{self.view.mutations} changes"
                turns = "1 turn" if event.turns == 1 else f"{event.turns} turns"
                yield "ends", f"{event.ending} after {seconds_text(event.seconds)}, {turns}, {changes}"
            case _:
                assert_never(event)  # pyright: ignore[reportArgumentType] - every kind of Event has an arm

    def _observed(self, event: Observed) -> Iterator[tuple[str, str]]:
        """What is ready because of a delegation in flight is told when that is done."""
        busy = any(self._key(event) == f"{one.environment}/{one.component}" for one in self.view.in_flight)
        if not (busy and event.health == READY):
            yield "sees", f"{self._name(event.environment, event.component)}: {event.summary}"

    def _delegated(self, event: Delegated) -> str:
        how = f" by {event.strategy}" if event.strategy else ""
        again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
        name = self._name(event.environment, event.component)
        return f"{event.agent} {_DOING.get(event.mode, event.mode)} {name}{how}{again}"

    def _settled(self, event: Settled) -> tuple[str, str]:
        order = self.view.delegations[event.id]
        name = self._name(order.environment, order.component)
        if not event.ok:
            return "failed", f"{name} after {seconds_text(event.seconds)}: {event.summary}"
        return "done", f"{name} in {seconds_text(event.seconds)}: {event.summary}"


def _started(event: RunStarted) -> str:
    parts = event.goal.get("components") or event.goal.get("replace")
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
