"""Which pipeline a person means by an id or a file, and which files around it: a request that can be taken up again.

Of the files around a pipeline only those count that it uses (its agents, its sub-pipelines): what is wrong with the
others is nobody's business here.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from shiftboss.app import Request, Session, open_session
from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.pipeline import Catalogue, Pipeline
from shiftboss.templates.loader import read_leniently

AROUND = ("agents", "pipelines", "templates")
"""Folders in which the files of a project stand side by side."""


def session_for(request: Request, wanted: str) -> Session:
    """The opened working directory for a pipeline's file or id; nothing is changed.

    Raises:
        BadInput: there is no such pipeline, or something is wrong with a file that it uses.
    """
    file = request.cwd / wanted
    if file.suffix in (".json", ".yaml", ".yml") and file.is_file():
        request = _with_files(request, file)
    elif not wanted.strip() or _looks_like_a_file(wanted):
        remedy = "Name a pipeline's file or id; `shiftboss pipelines` lists what is known by id."
        raise BadInput([Diagnostic(place="command line", what=_no_pipeline(wanted, file), remedy=remedy)])
    else:
        request = replace(request, pipeline=wanted)
    session = open_session(replace(request, environments=()))  # whose profiles those asked for have is not known yet
    if any(Path(agent.source).is_relative_to(session.pack.folder) for agent in session.stack.agents.values()):
        return open_session(request) if request.environments else session
    return open_session(replace(request, pack="plain"))


def _no_pipeline(wanted: str, file: Path) -> str:
    if not wanted.strip():
        return "no pipeline is named"
    if file.is_dir():
        return f"{wanted} is a folder"
    return f"{wanted} is no template" if file.exists() else f"there is no file {wanted}"


def _looks_like_a_file(wanted: str) -> bool:
    return "/" in wanted or wanted.endswith((".json", ".yaml", ".yml"))


def _with_files(request: Request, file: Path) -> Request:
    base = open_session(replace(request, pipeline=None, environments=())).catalogue
    catalogue, _ = read_leniently([*_folders(file), file], base)
    found = next((one for one in catalogue.pipelines.values() if _same(one.source, file)), None)
    used = _used(found, catalogue, base) if found else _beside(file)
    return replace(
        request,
        pipeline=found.id if found else file.stem,
        sets=(*request.sets, f"templates.folders={json.dumps([str(one) for one in used])}"),
    )


def _folders(file: Path) -> list[Path]:
    """Where the other files of its project are: its folder, or the one that its folder and its agents' stand in."""
    folder = file.resolve().parent
    root = folder.parent if folder.name in AROUND else folder
    return [one for one in (root, *(root / name for name in AROUND)) if one.is_dir()]


def _used(pipeline: Pipeline, catalogue: Catalogue, base: Catalogue) -> list[Path]:
    """The user's files that a pipeline is made of."""
    names = (pipeline.id, *_named_in(pipeline, catalogue))
    members = [catalogue.pipelines[name] for name in names]
    agents = {one.agent: None for member in members for one in member.stages if one.agent in catalogue.agents}
    sources = [*(one.source for one in members), *(catalogue.agents[name].source for name in agents)]
    shipped = {one.source for one in (*base.agents.values(), *base.pipelines.values())}
    return [Path(source) for source in dict.fromkeys(sources) if source not in shipped]


def _named_in(pipeline: Pipeline, catalogue: Catalogue) -> Iterable[str]:
    """The pipelines that it is built of: what it extends, and its sub-pipelines."""
    for name in (pipeline.extends or "", *pipeline.contains):
        if name not in catalogue.pipelines:
            continue
        yield name
        yield from _named_in(catalogue.pipelines[name], catalogue)


def _beside(file: Path) -> Sequence[Path]:
    """Where the file itself can't be used: everything, so that every finding is told."""
    return [*_folders(file), file]


def _same(source: str, file: Path) -> bool:
    return Path(source).resolve() == file.resolve()
