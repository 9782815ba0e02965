"""The report of an escalation as files that can be passed on: JSON, text, and one HTML page that needs nothing else.

Called by verbs_run.py when a run ended with a report; everything in it is untrusted text.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from shiftboss.app import Session
from shiftboss.engine import report as engine_report
from shiftboss.frontends.plain import WIDTH, write
from shiftboss.frontends.text import clean, clean_block, wrap
from shiftboss.system.files import ensure_private_folder, write_atomic

Report = Mapping[str, Any]
Files = dict[str, dict[str, str]]

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


def write_reports(session: Session, run: str, reports: Mapping[str, Report]) -> Files:
    """Write each environment's report under WORKDIR/reports; environment -> form -> path. Empty where it can't be."""
    folder = session.home / "reports"
    written: Files = {}
    try:
        ensure_private_folder(folder)
        for environment, report in reports.items():
            forms = {
                "json": json.dumps(report, indent=1, default=str) + "\n",
                "txt": "".join(f"{line}\n" for line in text_lines(report)),
                "html": as_html(run, report),
            }
            written[environment] = {}
            for suffix, content in forms.items():
                path = folder / f"{run}-{environment}.{suffix}"
                write_atomic(path, content)
                written[environment][suffix] = str(path)
    except OSError:  # a full disk must not take the report from the screen as well
        return {}
    return written


def print_reports(reports: Mapping[str, Report], files: Mapping[str, Mapping[str, str]]) -> None:
    """The reports as text, and where their files are."""
    for environment, report in reports.items():
        write(["", *text_lines(report)])
        where = files.get(environment, {})
        lines = [f"  {path}" for path in where.values()] or ["  nowhere: the working directory can't be written"]
        write(["", "This report is kept in:", *lines])


def text_lines(report: Report) -> Iterator[str]:
    """The report in the DECISION / REASONING form; the prose is wrapped, logs and commands stay whole for copying."""
    prose = True
    for line in clean_block(engine_report.as_text(report)).splitlines():
        prose = prose and not line.startswith("DIAGNOSTIC DETAILS")
        indent = len(line) - len(line.lstrip())
        if prose and line.strip():
            yield from (" " * indent + part for part in wrap(line, WIDTH - indent, hang=3 if line[0].isdigit() else 0))
        else:
            yield line


def as_html(run: str, report: Report) -> str:
    """One page that needs nothing else; everything in it is escaped."""
    title = f"Shiftboss needs a human: {report.get('environment', '')}"
    body = [
        f"<h1>{_text(title)}</h1>",
        f"<p>{_text(report.get('why', ''))}</p>",
        _list("Reasons", report.get("reasons", ()), tag="ol"),
        _list("Waiting for them", report.get("waiting", ())),
        _suggestions(report.get("suggestions", ())),
        _attempts(report.get("attempted", ())),
        _list("Messages", report.get("messages", ())),
        *(_log(name, lines) for name, lines in report.get("log_tails", {}).items()),
        _pairs("Versions", report.get("versions", {})),
        _pairs("Paths", {"run": run, **report.get("paths", {})}),
    ]
    return _PAGE.format(title=_text(title), body="\n".join(part for part in body if part))


def _text(value: object) -> str:
    return escape(clean(value))


def _list(title: str, items: Any, tag: str = "ul") -> str:
    rows = "".join(f"<li>{_text(item)}</li>" for item in items)
    return f"<h2>{title}</h2><{tag}>{rows}</{tag}>" if rows else ""


def _suggestions(items: Any) -> str:
    rows = "".join(
        f'<tr><td class="{_text(one["effect"])}">{_text(one["effect"])}</td>'
        f"<td><code>{_text(one['command'])}</code></td></tr>"
        for one in items
    )
    return f"<h2>What to try by hand</h2><table>{rows}</table>" if rows else ""


def _attempts(items: Any) -> str:
    rows = "".join(
        f"<tr><td>{_text(one['component'])}</td><td>{_text(one['what'])}</td>"
        f"<td>{_text(one['times'])} times, worked {_text(one['worked'])}</td></tr>"
        for one in items
    )
    return f"<h2>What was tried</h2><table>{rows}</table>" if rows else ""


def _log(name: str, lines: Any) -> str:
    text = "\n".join(_text(line) for line in lines)
    return f"<h2>Log of {_text(name)}</h2><pre>{text}</pre>" if text else ""


def _pairs(title: str, pairs: Mapping[str, Any]) -> str:
    rows = "".join(f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in pairs.items())
    return f"<h2>{title}</h2><table>{rows}</table>" if rows else ""
