"""Template files -> Catalogue: shipped ones fast and trusted, users' ones checked to the last finding.

app calls `load_shipped` on every start, so this module imports nothing heavy at its top; `load_user` and `validate`
pull in pydantic and PyYAML (user.py) only where a user's file is really read.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic, Severity
from shiftboss.model.pipeline import Agent, Catalogue, Pipeline
from shiftboss.templates.build import pipeline_from
from shiftboss.templates.build_agent import agent_from


def load_shipped(folder: Path) -> Catalogue:
    """The agents and pipelines of a pack's folder, trusted: a test has checked them, nothing is checked here."""
    agents = {agent.id: agent for agent in map(_shipped_agent, sorted((folder / "agents").glob("*.json")))}
    documents = {path: json.loads(path.read_bytes()) for path in sorted((folder / "pipelines").glob("*.json"))}
    pipelines: dict[str, Pipeline] = {}
    for path, doc in sorted(documents.items(), key=lambda item: "extends" in item[1]):
        _add_pipeline(pipelines, doc, str(path), agents)
    return Catalogue(agents=agents, pipelines=pipelines)


def _shipped_agent(path: Path) -> Agent:
    return agent_from(json.loads(path.read_bytes()), str(path))


def _add_pipeline(
    pipelines: dict[str, Pipeline], doc: Mapping[str, Any], source: str, agents: Mapping[str, Agent]
) -> None:
    base = pipelines[doc["extends"]] if doc.get("extends") else None
    pipeline = pipeline_from(doc, source, agents, base)
    pipelines[pipeline.id] = pipeline


def load_user(folders: Sequence[Path], base: Catalogue) -> Catalogue:
    """The base with the users' templates of those folders added; what was only odd is in its `warnings`.

    Raises:
        BadInput: With every error found in any of the files.
    """
    if not folders:
        return base
    from shiftboss.templates.user import read_user

    catalogue, found = read_user(folders, base)
    if any(finding.severity is Severity.ERROR for finding in found):
        raise BadInput(found)
    return replace(catalogue, warnings=(*base.warnings, *found))


def read_leniently(paths: Sequence[Path], base: Catalogue) -> tuple[Catalogue, tuple[Diagnostic, ...]]:
    """The base with whatever can be used of those paths added, and every finding about them, errors too."""
    from shiftboss.templates.user import read_user

    return read_user(paths, base)


def validate(paths: Sequence[Path], base: Catalogue) -> tuple[Diagnostic, ...]:
    """Every finding about those template files or folders, errors and warnings; other kinds of files are skipped."""
    return read_leniently(paths, base)[1]
