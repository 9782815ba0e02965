"""Users' template files -> Catalogue or findings: read, shape, build, check, in that order and all at once.

Called by loader.py only where there are such files, because it brings pydantic and PyYAML with it. A file with an
error is left out of what follows, and what merely follows from its absence is not reported.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from shiftboss.model.diagnostic import Diagnostic, Severity
from shiftboss.model.pipeline import Agent, Catalogue
from shiftboss.templates.build import agent_from
from shiftboss.templates.callables import missing
from shiftboss.templates.checks import check
from shiftboss.templates.extends import build_pipelines
from shiftboss.templates.finding import DocumentPath, Finding, diagnostic, listing
from shiftboss.templates.positions import parse
from shiftboss.templates.schema import AgentForm, PipelineForm
from shiftboss.templates.shape import shape_findings
from shiftboss.templates.userfile import UserFile

SUFFIXES = (".json", ".yaml", ".yml")
SETTINGS = ".toml"  #: settings files are checked elsewhere


def read_user(paths: Sequence[Path], base: Catalogue) -> tuple[Catalogue, tuple[Diagnostic, ...]]:
    """The base with the usable files of those paths added, and every finding about them."""
    files, lost = _read_all(paths)
    findings = [*lost, *(found for file in files for found in file.findings), *_doubles(files, base)]
    usable = {(file.is_pipeline, file.id): file for file in reversed(files) if file.usable}
    broken = {file.id for file in files if not file.usable}
    agents = dict(base.agents) | _agents(usable.values())
    own = [file for file in usable.values() if file.is_pipeline]
    pipelines, extending = build_pipelines(own, agents, base.pipelines, broken)
    broken |= {file.id for file in own} - set(pipelines)
    catalogue = Catalogue(agents=agents, pipelines=dict(base.pipelines) | pipelines, warnings=base.warnings)
    findings += [*extending, *check(catalogue, broken), *_callable_findings(files, agents)]
    return catalogue, _diagnostics(findings, files)


def _read_all(paths: Sequence[Path]) -> tuple[list[UserFile], list[Finding]]:
    files: dict[Path, UserFile] = {}
    lost: list[Finding] = []
    for path in paths:
        if not path.exists():
            what = "there is no such file or folder"
            lost.append(Finding(source=str(path), what=what, remedy="Check the path."))
        elif path.is_file() and path.suffix not in (*SUFFIXES, SETTINGS):
            what = f"a template's name ends in {listing(SUFFIXES)}"
            lost.append(Finding(source=str(path), what=what, remedy="Name it so, or leave it out."))
        for file in template_files(path):
            files.setdefault(file.resolve(), _read(file))
    return list(files.values()), lost


def template_files(path: Path) -> Iterator[Path]:
    """The template files a path stands for: itself, or a folder's own and those in its agents and pipelines."""
    if not path.is_dir():
        yield from [path] if path.exists() and path.suffix in SUFFIXES else []
        return
    for folder in (path / "agents", path, path / "pipelines"):
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        yield from (file for file in files if file.suffix in SUFFIXES and (file.is_file() or file.is_symlink()))


def _read(path: Path) -> UserFile:
    parsed = parse(path)
    source = str(path)
    if parsed.data is None and parsed.findings:
        return UserFile(source=source, positions=parsed.positions, findings=parsed.findings)
    data: Mapping[str, Any] = cast("Mapping[str, Any]", parsed.data) if isinstance(parsed.data, dict) else {}
    form = PipelineForm if "stages" in data else AgentForm
    shape = shape_findings(form, cast("object", parsed.data), source)
    findings = (*parsed.findings, *shape, *_both_flows(data, source))
    return UserFile(source=source, data=data, positions=parsed.positions, findings=findings)


def _both_flows(data: Mapping[str, Any], source: str) -> Iterator[Finding]:
    flow: Any = data.get("flow")
    if data.get("connections") and isinstance(flow, dict) and flow.get("connections"):  # pyright: ignore[reportUnknownMemberType] (any JSON)
        yield Finding(
            source=source,
            at=("connections",),
            what="connections are written at the top level and under 'flow'; only those under 'flow' count",
            remedy="Keep one of the two lists.",
            severity=Severity.WARNING,
        )


def _agents(files: Iterable[UserFile]) -> dict[str, Agent]:
    agents = [agent_from(file.data, file.source) for file in files if not file.is_pipeline]
    return {agent.id: agent for agent in sorted(agents, key=lambda agent: agent.id)}


def _doubles(files: Sequence[UserFile], base: Catalogue) -> Iterator[Finding]:
    first: dict[tuple[bool, str], str] = {}
    for file in [file for file in files if file.data.get("id")]:
        key = (file.is_pipeline, file.id)
        kind = "pipeline" if file.is_pipeline else "agent"
        shipped = (base.pipelines if file.is_pipeline else base.agents).get(file.id)
        if key in first:
            what = f"the {kind} '{file.id}' is already in {first[key]}"
            yield Finding(source=file.source, at=("id",), what=what, remedy="Give each an id of its own.")
        elif shipped is not None and Path(shipped.source).resolve() != Path(file.source).resolve():
            yield Finding(
                source=file.source,
                at=("id",),
                what=f"the {kind} '{file.id}' replaces the one of {shipped.source}",
                remedy="Give it an id of its own if that is not meant.",
                severity=Severity.WARNING,
            )
        first.setdefault(key, file.source)


def _callable_findings(files: Sequence[UserFile], agents: Mapping[str, Agent]) -> Iterator[Finding]:
    own = {file.source for file in files}
    for agent in agents.values():
        if agent.source in own:
            yield from (found for at, target in _targets(agent) for found in _absent(agent, at, target))


def _targets(agent: Agent) -> Iterator[tuple[DocumentPath, str]]:
    if agent.handler is not None and not agent.is_hub:
        yield ("handler",), agent.handler
    for index, spec in enumerate(agent.components):
        yield ("components", index, "probe"), spec.probe


def _absent(agent: Agent, at: DocumentPath, target: str) -> Iterator[Finding]:
    what = missing(target)
    if what is not None:
        yield Finding(
            source=agent.source,
            at=at,
            what=f"{at[-1]} of agent '{agent.id}': {what}",
            remedy="Write module:function of something installed, or ./file.py:function beside this file.",
        )


def _diagnostics(findings: Iterable[Finding], files: Sequence[UserFile]) -> tuple[Diagnostic, ...]:
    by_source = {file.source: file for file in files}
    seen = [_located(finding, by_source.get(finding.source)) for finding in findings]
    return tuple(sorted(dict.fromkeys(seen), key=lambda found: (found.place, found.line or 0)))


def _located(finding: Finding, file: UserFile | None) -> Diagnostic:
    if file is None:
        return diagnostic(finding, None)
    at = finding.at
    flow: Any = file.data.get("flow")
    if at[:1] == ("connections",) and isinstance(flow, dict) and flow.get("connections"):  # pyright: ignore[reportUnknownMemberType] (any JSON)
        finding = replace(finding, at=("flow", *at))
    return diagnostic(finding, file.positions.line(finding.at))
