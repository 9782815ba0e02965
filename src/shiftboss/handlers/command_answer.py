"""How a command's exit code and output become an outcome. Pure; the output is untrusted.

A declared exit code decides. Otherwise the JSON object at the end of stdout, or a DECISION line in it, does (a word
that is not the agent's is a failure); without either, 0 means success. An exit code that nobody declared never means
success, whatever was printed.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from shiftboss.handlers.answers import outcome_of
from shiftboss.model.decision_text import read_decision
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation
from shiftboss.model.outcome import Outcome
from shiftboss.model.untrusted import ending, plain_json, sentence
from shiftboss.model.value import Value
from shiftboss.system.tool import ToolResult

_STATUS = {"done": 0, "ok": 0, "success": 0, "failed": 1, "failure": 1, "error": 1}
_CHANGES, _STDERR = 50, 1_500
_FOR_US = re.compile(r"[\W_]*(?:DECISION|(?:NOTE|FEEDBACK)_ADDRESSED)\b", re.IGNORECASE)  # says nothing to a person
_OTHER = re.compile(r"^[ \t*_#>`-]{0,12}DECISION[*_`]{0,4}[ \t]{0,8}[:=][ \t*_`\"']{0,12}(\w{1,80})", re.MULTILINE)
"""A decision in our form, whatever its word: one that the agent may not give is a failure, and no silence."""


class _Read(Value):
    word: str | None = None
    summary: str = ""
    output: str = ""
    told: Mapping[str, Any]  #: the JSON object, where there is one


def outcome_for(
    result: ToolResult, order: Delegation, words: Sequence[str], *, program: str, outcomes: Mapping[str, str]
) -> Outcome:
    """What a command that has ended says about its order."""
    read = _read(result, words)
    declared = outcomes.get(str(result.code))
    word = declared if declared and declared in words else _judged(read, result.code, words)
    stderr = ending(result.stderr, _STDERR, cut=result.truncated).strip()
    evidence = {**_evidence(read.told), "exit_code": result.code, **({"stderr": stderr} if stderr else {})}
    outcome = outcome_of(
        word,
        words,
        order,
        summary=read.summary or _ended(program, result.code, stderr, read, failed=word in words[1:2]),
        changes=_changes(read.told, program),
        evidence=evidence,
        kind=_kind(read.told),
    )
    return outcome.but(output=read.output)


def json_at_end(text: str) -> dict[str, Any]:
    """The JSON object that a text is, or that its last line is; empty when there is none."""
    whole = text.strip()
    for candidate in (whole, whole.rpartition("\n")[2].strip()):
        if candidate.startswith("{") and candidate.endswith("}"):
            try:
                found = json.loads(candidate)
            except (ValueError, RecursionError):
                continue
            return cast("dict[str, Any]", found)
    return {}


def _read(result: ToolResult, words: Sequence[str]) -> _Read:
    told = json_at_end(result.stdout)
    if told.keys() & {"decision", "status", "summary", "changes", "evidence", "output", "failure"}:
        output = told.get("output", "")
        return _Read(
            word=_told_word(told, words),
            summary=sentence(str(told.get("summary") or told.get("reasoning") or "")),
            output=ending(output if isinstance(output, str) else json.dumps(output)),
            told=told,
        )
    output = ending(result.stdout, cut=result.truncated)
    said = read_decision(output, words)
    if said is not None:
        return _Read(word=said.word, summary=sentence(said.reasoning), output=output, told={})
    other = _OTHER.findall(output)
    if other:
        why = f"it answers {sentence(other[-1], 60)!r}, which is none of {', '.join(words)}"
        return _Read(word=words[1], summary=why, output=output, told={})
    return _Read(output=output, told={})


def _told_word(told: Mapping[str, Any], words: Sequence[str]) -> str | None:
    """The word of a JSON answer; one that is not the agent's counts as failure, not as silence."""
    if "decision" in told:
        said = read_decision(f"DECISION: {str(told['decision'])[:200]}", words)
        return said.word if said else words[1]
    status = str(told.get("status", "")).lower()
    if status in _STATUS:
        return words[_STATUS[status]]
    return None if not status else (said.word if (said := read_decision(f"DECISION: {status}", words)) else words[1])


def _judged(read: _Read, code: int, words: Sequence[str]) -> str:
    if code == 0:
        return read.word or words[0]
    return read.word if read.word and read.word != words[0] else words[1]


def _ended(program: str, code: int, stderr: str, read: _Read, *, failed: bool) -> str:
    """How it went, where it gave no summary: its last line, and how it ended unless that was well."""
    printed = "" if read.told else _last_line(read.output)
    how = f"ended with code {code}" if code >= 0 else f"was ended by signal {-code}"
    if not failed:
        return printed or f"{program} {how}"
    last = _last_line(stderr) or printed
    return f"{program} {how}: {last}" if last else f"{program} {how}"


def _last_line(text: str) -> str:
    lines = (line.strip() for line in reversed(text.splitlines()))
    return next((line for line in lines if line and not _FOR_US.match(line)), "")


def _changes(told: Mapping[str, Any], program: str) -> list[str]:
    """What it says it has changed; what says nothing has at least been run."""
    listed = told.get("changes")
    if not isinstance(listed, list):
        return [f"ran {program}"]
    return [sentence(str(one)) for one in cast("list[object]", listed)[:_CHANGES]]


def _evidence(told: Mapping[str, Any]) -> dict[str, Any]:
    found = told.get("evidence")
    return cast("dict[str, Any]", plain_json(found)) if isinstance(found, dict) else {}


def _kind(told: Mapping[str, Any]) -> FailureKind:
    failure = told.get("failure")
    named = cast("dict[str, object]", failure).get("kind") if isinstance(failure, dict) else None
    return next((kind for kind in FailureKind if kind == named), FailureKind.CRASHED)
