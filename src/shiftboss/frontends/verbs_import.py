"""import: agents and pipelines of the original design, in any of its dialects, written in our own format."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shiftboss.frontends.arguments import Call
from shiftboss.frontends.failures import as_text, plain, print_document
from shiftboss.frontends.plain import table_lines, write
from shiftboss.frontends.tables import Table
from shiftboss.frontends.text import clean, wrap
from shiftboss.frontends.verbs_files import shipped
from shiftboss.model.diagnostic import Severity
from shiftboss.model.run import EXIT_USAGE
from shiftboss.templates.importing import UNUSED, Imported, counts, import_folder


def import_(call: Call) -> int:
    """Take a folder over; every finding is told, and what could not be written is named."""
    to: str | None = call.more["to"]
    done = import_folder(Path(call.more["folder"]), Path(to) if to else None, shipped())
    code = 0 if done.complete else EXIT_USAGE
    if call.json:
        print_document(_document(done, code))
        return code
    for _, found in done.found:
        sys.stderr.write(as_text(found))
    if not call.quiet or code:
        write(_summary(done))
    return code


def _summary(done: Imported) -> Iterator[str]:
    rows = [(topic, str(number)) for topic, number in counts(done.found).items()]
    if rows:
        yield from table_lines(Table(title="Findings", rows=rows))
    refused = [(clean(source), why) for source, why in done.refused.items()]
    left_out = [(clean(source), "shiftboss has it itself") for source in done.left_out]
    for title, rows in (("Not written", refused), ("Left out", left_out)):
        if rows:
            yield from table_lines(Table(title=title, rows=rows))
    folders = [path.parent.name for path in (*done.written, *done.unchanged)]
    said = ", ".join(f"{folders.count(name)} in {name}" for name in ("agents", "pipelines", UNUSED) if name in folders)
    news = f"{len(done.written)} new" if done.written else "nothing new"
    yield from wrap(f"{said or 'Nothing'} of {clean(done.folder)}, {news}.", 80)
    if UNUSED in folders:
        yield from wrap(f"No pipeline sends for the agents in {UNUSED}; nothing is loaded from there.", 80)
    if said and not done.refused:
        yield from wrap(f"Use it with --set templates.folders={clean(done.folder)}", 80)


def _document(done: Imported, code: int) -> dict[str, Any]:
    return {
        "folder": str(done.folder),
        "written": [str(path) for path in done.written],
        "unchanged": [str(path) for path in done.unchanged],
        "left_out": list(done.left_out),
        "not_written": dict(done.refused),
        "counts": dict(counts(done.found)),
        "diagnostics": [{**plain(found), "kind": topic} for topic, found in done.found],
        "errors": sum(found.severity is Severity.ERROR for _, found in done.found),
        "exit_code": code,
    }
