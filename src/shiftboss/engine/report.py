"""What a human is told when one is needed: reasons, evidence, what was tried, what to try by hand. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from shiftboss.engine.state import RunState
from shiftboss.model.gap import Gap
from shiftboss.model.redact import redact
from shiftboss.model.value import Value


class Surroundings(Value):
    """What only the machine can tell: gathered by the caller."""

    versions: Mapping[str, str]
    paths: Mapping[str, str]
    log_tails: Mapping[str, Sequence[str]]  #: component -> last lines
    suggestions: Sequence[tuple[str, str]]  #: (command, safe or destructive)


def build(environment: str, why: str, state: RunState, gaps: Mapping[str, Gap], around: Surroundings) -> dict[str, Any]:
    """The report of one environment as plain values."""
    own = [gap for gap in gaps.values() if gap.environment == environment]
    roots = [gap for gap in own if not gap.blocked_by]
    return {
        "environment": environment,
        "why": redact(why),
        "reasons": [redact(line) for line in _reasons(roots, state)],
        "waiting": [f"{gap.component} waits for {', '.join(gap.blocked_by)}" for gap in own if gap.blocked_by],
        "versions": dict(around.versions),
        "paths": dict(around.paths),
        "messages": [redact(text) for text in _messages(environment, state)],
        "log_tails": {name: [redact(line) for line in lines] for name, lines in around.log_tails.items()},
        "attempted": _attempted(environment, state),
        "suggestions": [{"command": command, "effect": effect} for command, effect in around.suggestions],
    }


def _reasons(roots: Sequence[Gap], state: RunState) -> list[str]:
    lines: list[str] = []
    for gap in roots:
        failed = [attempt for attempt in state.ledger[gap.key] if not attempt.ok]
        lines.append(f"{gap.component} is {gap.kind}: {gap.why}")
        for message, count in Counter(attempt.message for attempt in failed).items():
            times = f" ({count} times)" if count > 1 else ""
            lines.append(f"{gap.component} failed{times}: {message}")
    return lines


def _messages(environment: str, state: RunState) -> list[str]:
    found = [attempt.message for attempt in state.history[environment] if not attempt.ok and attempt.message]
    return list(dict.fromkeys(found))


def _attempted(environment: str, state: RunState) -> list[dict[str, Any]]:
    """Each kind of attempt with how often it was made and how often it worked."""
    tried: Counter[tuple[str, str]] = Counter()
    worked: Counter[tuple[str, str]] = Counter()
    for attempt in state.history[environment]:
        kind = (attempt.component, attempt.strategy or str(attempt.mode))
        tried[kind] += 1
        worked[kind] += attempt.ok
    return [{"component": c, "what": what, "times": n, "worked": worked[c, what]} for (c, what), n in tried.items()]


def _tried(one: Mapping[str, Any]) -> str:
    return f"{one['component']} {one['what']} ({one['times']}x, worked {one['worked']}x)"


def as_text(report: Mapping[str, Any]) -> str:
    """The report in the DECISION / REASONING form, for a terminal."""
    lines = ["DECISION: escalate", "", "REASONING:", f"{report['environment']}: {report['why']}", ""]
    lines += [f"{number}. {reason}" for number, reason in enumerate(report["reasons"], 1)]
    lines += [f"   {line}" for line in report["waiting"]]
    lines += ["", "DIAGNOSTIC DETAILS:"]
    lines += [f"- {name}: {value}" for name, value in report["versions"].items()]
    lines += [f"- {name}: {value}" for name, value in report["paths"].items()]
    lines += [f"- message: {text}" for text in report["messages"]]
    for name, tail in report["log_tails"].items():
        lines += [f"- {name}: {line}" for line in tail]
    tried = [_tried(one) for one in report["attempted"]]
    lines.append(f"- attempted: {', '.join(tried) or 'nothing'}")
    lines += ["", "SUGGESTED MANUAL ACTIONS:"]
    actions = [f"{number}. [{one['effect']}] {one['command']}" for number, one in enumerate(report["suggestions"], 1)]
    return "\n".join(lines + (actions or ["1. shiftboss explain: every decision with its evidence"]))
