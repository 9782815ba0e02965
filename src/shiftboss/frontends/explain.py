"""Decisions explained from the journal alone: evidence, gap, legal moves, choice, rejected alternatives.

Pure; verbs_history.py prints what this makes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shiftboss.frontends.text import clean, facts_text, wrap
from shiftboss.model.events import (
    ApprovalAsked,
    Approved,
    Consulted,
    Decided,
    Denied,
    Learned,
    MendedByHand,
    NotAdmitted,
    NoteAdded,
    NoteAddressed,
    Observed,
    Recorded,
)
from shiftboss.model.gap import GapKind

Explained = dict[str, Any]
_Told = Learned | MendedByHand | Approved | Denied | NoteAdded | NoteAddressed


def explained(records: Iterable[Recorded]) -> list[Explained]:
    """Every decision with what was seen, learned and answered before it was made, and what it left to a person."""
    seen: dict[str, Observed] = {}
    told: list[dict[str, Any]] = []
    models: list[dict[str, Any]] = []  #: asked for the decision that comes next
    found: list[Explained] = []
    for record in records:
        event = record.event
        if isinstance(event, Observed):
            seen[f"{event.environment}/{event.component}"] = event
        elif isinstance(event, Decided):
            found.append({**_explained(event, record.at, seen), "learned": told, "models": models})
            told, models = [], []
        elif isinstance(event, Consulted) and event.purpose != "work":
            late = _models_of(found, event)
            (models if late is None else late).append(dict(vars(event)))
        elif isinstance(event, _Told):
            told.append(_told(event))
        elif isinstance(event, NotAdmitted) and found:
            found[-1]["not_admitted"].append({"move": event.move, "why": event.why})
        elif isinstance(event, ApprovalAsked) and found:
            found[-1]["asked"].append(dict(vars(event)))
    if found:
        found[-1]["afterwards"] = told
    return found


def _models_of(found: Sequence[Explained], event: Consulted) -> list[dict[str, Any]] | None:
    """Where an answer belongs that came after the decision it is about (shadow)."""
    return next((one["models"] for one in found if one["turn"] == event.turn), None)


def _told(event: _Told) -> dict[str, Any]:
    """What memory or a person said, as plain values with a sentence."""
    match event:
        case Learned():
            lasted = "lasted" if event.lasted else "did not last"
            text = f"{event.strategy} {lasted} against {event.signature}: {event.why}"
        case MendedByHand():
            changed = f" (differs now: {', '.join(event.changed)})" if event.changed else ""
            said = f"; said: {' / '.join(event.notes)}" if event.notes else ""
            text = f"{event.environment}/{event.component} was mended by hand: {event.what}{changed}{said}"
        case Approved():
            text = f"a person approved act {event.act}"
        case Denied():
            text = f"a person denied act {event.act}{': ' + event.reason if event.reason else ''}"
        case NoteAdded():
            text = f"a person said: {event.text}"
        case NoteAddressed():
            text = f"note {event.note} is addressed by the {event.by}"
    return {"kind": type(event).__name__, **vars(event), "text": text}


def _explained(event: Decided, at: float, seen: Mapping[str, Observed]) -> Explained:
    gaps: list[dict[str, Any]] = [
        {"gap": gap, "why": why, "blocked_by": list(blocked)} for gap, why, blocked in event.gaps
    ]
    cited = dict.fromkeys(one["gap"].rpartition("/")[0] for one in gaps)
    return {
        "turn": event.turn,
        "at": at,
        "source": event.source,
        "evidence": [_evidence(key, seen[key]) for key in cited if key in seen],
        "gaps": gaps,
        "legal": [{"move": move, "keyword": keyword, "why": why} for move, keyword, why in event.legal],
        "more_legal": event.more,
        "keywords": event.keywords,
        "chosen": event.moves,
        "reasoning": event.reasoning,
        "rejected": _rejected(event),
        "not_admitted": [],
        "asked": [],
        "afterwards": [],
    }


def _evidence(key: str, seen: Observed) -> dict[str, Any]:
    return {"component": key, "health": seen.health, "summary": seen.summary, "evidence": seen.evidence}


def _rejected(event: Decided) -> list[dict[str, str]]:
    """The legal moves that were not chosen; why follows from what was chosen instead."""
    chosen = {_component(move): move for move in event.moves}
    found: list[dict[str, str]] = []
    for move, keyword, _ in event.legal:
        if move in event.moves:
            continue
        instead = chosen.get(_component(move))
        why = f"{instead} was chosen for the same gap" if instead else "not in this turn; it stays legal"
        found.append({"move": move, "keyword": keyword, "why": why})
    return found


def _component(move: str) -> str:
    return "/".join(move.split("/")[:2])


def decision_lines(one: Explained) -> Iterator[str]:
    """A decision as text, with the DECISION / REASONING form in its middle."""
    yield ""
    yield f"Turn {one['turn']}, by the {clean(one['source'])} brain"
    yield from _section("Evidence", [_evidence_text(seen) for seen in one["evidence"]])
    yield from _section("Learned and answered", [told["text"] for told in one["learned"]])
    yield from _section("Gaps", [_gap_text(gap) for gap in one["gaps"] if not _coming(gap)])
    yield from _section("Forecasts", [_gap_text(gap) for gap in one["gaps"] if _coming(gap)])
    yield from _section("Models", [line for asked in one["models"] for line in _asked_of(asked)])
    legal = [f"{move['move']} ({move['keyword']}): {move['why']}" for move in one["legal"]]
    more = [f"and {one['more_legal']} more"] if one["more_legal"] else []
    yield from _section("Legal moves", [*legal, *more])
    yield ""
    yield f"  DECISION: {clean(', '.join(one['keywords']))}"
    yield "  REASONING:"
    for line in one["reasoning"].splitlines():
        yield from (f"  {part}" for part in wrap(line, 76, hang=2))
    yield from _section("Rejected", [f"{move['move']}: {move['why']}" for move in one["rejected"]])
    yield from _section("Not admitted", [f"{move['move']}: {move['why']}" for move in one["not_admitted"]])
    yield from _section("Asked", [_asked_text(asked) for asked in one["asked"]])
    yield from _section("Afterwards", [told["text"] for told in one["afterwards"]])


def _section(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"  {title}:"
    for item in items:
        first, *rest = wrap(item, 74, hang=2)
        yield f"    - {first}"
        yield from (f"      {line.strip()}" for line in rest)


def _evidence_text(seen: Mapping[str, Any]) -> str:
    facts = facts_text(seen["evidence"])
    return f"{seen['component']} is {seen['health']}: {seen['summary']}" + (f" [{facts}]" if facts else "")


def _gap_text(gap: Mapping[str, Any]) -> str:
    waits = f" (waits for {', '.join(gap['blocked_by'])})" if gap["blocked_by"] else ""
    return f"{gap['gap']}: {gap['why']}{waits}"


def _asked_of(asked: Mapping[str, Any]) -> Iterator[str]:
    """What a model said, what it was worth, and what the policy brain would have done."""
    cost = f"{asked['seconds']:.1f} s, {asked['tokens']} tokens" + (", replayed" if asked["replayed"] else "")
    if not asked["chosen"]:
        yield f"{asked['model']}: {asked['verdict']}, {asked['why']} ({cost})"
    else:
        said = f": {asked['reasoning']}" if asked["reasoning"] else ""
        yield f"{asked['model']} chose {', '.join(asked['chosen'])}{said} ({asked['verdict']}; {cost})"
    yield from (f"it cites: {quote}" for quote in asked["quotes"])
    if asked["policy"]:
        same = "the same" if set(asked["policy"]) == set(asked["chosen"]) else ", ".join(asked["policy"])
        yield f"the policy brain would choose {same}"


def _coming(gap: Mapping[str, Any]) -> bool:
    """Whether a gap is a failure that is seen coming."""
    return str(gap["gap"]).endswith(f"/{GapKind.FORECAST}")


def _asked_text(asked: Mapping[str, Any]) -> str:
    return f"{asked['move']} ({asked['risk']}): {asked['what']}; shiftboss approve {asked['act']}"
