"""How the hub's doings are written down: values of the loop -> events of the journal. Pure."""

from collections.abc import Mapping, Sequence

from shiftboss.engine.judge import Verdict
from shiftboss.engine.trouble import Trouble
from shiftboss.model.events import Decided, Delegated, Event, Json, NoteAddressed, Observed, Settled
from shiftboss.model.failure import Failure
from shiftboss.model.gap import Gap
from shiftboss.model.move import Decision, Delegation, Mode, Move
from shiftboss.model.observation import Observation
from shiftboss.model.outcome import Outcome, Status
from shiftboss.model.redact import redact, redact_all
from shiftboss.model.situation import LegalMoves
from shiftboss.model.untrusted import OUTPUT

LISTED = 12
"""How many gaps and legal moves a decision writes down; the rest is counted."""


def observed(seen: Observation) -> Observed:
    """A probe's answer."""
    return Observed(
        environment=seen.environment,
        component=seen.component,
        health=seen.health,
        summary=seen.summary,
        evidence=dict(seen.evidence),
        failure=seen.failure,
        instance=seen.instance,
        unproven=seen.unproven,
        measures=dict(seen.measures),
    )


def decided(
    turn: int, decision: Decision, chosen: Sequence[Move], gaps: Mapping[str, Gap], legal: LegalMoves
) -> Decided:
    """A choice with what it was made from, the cited gaps first."""
    cited = dict.fromkeys(move.key for move in chosen)
    listed = [gaps[key] for key in cited if key in gaps]
    for gap in gaps.values():
        if len(listed) >= LISTED:
            break
        if gap.key not in cited:
            listed.append(gap)
    options: list[Json] = []
    for move in legal:
        if len(options) >= LISTED:
            break
        options.append([move.id, move.keyword, move.why])
    return Decided(
        turn=turn,
        source=decision.source,
        keywords=list(dict.fromkeys(move.keyword for move in chosen)),
        moves=[move.id for move in chosen],
        reasoning=decision.reasoning,
        gaps=[[gap.id, gap.why, list(gap.blocked_by)] for gap in listed],
        legal=options,
        more=max(0, len(legal) - len(options)),
    )


def delegated(move: Move, order_id: str, attempt: int, trouble: Trouble | None, undoes: str | None) -> Delegated:
    """A chosen move as an order."""
    return Delegated(
        id=order_id,
        environment=move.environment,
        component=move.component,
        agent=move.agent,
        mode=move.mode,
        strategy=move.strategy,
        keyword=move.keyword,
        attempt=attempt,
        deadline=move.deadline,
        touches=list(move.touches),
        locks=list(move.locks),
        failure=trouble.kind if trouble else None,
        treated=trouble.signature if trouble else None,
        undoes=undoes,
    )


def order_of(event: Delegated, run: str) -> Delegation:
    """The order that an event wrote down."""
    return Delegation(
        id=event.id,
        run=run,
        environment=event.environment,
        component=event.component,
        agent=event.agent,
        mode=Mode(event.mode),
        strategy=event.strategy,
        keyword=event.keyword,
        attempt=event.attempt,
        deadline=event.deadline,
        touches=tuple(event.touches),
        locks=tuple(event.locks),
        failure=event.failure,
        undoes=event.undoes,
    )


def settled(order: Delegation, outcome: Outcome, verdict: Verdict, seconds: float) -> Settled:
    """How an order ended, as judged."""
    failure = verdict.failure
    return Settled(
        id=order.id,
        status=outcome.status,
        outcome=verdict.keyword,
        ok=verdict.ok,
        summary=redact(outcome.summary if failure is None else failure.message),
        seconds=round(seconds, 4),
        changes=[redact(change) for change in outcome.changes],
        failure=_failure(failure),
        evidence=redact_all(dict(outcome.evidence)),
        undoable=outcome.undoable,
        special=outcome.special if verdict.ok else None,
        output=redact(outcome.output)[:OUTPUT],
    )


def told(decision: Decision) -> list[Event]:
    """What a decision brings with it: the models that were asked, and the notes that it acts on."""
    notes = [NoteAddressed(note=number, by=f"{decision.source} brain") for number in decision.addressed]
    return [*decision.consulted, *notes]


def found(order: Delegation, words: tuple[str, str], *, closed: bool, undoable: int) -> Settled:
    """How an order of a dead hub ended, as found by looking."""
    return Settled(
        id=order.id,
        status=Status.OBSERVED if closed else Status.INTERRUPTED,
        outcome=words[0] if closed else words[1],
        ok=closed,
        summary="found done when the run was taken up again" if closed else "cut off with its hub",
        seconds=0.0,
        undoable=undoable,
    )


def _failure(failure: Failure | None) -> dict[str, Json] | None:
    return failure and {
        "kind": failure.kind,
        "message": redact(failure.message),
        "signature": failure.signature,
        "evidence": redact_all(dict(failure.evidence)),
    }


def said_of(environment: str, reasoning: str) -> str:
    """What a decision's reasoning says of one environment; all of it where no line names that environment."""
    lines = reasoning.splitlines()
    own = [line for line in lines if line.startswith((f"{environment}:", f"{environment}/"))]
    return "\n".join(own or lines)
