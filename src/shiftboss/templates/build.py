"""Plain data of a template file -> values of model/pipeline.py.

Called by loader.py, for shipped files directly and for users' files once schema.py has found their shape right.
It trusts the shape, decides nothing about meaning (checks.py does) and reads no file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from shiftboss.model.pipeline import (
    Agent,
    ComponentSpec,
    Connection,
    Pipeline,
    PipelineKind,
    Stage,
    StageMode,
)
from shiftboss.templates.derive import delegations, hub_connections, hub_decisions

Document = Mapping[str, Any]

_COMPONENT_NUMBERS = ("estimate", "patience", "deadline")


def agent_from(doc: Document, source: str) -> Agent:
    """An agent file's data as an Agent; targets written as ./file.py become absolute paths."""
    words, notes = _decisions(doc.get("decisions") or ())
    handler = doc.get("handler")
    return Agent(
        id=doc["id"],
        name=doc.get("name") or "",
        role=doc.get("role") or "",
        description=doc.get("description") or "",
        expertise=tuple(doc.get("expertise") or ()),
        system_prompt=text_of(doc.get("systemPrompt")),
        output_format=text_of(doc.get("outputFormat")),
        decisions=words,
        decision_notes=notes,
        delegation=doc.get("delegation"),
        handler=None if handler is None else target(handler, source),
        components=tuple(_component(item, source) for item in doc.get("components") or ()),
        limits=dict(doc.get("limits") or {}),
        source=source,
    )


def text_of(value: str | Sequence[str] | None) -> str:
    """A text written as one string or as a list of lines."""
    if value is None or isinstance(value, str):
        return value or ""
    return "\n".join(value)


def target(written: str, source: str) -> str:
    """A `module:function` as it stands; a `path.py:function` with the path made absolute beside its file."""
    module, colon, function = written.rpartition(":")
    if not module.endswith(".py"):
        return written
    return f"{(Path(source).parent / module).resolve()}{colon}{function}"


def _component(doc: Document, source: str) -> ComponentSpec:
    numbers = {key: float(doc[key]) for key in _COMPONENT_NUMBERS if key in doc}
    return ComponentSpec(
        name=doc["name"],
        probe=target(doc["probe"], source),
        requires=tuple(doc.get("requires") or ()),
        locks=tuple(doc.get("locks") or ()),
        shared=bool(doc.get("shared")),
        description=doc.get("description") or "",
        **numbers,
    )


def _decisions(written: Sequence[Any]) -> tuple[tuple[str, ...], dict[str, str]]:
    pairs = [_decision(item) for item in written]
    return tuple(word for word, _ in pairs), {word: note for word, note in pairs if note}


def _decision(item: Any) -> tuple[str, str]:
    if isinstance(item, str):
        return item, ""
    word = next(item[key] for key in ("choice", "id", "name") if item.get(key))
    return word, item.get("description") or ""


def written_connections(doc: Document) -> Sequence[Document]:
    """The connections of a pipeline file, from under `flow` or from the top level."""
    flow: Document = doc.get("flow") or {}
    return flow.get("connections") or doc.get("connections") or ()


def pipeline_from(doc: Document, source: str, agents: Mapping[str, Agent], base: Pipeline | None = None) -> Pipeline:
    """A pipeline file's data as a Pipeline; with a base, the base's stages with these appended."""
    inherited = base.stages if base is not None else ()
    first = inherited[0].agent if inherited else doc["stages"][0]["agent"]
    kind = kind_of(agents.get(first))
    metadata: Document = doc.get("metadata") or {}
    stages = (*inherited, *(_stage(item, agents, kind) for item in doc["stages"]))
    if kind is PipelineKind.HUB and (base is not None or not doc["stages"][0].get("decisions")):
        stages = _with_hub_words(stages, agents)
    return Pipeline(
        id=doc["id"],
        name=doc.get("name") or "",
        description=doc.get("description") or "",
        version=str(doc.get("version") or ""),
        kind=kind,
        stages=stages,
        connections=_connections(doc, stages, agents, base),
        start=stages[0].id,
        extends=doc.get("extends"),
        replaced_by=metadata.get("replacedBy"),
        source=source,
    )


def kind_of(first: Agent | None) -> PipelineKind:
    """A pipeline is a hub pipeline when its first stage's agent is the hub."""
    return PipelineKind.HUB if first is not None and first.is_hub else PipelineKind.SCRIPTED


def _stage(doc: Document, agents: Mapping[str, Agent], kind: PipelineKind) -> Stage:
    agent = agents.get(doc["agent"])
    words, notes = _decisions(doc.get("decisions") or ())
    mode = StageMode(doc["mode"]) if doc.get("mode") else None
    if mode is None and kind is PipelineKind.SCRIPTED:
        mode = StageMode.FORCE
    return Stage(
        id=doc["id"],
        agent=doc["agent"],
        name=doc.get("name") or "",
        description=doc.get("description") or "",
        inputs=tuple(doc.get("inputs") or ()),
        decisions=words or (agent.decisions if agent is not None else ()),
        decision_notes=notes,
        components=tuple(doc.get("components") or ()) or _own_components(agent, mode, kind),
        mode=mode,
    )


def _own_components(agent: Agent | None, mode: StageMode | None, kind: PipelineKind) -> tuple[str, ...]:
    if agent is None or kind is PipelineKind.HUB or mode is StageMode.RECOVER:
        return ()
    return tuple(spec.name for spec in agent.components)


def _with_hub_words(stages: tuple[Stage, ...], agents: Mapping[str, Agent]) -> tuple[Stage, ...]:
    # Only where the file does not write the hub's words itself: there a missing word is a finding for checks.py
    # and not ours to repair.
    words = hub_decisions(stages[0].decisions, delegations(stages, agents).values())
    return (replace(stages[0], decisions=words), *stages[1:])


def _connections(
    doc: Document, stages: Sequence[Stage], agents: Mapping[str, Agent], base: Pipeline | None
) -> tuple[Connection, ...]:
    written = tuple(_connection(item) for item in written_connections(doc))
    hub = kind_of(agents.get(stages[0].agent)) is PipelineKind.HUB
    if hub and not written:
        return hub_connections(stages, agents)
    return (*(base.connections if base is not None else ()), *written)


def _connection(doc: Document) -> Connection:
    return Connection(
        source=doc["from"],
        target=doc.get("to"),
        condition=doc["condition"],
        description=doc.get("description") or "",
    )
