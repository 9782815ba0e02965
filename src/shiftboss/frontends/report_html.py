"""The report of an escalation as one HTML page that needs nothing else. Pure; everything in it is escaped.

Called by report_files.py; the sentences and commands are those of report_text.py.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from shiftboss.frontends import report_text
from shiftboss.frontends.report_text import Report
from shiftboss.frontends.text import clean, facts_text
from shiftboss.model.redact import redact

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }}
pre {{ background: #f4f4f4; padding: .6em; overflow-x: auto; }}
td, th {{ text-align: left; padding: .2em 1em .2em 0; vertical-align: top; }}
.destructive {{ color: #b00020; font-weight: bold; }}
</style></head><body>
{body}
</body></html>
"""


def as_html(run: str, report: Report) -> str:
    """The page."""
    needs = "waits for consent" if report.get("approvals") else "needs a human"
    title = f"Shiftboss {needs}: {report.get('environment', '')}"
    body = [
        f"<h1>{_text(title)}</h1>",
        f"<p><strong>{_text(report.get('headline') or report.get('why', ''))}</strong></p>",
        f"<p>First: {_code(report_text.first_command(report))}</p>",
        f"<p>{_text(report.get('why', ''))}</p>",
        _list("Reasons", report.get("reasons", ()), tag="ol"),
        _list("Waiting for them", report.get("waiting", ())),
        _questions(report),
        _suggestions(report),
        _attempts(report.get("attempted", ())),
        _list("What memory knows", report_text.memory_lines(report)),
        _aside(report),
        _pairs("What was seen", {name: _seen(one) for name, one in report.get("seen", {}).items()}),
        _list("Messages", report.get("messages", ())),
        *(_log(name, lines) for name, lines in report.get("log_tails", {}).items()),
        _pairs("Versions", report.get("versions", {})),
        _pairs("Models", report.get("models", {})),
        _pairs("Paths", {"run": run, **report.get("paths", {})}),
    ]
    return _PAGE.format(title=_text(title), body="\n".join(part for part in body if part))


def _text(value: object) -> str:
    return escape(redact(clean(value)))


def _code(value: object) -> str:
    return f"<code>{_text(value)}</code>"


def _list(title: str, items: Iterable[object], tag: str = "ul") -> str:
    rows = "".join(f"<li>{_text(item)}</li>" for item in items)
    return f"<h2>{title}</h2><{tag}>{rows}</{tag}>" if rows else ""


def _table(title: str, rows: Iterable[str]) -> str:
    held = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<h2>{title}</h2><table>{held}</table>" if held else ""


def _questions(report: Report) -> str:
    rows: list[str] = []
    for one in report.get("approvals", ()):
        commands = report_text.answer_commands(report, one)
        rows.append(
            f"<td>{_text(one['risk'])}</td><td>{_text(one['component'])}: {_text(one['what'])}<br>{_text(one['why'])}"
            f"<br>allow: {_code(commands['approve'])}<br>forbid: {_code(commands['deny'])}"
            f"<br>then: {_code(report_text.resume_command(report))}</td>"
        )
    return _table("Waiting for your consent", rows)


def _suggestions(report: Report) -> str:
    rows = [
        f'<td class="{_text(one["effect"])}">{_text(one["effect"])}</td><td>{_code(one["command"])}</td>'
        for one in report.get("suggestions", ())
    ]
    after = f"<p>When it is mended: {_code(report_text.resume_command(report))}</p>"
    return _list("What helped before", report_text.remedy_lines(report)) + _table("What to try by hand", rows) + after


def _attempts(items: Iterable[Mapping[str, Any]]) -> str:
    return _table(
        "What was tried",
        (
            f"<td>{_text(one['component'])}</td><td>{_text(one['what'])}</td>"
            f"<td>{_text(one['times'])} times, worked {_text(one['worked'])}"
            f"{', lasted ' + _text(one['lasted']) if one.get('recovery') else ''}</td>"
            for one in items
        ),
    )


def _aside(report: Report) -> str:
    return _table(
        "What lies aside",
        (
            f"<td>{_text(report_text.aside_text(one))} {_code(report_text.restore_command(report, one))}</td>"
            for one in report.get("aside", ())
        ),
    )


def _seen(one: Mapping[str, Any]) -> str:
    facts = f" [{facts_text(one['evidence'])}]" if one["evidence"] else ""
    return f"{one['health']}: {one['summary']}{facts}"


def _log(name: str, lines: Iterable[object]) -> str:
    text = "\n".join(_text(line) for line in lines)
    return f"<h2>Log of {_text(name)}</h2><pre>{text}</pre>" if text else ""


def _pairs(title: str, pairs: Mapping[str, Any]) -> str:
    return _table(title, (f"<th>{_text(name)}</th><td>{_text(value)}</td>" for name, value in pairs.items()))
