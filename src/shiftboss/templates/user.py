"""Users' template files -> Catalogue or findings: read, shape, build, check, in that order and all at once.

Called by loader.py only where there are such files, because it brings pydantic and PyYAML with it. A file with an
error is left out of what follows, and what merely follows from its absence is not reported.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from shiftboss.model.diagnostic import Diagnostic, Severity
from shiftboss.model.pipeline import KINDS, Agent, Catalogue, Pipeline
from shiftboss.model.value import Value
from shiftboss.templates.build_agent import agent_from
from shiftboss.templates.callables import missing
from shiftboss.templates.check_agents import program_findings
from shiftboss.templates.checks import check
from shiftboss.templates.dialects import original, settle, translate
from shiftboss.templates.extends import build_pipelines, origins
from shiftboss.templates.finding import DocumentPath, Finding, diagnostic, listing
from shiftboss.templates.positions import parse
from shiftboss.templates.schema import AgentForm, PipelineForm
from shiftboss.templates.shape import shape_findings
from shiftboss.templates.subpipelines import inner_of
from shiftboss.templates.userfile import UserFile

SUFFIXES = (".json", ".yaml", ".yml")
SETTINGS = ".toml"  #: settings files are checked elsewhere


class Reading(Value):
    """Users' files as they were understood: what `validate` reports of, and what `import` writes."""

    catalogue: Catalogue  #: the base with the usable files added
    files: tuple[UserFile, ...]  #: each as it is used, translated if it was written in a dialect
    found: tuple[tuple[str, Diagnostic], ...]  #: every finding, with what it is counted under
    wrong: frozenset[str]  #: files in error, also by what they bring together


def read_user(paths: Sequence[Path], base: Catalogue) -> tuple[Catalogue, tuple[Diagnostic, ...]]:
    """The base with the usable files of those paths added, and every finding about them."""
    reading = read(paths, base)
    return reading.catalogue, tuple(found for _, found in reading.found)


def read(paths: Sequence[Path], base: Catalogue) -> Reading:
    """Everything about the files of those paths."""
    files, lost = _read_all(paths)
    first = {(file.is_pipeline, file.id): file for file in reversed(files) if file.usable}
    agents = dict(base.agents) | _agents(file for file in first.values() if not is_spare(file, base))
    files = [_settled(file, first, agents) for file in files]
    usable = {(file.is_pipeline, file.id): file for file in reversed(files) if file.usable}
    own = [file for file in usable.values() if file.is_pipeline and not is_spare(file, base)]
    broken = {file.id for file in files if not file.usable}
    pipelines, needed = build_pipelines(own, agents, base.pipelines, broken)
    broken |= {file.id for file in own} - set(pipelines)
    catalogue = Catalogue(agents=agents, pipelines=dict(base.pipelines) | pipelines, warnings=base.warnings)
    checked = [*needed, *check(catalogue, broken), *_callable_findings(files, agents)]
    own_findings = (found for file in files if not is_spare(file, base) for found in file.findings)
    found = [*lost, *own_findings, *_doubles(files, base), *_original(checked, files, catalogue.pipelines)]
    wrong = {place for one in found if one.severity is Severity.ERROR for place in (one.source, one.about)}
    return Reading(catalogue=catalogue, files=tuple(files), found=_diagnostics(found, files), wrong=frozenset(wrong))


def is_spare(file: UserFile, base: Catalogue) -> bool:
    """Whether a file in a dialect has the id of a shipped one, which really does the work and is kept."""
    ours = (base.pipelines if file.is_pipeline else base.agents).get(file.id)
    return file.foreign and ours is not None and Path(ours.source).resolve() != Path(file.source).resolve()


