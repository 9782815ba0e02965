"""validate, agents, pipelines: what is written in templates and settings."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from shiftboss.app import Session
from shiftboss.errors import BadInput
from shiftboss.frontends.arguments import Call
from shiftboss.frontends.failures import as_text, plain, print_document
from shiftboss.frontends.plain import table_lines, write
from shiftboss.frontends.session import session_of
from shiftboss.frontends.tables import Table
from shiftboss.frontends.text import clean, wrap
from shiftboss.model.diagnostic import Diagnostic, Severity
from shiftboss.model.pipeline import Agent, Catalogue, Pipeline
from shiftboss.model.run import EXIT_USAGE
from shiftboss.settings import FILE_NAME, load_settings
from shiftboss.templates.loader import load_shipped
from shiftboss.templates.loader import validate as check_templates


def validate(call: Call) -> int:
    """All findings about the named files, or about everything that a run here would read."""
    files = [Path(name) for name in call.more["files"]]
    found = list(_check_files(files) if files else _check_all(call))
    errors = sum(one.severity is Severity.ERROR for one in found)
    code = EXIT_USAGE if errors else 0
    if call.json:
        print_document({"diagnostics": [plain(one) for one in found], "errors": errors, "exit_code": code})
        return code
    for one in found:
        sys.stderr.write(as_text(one))
    if not call.quiet or errors:
        warnings = len(found) - errors
        write([f"{errors or 'No'} {_plural('error', errors)}, {warnings or 'no'} {_plural('warning', warnings)}."])
    return code


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _check_files(files: Sequence[Path]) -> Iterator[Diagnostic]:
    settings = [path for path in files if path.name == FILE_NAME]
    for path in settings:
        yield from _check_settings(path.absolute().parent, cwd=path.absolute().parent)
    for path in files:
        if path.suffix == ".toml" and path not in settings:
            yield Diagnostic(
                place=str(path), what="settings are not read from a file of this name", remedy=f"Call it {FILE_NAME}."
            )
    templates = [path for path in files if path.suffix != ".toml"]
    if templates:
        yield from check_templates(templates, shipped())


def _check_settings(folder: Path, *, cwd: Path) -> Sequence[Diagnostic]:
    try:
        load_settings(folder, environ={"HOME": os.environ.get("HOME", "/")}, cwd=cwd)
    except BadInput as error:
        return error.diagnostics
    return ()


def _check_all(call: Call) -> Iterator[Diagnostic]:
    """The shipped pack, the settings, and the user's own templates."""
    folder = _pack_folder()
    yield from check_templates([folder / "agents", folder / "pipelines"], Catalogue(agents={}, pipelines={}))
    try:
        settings = load_settings(call.workdir.absolute(), sets=call.sets, environ=dict(os.environ), cwd=Path.cwd())
    except BadInput as error:
        yield from error.diagnostics
        return
    if settings.templates.folders:
        yield from check_templates(settings.templates.folders, shipped())


def _pack_folder() -> Path:
    from shiftboss.packs.mining.pack import PACK

    return PACK.folder


def shipped() -> Catalogue:
    """The agents and pipelines of the shipped pack."""
    return load_shipped(_pack_folder())


def agents(call: Call) -> int:
    """The agents of the catalogue, and what each looks after."""
    session = session_of(call)
    found = list(session.catalogue.agents.values())
    if call.json:
        print_document([_agent(one) for one in found])
        return 0
    for one in found:
        write([clean(one.id), *_indented(one.role), *_indented(_looks_after(one)), ""])
    return 0


def _agent(one: Agent) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "role": one.role,
        "decisions": list(one.decisions),
        "delegation": one.delegation,
        "handler": one.handler,
        "components": [spec.name for spec in one.components],
        "source": one.source,
    }


def _looks_after(one: Agent) -> str:
    names = ", ".join(spec.name for spec in one.components)
    said = f"answers {', '.join(one.decisions)}"
    return f"looks after {names}; {said}" if names else said


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in wrap(text, 78)] if text else []


def pipelines(call: Call) -> int:
    """The pipelines of the catalogue and their stages."""
    session = session_of(call)
    found = list(session.catalogue.pipelines.values())
    if call.json:
        print_document([_pipeline(one) for one in found])
        return 0
    for one in found:
        write(_pipeline_lines(one, session))
    return 0


def _pipeline_lines(one: Pipeline, session: Session) -> Iterator[str]:
    default = " (default)" if one.id == session.pack.default_pipeline else ""
    yield f"{clean(one.id)}{default}: {one.kind}, {len(one.stages)} stages, {len(one.connections)} connections"
    yield from _indented(one.description)
    yield from _indented(f"{clean(one.deprecation)}." if one.deprecation else "")
    rows = [(clean(stage.id), clean(stage.agent)) for stage in one.stages]
    yield from list(table_lines(Table(title="", rows=rows)))[1:]
    yield ""


def _pipeline(one: Pipeline) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "kind": str(one.kind),
        "start": one.start,
        "stages": [{"id": s.id, "agent": s.agent, "decisions": list(s.decisions)} for s in one.stages],
        "connections": [{"from": c.source, "to": c.target, "condition": c.condition} for c in one.connections],
        "deprecation": one.deprecation or None,
        "replaced_by": one.replaced_by,
        "source": one.source,
    }
