"""The report of an escalation as files that can be passed on: JSON, text, and one HTML page.

Called by verbs_run.py when a run ended with a report; everything in it is untrusted text.
"""

import json
from collections.abc import Mapping

from shiftboss.app import Session
from shiftboss.frontends.documents import report_document
from shiftboss.frontends.plain import write
from shiftboss.frontends.report_html import as_html
from shiftboss.frontends.report_text import Report, text_lines
from shiftboss.system.files import ensure_private_folder, write_atomic

Files = dict[str, dict[str, str]]


def write_reports(session: Session, run: str, reports: Mapping[str, Report]) -> Files:
    """Write each environment's report under WORKDIR/reports; environment -> form -> path. Empty where it can't be."""
    folder = session.home / "reports"
    written: Files = {}
    try:
        ensure_private_folder(folder)
        for environment, report in reports.items():
            forms = {
                "json": json.dumps(report_document(report), indent=1, default=str) + "\n",
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
