"""Decisions explained from the journal alone: evidence, gap, legal moves, choice, rejected alternatives.

Pure; verbs_history.py prints what this makes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shiftboss.frontends.text import clean, wrap
from shiftboss.model.events import Decided, NotAdmitted, Observed, Recorded

Explained = dict[str, Any]


def explained(records: Iterable[Recorded]) -> list[Explained]:
    """Every decision with what was seen when it was made."""
    seen: dict[str, Observed] = {}
    found: list[Explained] = []
    for record in records:
        event = record.event
        if isinstance(event, Observed):
            seen[f"{event.environment}/{event.component}"] = event
        elif isinstance(event, Decided):
            found.append(_explained(event, record.at, seen))
        elif isinstance(event, NotAdmitted) and found:
            found[-1]["not_admitted"].append({"move": event.move, "why": event.why})
    return found


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
    yield from _section("Gaps", [_gap_text(gap) for gap in one["gaps"]])
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


def _section(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"  {title}:"
    for item in items:
        first, *rest = wrap(item, 74, hang=2)
        yield f"    - {first}"
        yield from (f"      {line.strip()}" for line in rest)


def _evidence_text(seen: Mapping[str, Any]) -> str:
    facts = ", ".join(f"{name}={value}" for name, value in seen["evidence"].items())
    return f"{seen['component']} is {seen['health']}: {seen['summary']}" + (f" [{facts}]" if facts else "")


def _gap_text(gap: Mapping[str, Any]) -> str:
    waits = f" (waits for {', '.join(gap['blocked_by'])})" if gap["blocked_by"] else ""
    return f"{gap['gap']}: {gap['why']}{waits}"
