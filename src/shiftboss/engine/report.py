"""What a human is told when one is needed: reasons, evidence, what was tried, what to try by hand. Pure.

Called through the charter when an environment ends without having reached its goal; reporting.py gathers what only the
machine can tell. Plain values only; how they are drawn is the frontends' business. Every text in it is redacted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from shiftboss.engine.state import RunState
from shiftboss.model.failure import signature
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.lesson import Lesson
from shiftboss.model.move import Mode
from shiftboss.model.recovery import Attempt
from shiftboss.model.redact import redact_all
from shiftboss.model.value import Value
from shiftboss.store.memory import Remedy
from shiftboss.system.aside import Snapshot


class Surroundings(Value):
    """What only the machine can tell: gathered by the caller."""

    versions: Mapping[str, str]
    paths: Mapping[str, str]
    log_tails: Mapping[str, Sequence[str]]  #: component -> last lines
    suggestions: Sequence[tuple[str, str]]  #: (command, safe or destructive)
    lessons: Sequence[Lesson] = ()  #: everything memory knows of; what concerns this trouble is picked out
    remedies: Sequence[Remedy] = ()  #: newest first
    aside: Sequence[Snapshot] = ()  #: what lies aside of this environment


def build(environment: str, why: str, state: RunState, gaps: Mapping[str, Gap], around: Surroundings) -> dict[str, Any]:
    """The report of one environment as plain values."""
    own = [gap for gap in gaps.values() if gap.environment == environment]
    roots = sorted((gap for gap in own if not gap.blocked_by), key=lambda gap: gap.key not in why)
    signatures = _signatures(environment, roots, state)
    report = {
        "run": state.run,
        "environment": environment,
        "headline": _headline(roots, state) or why,
        "why": why,
        "reasons": [line for gap in roots for line in _reasons(gap, state)],
        "waiting": [f"{gap.component} waits for {', '.join(gap.blocked_by)}" for gap in own if gap.blocked_by],
        "seen": {gap.component: _seen(gap, state) for gap in roots if gap.key in state.snapshot},
        "versions": dict(around.versions),
        "paths": dict(around.paths),
        "models": {name: _answers(verdicts) for name, verdicts in state.models.items()},
        "messages": _messages(environment, state),
        "log_tails": {name: list(lines) for name, lines in around.log_tails.items()},
        "attempted": _attempted(environment, state),
        "memory": [_lesson(one) for one in around.lessons if one.signature in signatures],
        "remedies": [dict(vars(one)) for one in around.remedies if one.signature in signatures],
        "aside": [_snapshot(one) for one in around.aside],
        "suggestions": [{"command": command, "effect": effect} for command, effect in around.suggestions],
    }
    return cast("dict[str, Any]", redact_all(report))


_KINDS = {
    GapKind.NOT_YET: "not ready",
    GapKind.UNPROVEN: "not proven",
    GapKind.FORECAST: "about to fail",
    GapKind.UNWANTED: "still there",
}


def _wrong(gap: Gap) -> str:
    return f"{gap.component} is {_KINDS.get(gap.kind, gap.kind)}: {gap.why}"


def _headline(roots: Sequence[Gap], state: RunState) -> str:
    """What is wrong in one sentence: that which the run ended for, as the look says it or as it failed."""
    if not roots:
        return ""
    first, more = roots[0], f" (and {len(roots) - 1} more)" if len(roots) > 1 else ""
    failed = last_failure(first, state)
    if first.failure is None and failed is not None:
        return f"{first.component} failed: {failed.message}{more}"
    return f"{_wrong(first)}{more}"


def last_failure(gap: Gap, state: RunState) -> Attempt | None:
    """The last attempt at a gap that failed, if it says how."""
    found = (one for one in reversed(state.ledger.get(gap.key, ())) if not one.ok and one.kind)
    return next(found, None)


def _reasons(gap: Gap, state: RunState) -> Iterator[str]:
    """What is wrong with a component, how often it failed with what, and which recoveries did not help."""
    attempts = state.ledger.get(gap.key, [])
    yield _wrong(gap)
    plain = [one for one in attempts if one.mode not in (Mode.RECOVER, Mode.UNDO)]
    for message, count in Counter(one.message for one in plain if not one.ok).items():
        yield f"{gap.component} failed {times(count)} with: {message}"
    recoveries = [one for one in attempts if one.mode == Mode.RECOVER]
    for strategy in dict.fromkeys(one.strategy for one in recoveries):
        yield _tried(gap.component, [one for one in recoveries if one.strategy == strategy])
    for one in attempts:
        if one.mode == Mode.UNDO and not one.ok:
            yield f"a recovery of {gap.component} could not be taken back: {one.message}"


def _tried(component: str, tries: Sequence[Attempt]) -> str:
    """One strategy against one component: how often, and why it did not do."""
    failed = Counter(one.message for one in tries if not one.ok)
    gone = sum(one.ok and not one.lasted for one in tries)
    said = [f"{message} ({times(count)})" if count > 1 else message for message, count in failed.items()]
    said += [f"it worked and the failure came back {times(gone)}"] if gone else []
    end = "; ".join(said) or "it worked, and another trouble came"
    return f"{tries[0].strategy} of {component} was tried {times(len(tries))}: {end}"


def _answers(verdicts: Mapping[str, int]) -> str:
    """What became of a model's answers: whoever reads this wants to know who decided."""
    each = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    return f"asked {times(sum(verdicts.values()))}: {each}"


def times(count: int) -> str:
    """How often, in words."""
    return "once" if count == 1 else f"{count} times"


def _seen(gap: Gap, state: RunState) -> dict[str, Any]:
    seen = state.snapshot[gap.key]
    return {"health": str(seen.health), "summary": seen.summary, "evidence": dict(seen.evidence)}


def _messages(environment: str, state: RunState) -> list[str]:
    found = [attempt.message for attempt in state.history[environment] if not attempt.ok and attempt.message]
    return list(dict.fromkeys(found))


def _attempted(environment: str, state: RunState) -> list[dict[str, Any]]:
    """Each kind of attempt with how often it was made, how often it worked, and how often that lasted."""
    tried: dict[tuple[str, str, bool], list[Attempt]] = {}
    for attempt in state.history[environment]:
        kind = (attempt.component, attempt.strategy or str(attempt.mode), attempt.mode == Mode.RECOVER)
        tried.setdefault(kind, []).append(attempt)
    return [
        {
            "component": component,
            "what": what,
            "recovery": recovery,
            "times": len(attempts),
            "worked": sum(one.ok for one in attempts),
            "lasted": sum(one.ok and one.lasted for one in attempts),
        }
        for (component, what, recovery), attempts in tried.items()
    ]


def _signatures(environment: str, roots: Sequence[Gap], state: RunState) -> set[str]:
    """The failures this report is about: those that stand, and those of this run."""
    standing = {signature(gap.component, gap.failure, gap.why) for gap in roots if gap.failure}
    had = {sign for one in state.history[environment] for sign in (one.signature, one.treated) if sign}
    return standing | had


def _lesson(one: Lesson) -> dict[str, Any]:
    names = ("signature", "strategy", "lasted", "failed", "seen")
    return {**{name: getattr(one, name) for name in names}, "rate": round(one.rate, 3)}


def _snapshot(one: Snapshot) -> dict[str, Any]:
    return {"id": one.id, "why": one.why, "at": one.at, "size": one.size, "paths": list(one.paths)}
