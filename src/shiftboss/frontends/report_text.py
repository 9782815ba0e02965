"""The report of an escalation as text: what is wrong and what to do first, then the DECISION / REASONING form.

Prose is wrapped to 80 columns, commands stay whole for copying, nothing is cut. Everything in a report is untrusted:
each line is redacted and cleaned once more here. Used by report_files.py and `show`; prints nothing.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shiftboss.frontends.plain import WIDTH
from shiftboss.frontends.text import clean, facts_text, wrap
from shiftboss.model.redact import redact
from shiftboss.system.clock import utc_text

Report = Mapping[str, Any]
_MEGABYTE = 1_000_000
_PATHS = 3
"""Of what lies aside so many paths are named; the JSON form has them all."""


def text_lines(report: Report) -> Iterator[str]:
    """The whole report, line by line."""
    for line in _lines(report):
        yield redact(clean(line))


def _lines(report: Report) -> Iterator[str]:
    consent = bool(report.get("approvals"))
    needs = "waits for your consent" if consent else "needs a human"
    yield from _wrapped(f"{report['environment']} {needs}: {report.get('headline') or report['why']}", hang=2)
    yield f"First: {first_command(report)}"
    yield from ("", "DECISION: escalate", "", "REASONING:")
    yield from _wrapped(f"{report['environment']}: {report['why']}")
    yield ""
    yield from _numbered(report["reasons"])
    for line in report["waiting"]:
        yield from _wrapped(line, indent=3)
    yield from _questions(report)
    yield from ("", "DIAGNOSTIC DETAILS:")
    yield from _seen(report)
    yield from _tried(report)
    yield from ("", "SUGGESTED MANUAL ACTIONS:")
    yield from _actions(report)


def _wrapped(text: object, *, indent: int = 0, hang: int = 0) -> Iterator[str]:
    yield from (" " * indent + line for line in wrap(text, WIDTH - indent, hang))


def _item(text: object) -> Iterator[str]:
    yield from _wrapped(f"- {text}", hang=2)


def _numbered(texts: Sequence[str]) -> Iterator[str]:
    for number, text in enumerate(texts, 1):
        yield from _wrapped(f"{number}. {text}", hang=3)


# -- commands ----------------------------------------------------------------------------------------------------


def command(report: Report, verb: str, *words: str) -> str:
    """A command line about this run's working directory, ready to be copied."""
    home = report.get("paths", {}).get("working directory")
    return shlex.join(["shiftboss", verb, *words, *(["--workdir", str(home)] if home else [])])


def first_command(report: Report) -> str:
    """What to do before anything else: answer what is asked, or the first look that hurts nothing."""
    for asked in report.get("approvals", ()):
        return answer_commands(report, asked)["approve"]
    safe = (one["command"] for one in report["suggestions"] if one["effect"] == "safe")
    return next(safe, command(report, "explain", *_run(report)))


def answer_commands(report: Report, asked: Mapping[str, Any]) -> dict[str, str]:
    """The command lines that answer one question."""
    words = (*_run(report), str(asked["act"]))
    return {"approve": command(report, "approve", *words), "deny": command(report, "deny", *words)}


def resume_command(report: Report) -> str:
    """How the run goes on when something was mended or answered."""
    return command(report, "resume", *_run(report))


def restore_command(report: Report, snapshot: Mapping[str, Any]) -> str:
    """How data that lies aside comes back."""
    return command(report, "restore", str(snapshot["id"]))


def _run(report: Report) -> tuple[str, ...]:
    return (str(report["run"]),) if report.get("run") else ()


# -- parts -------------------------------------------------------------------------------------------------------


def _questions(report: Report) -> Iterator[str]:
    asked = report.get("approvals", ())
    if asked:
        yield from ("", "WAITING FOR YOUR CONSENT:")
    for number, one in enumerate(asked, 1):
        yield from _wrapped(f"{number}. [{one['risk']}] {one['component']}: {one['what']}. Why: {one['why']}", hang=3)
        commands = answer_commands(report, one)
        yield f"   allow:  {commands['approve']}"
        yield f"   forbid: {commands['deny']}"
    if asked:
        yield f"   then:   {resume_command(report)}"


def _seen(report: Report) -> Iterator[str]:
    for name, value in {"run": report.get("run"), **report["versions"], **_models(report), **report["paths"]}.items():
        if value:
            yield from _item(f"{name}: {value}")
    for name, seen in report.get("seen", {}).items():
        told = f" [{facts_text(seen['evidence'])}]" if seen["evidence"] else ""
        yield from _item(f"{name} was seen {seen['health']}: {seen['summary']}{told}")
    for text in report["messages"]:
        yield from _item(f"message: {text}")
    for name, tail in report["log_tails"].items():
        yield from _item(f"end of the log of {name}:")
        for line in tail:
            yield from _wrapped(line, indent=4, hang=2)


def _models(report: Mapping[str, Any]) -> dict[str, str]:
    """The models that were asked, where there were any."""
    return {f"model {name}": said for name, said in report.get("models", {}).items()}


def _tried(report: Report) -> Iterator[str]:
    for line in (*attempt_lines(report), *memory_lines(report)):
        yield from _item(line)
    for one in report.get("aside", ()):
        yield from _item(aside_text(one))
        yield f"    {restore_command(report, one)}"


def _how_it_went(one: Report) -> str:
    fell = one["worked"] - one["lasted"]
    return f"{one['worked']} worked" + (f", {fell} did not last" if fell else "")


def attempt_lines(report: Report) -> list[str]:
    """What was attempted, how often it worked, and how often that is known not to have lasted."""
    recoveries = [
        f"{one['what']} of {one['component']} ({one['times']}x, {_how_it_went(one)})"
        for one in report["attempted"]
        if one.get("recovery")
    ]
    others = [
        f"{one['component']} {one['what']} ({one['times']}x, {one['worked']} worked)"
        for one in report["attempted"]
        if not one.get("recovery")
    ]
    lines = [f"Attempted recoveries: {', '.join(recoveries) or 'none'}"]
    return [*lines, *([f"Attempted besides: {', '.join(others)}"] if others else [])]


def memory_lines(report: Report) -> list[str]:
    """What earlier runs taught about these failures."""
    return [
        f"memory: {one['strategy']} lasted {one['lasted']} of {one['lasted'] + one['failed']} times against "
        f"{one['signature']}"
        for one in report.get("memory", ())
    ]


def remedy_lines(report: Report) -> list[str]:
    """What people did when these failures went away."""
    return [
        f"The last time {one['component']} failed like this, a person mended it ({utc_text(one['at'])}): {one['what']}"
        for one in report.get("remedies", ())
    ]


def aside_text(one: Mapping[str, Any]) -> str:
    """What lies aside: which data, why, how much."""
    more = f" and {len(one['paths']) - _PATHS} more" if len(one["paths"]) > _PATHS else ""
    what = ", ".join(one["paths"][:_PATHS]) + more
    return f"kept aside: {one['id']} ({one['why']}; {what}; {one['size'] / _MEGABYTE:.1f} MB); to bring it back:"


def _actions(report: Report) -> Iterator[str]:
    for line in remedy_lines(report):
        yield from _wrapped(line, hang=2)
    number = 0
    for number, one in enumerate(report["suggestions"], 1):
        yield f"{number}. [{one['effect']}] {one['command']}"
    yield f"{number + 1}. [safe] {command(report, 'explain', *_run(report))}"
    yield f"When it is mended: {resume_command(report)}"
