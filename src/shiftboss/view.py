"""What frontends draw: a run folded from its events. Live, after a crash and in tests it is the same fold."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, assert_never

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
from shiftboss.model.run import EXIT_CODES, Ending


@dataclass(kw_only=True)
class DelegationView:
    """A delegation as it is shown; `outcome` is None while it is in flight."""

    id: str
    agent: str
    component: str
    environment: str
    keyword: str
    mode: str
    strategy: str | None
    attempt: int
    started: float
    outcome: str | None = None
    ok: bool | None = None
    summary: str = ""
    seconds: float | None = None
    changes: list[str] = field(default_factory=list[str])
    failure: dict[str, Any] | None = None
    output: str = ""  #: what its agent put out in words


@dataclass(kw_only=True)
class RunView:
    """Everything to be shown of a run."""

    run: str = ""
    started: float = 0.0
    start: RunStarted | None = None
    delegations: dict[str, DelegationView] = field(default_factory=dict[str, DelegationView])
    components: dict[str, Observed] = field(default_factory=dict[str, Observed])
    decisions: list[Decided] = field(default_factory=list[Decided])
    refused: list[NotAdmitted] = field(default_factory=list[NotAdmitted])
    asked: dict[str, ApprovalAsked] = field(default_factory=dict[str, ApprovalAsked])  #: by act, without an answer yet
    answers: dict[str, str] = field(default_factory=dict[str, str])  #: act -> approved or denied
    learned: list[Learned] = field(default_factory=list[Learned])
    mended: list[MendedByHand] = field(default_factory=list[MendedByHand])
    warnings: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    addressed: dict[int, str] = field(default_factory=dict[int, str])  #: number of a note -> who acted on it
    consulted: list[Consulted] = field(default_factory=list[Consulted])
    tools: list[ToolUsed] = field(default_factory=list[ToolUsed])
    endings: dict[str, EnvironmentEnded] = field(default_factory=dict[str, EnvironmentEnded])
    resumed: int = 0
    ended: RunEnded | None = None

    @property
    def ending(self) -> Ending | None:
        """How the run ended; None while it runs (or when its hub died)."""
        return Ending(self.ended.ending) if self.ended else None

    @property
    def exit_code(self) -> int | None:
        """The exit code of that ending."""
        return EXIT_CODES[self.ending] if self.ending else None

    @property
    def mutations(self) -> int:
        """How many changes the run made outside journal, memory and cache."""
        return sum(len(delegation.changes) for delegation in self.delegations.values())

    @property
    def in_flight(self) -> list[DelegationView]:
        """Delegations that have not settled."""
        return [one for one in self.delegations.values() if one.outcome is None]

    def apply(self, record: Recorded) -> None:  # noqa: C901, PLR0912 - one arm per kind of event
        """Fold one event in."""
        event = record.event
        match event:
            case RunStarted():
                self.run, self.started, self.start = record.run, record.at, event
            case Observed():
                self.components[f"{event.environment}/{event.component}"] = event
            case Decided():
                self.decisions.append(event)
            case NotAdmitted():
                self.refused.append(event)
            case Delegated():
                self.delegations[event.id] = _delegation(event, record.at)
            case Settled():
                _settle(self.delegations[event.id], event)
            case ApprovalAsked():
                self.asked[event.act] = event
            case Approved() | Denied():
                self.asked.pop(event.act, None)
                self.answers[event.act] = "approved" if isinstance(event, Approved) else "denied"
            case Learned():
                self.learned.append(event)
            case MendedByHand():
                self.mended.append(event)
            case Warned():
                self.warnings.append(event.text)
            case NoteAdded():
                self.notes.append(event.text)
            case NoteAddressed() | Consulted() | ToolUsed():
                self._prompted(event)
            case EnvironmentEnded():
                self.endings[event.environment] = event
            case RunResumed():
                self.resumed += 1
                self.ended = None
                self.endings.clear()
            case RunEnded():
                self.ended = event
            case _:
                assert_never(event)

    def _prompted(self, event: NoteAddressed | Consulted | ToolUsed) -> None:
        """What models did."""
        match event:
            case NoteAddressed():
                self.addressed[event.note] = event.by
            case Consulted():
                self.consulted.append(event)
            case ToolUsed():
                self.tools.append(event)


def fold(records: Iterable[Recorded]) -> RunView:
    """The view of a run's events."""
    view = RunView()
    for record in records:
        view.apply(record)
    return view


def _delegation(event: Delegated, at: float) -> DelegationView:
    return DelegationView(
        id=event.id,
        agent=event.agent,
        component=event.component,
        environment=event.environment,
        keyword=event.keyword,
        mode=event.mode,
        strategy=event.strategy,
        attempt=event.attempt,
        started=at,
    )


def _settle(shown: DelegationView, event: Settled) -> None:
    shown.outcome, shown.ok, shown.summary = event.outcome, event.ok, event.summary
    shown.seconds, shown.changes, shown.failure = event.seconds, list(event.changes), event.failure
    shown.output = event.output