def _settled(file: UserFile, usable: Mapping[tuple[bool, str], UserFile], agents: Mapping[str, Agent]) -> UserFile:
    """A pipeline in a dialect, or with an agent in one, with its keywords and connections in order."""
    if not file.is_pipeline or not file.usable or file.data.get("extends"):
        return file
    others = [other for (is_pipeline, _), other in usable.items() if not is_pipeline]
    foreign = {other.id for other in others if other.foreign and agents[other.id].source == other.source}
    names = {Path(other.source).stem: other.id for other in others}
    if not file.foreign and not foreign & {
        names.get(item.get("agent"), item.get("agent")) for item in file.data["stages"]
    }:
        return file
    done = settle(file.data, file.moves, file.source, agents, names)
    return replace(file, data=done.data, moves=done.moves, foreign=True, findings=(*file.findings, *done.findings))


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
    """The template files a path stands for: itself, or a folder's own and those of its three subfolders."""
    if not path.is_dir():
        yield from [path] if path.exists() and path.suffix in SUFFIXES else []
        return
    for folder in (path / "agents", path, path / "pipelines", path / "templates"):
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        yield from (file for file in files if file.suffix in SUFFIXES and (file.is_file() or file.is_symlink()))


def _read(path: Path) -> UserFile:
    parsed = parse(path)
    source = str(path)
    if parsed.data is None and parsed.findings:
        return UserFile(source=source, positions=parsed.positions, findings=parsed.findings)
    data: Mapping[str, Any] = cast("Mapping[str, Any]", parsed.data) if isinstance(parsed.data, dict) else {}
    done = translate(data, source)
    form = PipelineForm if "stages" in data else AgentForm
    shape = shape_findings(form, done.data if data else cast("object", parsed.data), source)
    placed = (replace(found, at=original(found.at, done.moves)) for found in shape)
    findings = (*parsed.findings, *done.findings, *placed, *_both_flows(data, source))
    return UserFile(
        source=source,
        data=done.data,
        positions=parsed.positions,
        findings=findings,
        moves=done.moves,
        foreign=done.foreign,
    )


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
            remedy = "Give each an id of its own."
            yield Finding(source=file.source, at=("id",), what=what, remedy=remedy, topic="id twice")
        elif is_spare(file, base):
            yield Finding(
                source=file.source,
                at=("id",),
                what=f"shiftboss has the {kind} '{file.id}' itself; that one is kept and this one left out",
                remedy="Give it an id of its own to have both.",
                severity=Severity.WARNING,
                topic="left out for a shipped one",
            )
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
            yield from program_findings(agent)


def _targets(agent: Agent) -> Iterator[tuple[DocumentPath, str]]:
    if agent.handler is not None and agent.handler not in KINDS:
        yield ("handler",), agent.handler
    for index, spec in enumerate(agent.components):
        if spec.probe:
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


def _original(
    findings: Iterable[Finding], files: Sequence[UserFile], pipelines: Mapping[str, Pipeline]
) -> Iterator[Finding]:
    """Findings about what was built, at the places where it was written."""
    by_source = {file.source: file for file in files}
    for finding in findings:
        file = by_source.get(finding.source)
        at = finding.at
        if file is not None and file.is_pipeline:
            put_in = origins(file.data, pipelines)
            at = original(at, put_in)
            if finding.topic not in _OF_THE_WHOLE and _is_inner(file, at):
                continue  # the inner pipeline's own file has it
        yield finding if file is None else replace(finding, at=original(at, file.moves))


_OF_THE_WHOLE = ("edge to nowhere", "unreachable stage", "unknown input", "sub-pipeline")


def _is_inner(file: UserFile, at: DocumentPath) -> bool:
    match at:
        case ("stages", int(index), *_):
            return inner_of(file.data["stages"][index]) is not None
        case _:
            return False


def _diagnostics(findings: Iterable[Finding], files: Sequence[UserFile]) -> tuple[tuple[str, Diagnostic], ...]:
    by_source = {file.source: file for file in files}
    seen = {_located(finding, by_source.get(finding.source)): finding.topic for finding in findings}
    return tuple((topic, found) for found, topic in sorted(seen.items(), key=lambda item: _order(item[0])))


def _order(found: Diagnostic) -> tuple[str, int]:
    return found.place, found.line or 0


def _located(finding: Finding, file: UserFile | None) -> Diagnostic:
    if file is None:
        return diagnostic(finding, None)
    at = finding.at
    flow: Any = file.data.get("flow")
    if at[:1] == ("connections",) and isinstance(flow, dict) and flow.get("connections"):  # pyright: ignore[reportUnknownMemberType] (any JSON)
        finding = replace(finding, at=("flow", *at))
    return diagnostic(finding, file.positions.line(finding.at))
