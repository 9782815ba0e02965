"""The documents that `--json` prints, made from views and values; no printing here."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from shiftboss.model.events import Decided, Observed
from shiftboss.model.observation import Observation
from shiftboss.model.redact import redact_all
from shiftboss.view import DelegationView, RunView

Document = dict[str, Any]
Named = Mapping[str, Mapping[str, Any]]


def run_document(view: RunView, endpoints: Named | None = None, proof: Named | None = None) -> Document:
    """A run: how it ended, what was done, what is there now."""
    document: Document = {
        "run": view.run,
        "pipeline": view.start.pipeline if view.start else "",
        "brain": view.start.brain if view.start else "",
        "goal": view.start.goal if view.start else {},
        "command": view.start.command if view.start else "",
        "started": view.started,
        "ending": str(view.ending) if view.ending else None,
        "exit_code": view.exit_code,
        "environments": _environments(view),
        "seconds": view.ended.seconds if view.ended else None,
        "turns": view.ended.turns if view.ended else len(view.decisions),
        "mutations": view.mutations,
        "delegations": [_delegation(one) for one in view.delegations.values()],
        "components": {key: _observed(seen) for key, seen in view.components.items()},
        "decisions": [_decision(one) for one in view.decisions],
        "not_admitted": [vars(one) for one in view.refused],
        "asked": [vars(one) for one in view.asked.values()],
        "answers": view.answers,
        "learned": [vars(one) for one in view.learned],
        "mended_by_hand": [vars(one) for one in view.mended],
        "warnings": view.warnings,
        "notes": view.notes,
        "addressed": view.addressed,
        "consulted": [vars(one) for one in view.consulted],
        "tools": [vars(one) for one in view.tools],
    }
    if endpoints is not None:
        document["endpoints"] = {name: dict(one) for name, one in endpoints.items()}
    if proof is not None:
        document["proof"] = {name: dict(one) for name, one in proof.items()}
    reports = {name: report_document(one.report) for name, one in view.endings.items() if one.report}
    if reports:
        document["report"] = reports
    return document


def _environments(view: RunView) -> Document:
    """Each environment with its profile and, once it has one, its ending."""
    if view.start is None:
        return {}
    ended = {name: str(one.ending) for name, one in view.endings.items()}
    profiles = view.start.profiles
    return {name: {"profile": profiles.get(name, name), "ending": ended.get(name)} for name in view.start.environments}


def report_document(report: Mapping[str, Any]) -> Document:
    """A report as plain values, redacted once more; each question with the commands that answer it."""
    document = cast("Document", redact_all(dict(report)))
    asked = document.get("approvals", [])
    if asked:
        from shiftboss.frontends.report_text import answer_commands, resume_command

        document["approvals"] = [{**one, "commands": answer_commands(report, one)} for one in asked]
        document["resume"] = resume_command(report)
    return document


def status_document(seen: Sequence[Observation], endpoints: Named) -> Document:
    """What is there now, in the form of a run's document."""
    return {
        "health": worst_health([str(one.health) for one in seen]),
        "components": {one.key: _seen(one) for one in seen},
        "endpoints": {name: dict(one) for name, one in endpoints.items()},
    }


_WORST_FIRST = ("broken", "unknown", "absent", "starting", "ready")


def worst_health(healths: Sequence[str]) -> str:
    """The health of the whole stack."""
    return min(healths, key=_WORST_FIRST.index, default="ready")


def _delegation(one: DelegationView) -> Document:
    names = ("id", "agent", "component", "environment", "keyword", "mode", "strategy", "attempt")
    later = ("outcome", "ok", "summary", "started", "seconds", "changes", "failure", "output")
    return {name: getattr(one, name) for name in (*names, *later)}


def _observed(seen: Observed) -> Document:
    names = ("health", "summary", "evidence", "failure", "instance", "measures")
    return {name: getattr(seen, name) for name in names}


def _seen(seen: Observation) -> Document:
    return {
        "health": str(seen.health),
        "summary": seen.summary,
        "evidence": dict(seen.evidence),
        "failure": str(seen.failure) if seen.failure else None,
        "instance": seen.instance,
        "measures": dict(seen.measures),
    }


def _decision(one: Decided) -> Document:
    return {
        "turn": one.turn,
        "source": one.source,
        "keywords": one.keywords,
        "moves": one.moves,
        "reasoning": one.reasoning,
    }
