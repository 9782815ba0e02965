"""Plain data of a pipeline file -> Pipeline of model/pipeline.py.

Called by loader.py, for shipped files directly and for users' files once schema.py has found their shape right.
It trusts the shape, decides nothing about meaning (checks.py does) and reads no file. Sub-pipelines are put in by
subpipelines.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shiftboss.model.pipeline import (
    INHERIT,
    Agent,
    Connection,
    Pipeline,
    PipelineKind,
    Stage,
    StageMode,
    does_tasks,
)
from shiftboss.templates.build_agent import Document, decisions_of, text_of
from shiftboss.templates.derive import delegations, hub_connections, hub_decisions


def written_connections(doc: Document) -> Sequence[Document]:
    """The connections of a pipeline file, from under `flow` or from the top level."""
    flow: Document = doc.get("flow") or {}
    return flow.get("connections") or doc.get("connections") or ()


def pipeline_from(
    doc: Document,
    source: str,
    agents: Mapping[str, Agent],
    base: Pipeline | None = None,
    others: Mapping[str, Pipeline] | None = None,
) -> Pipeline:
    """A pipeline file's data as a Pipeline: after its base's stages its own, with those of sub-pipelines put in.

    `others` has every pipeline that may be a sub-pipeline here.
    """
    inherited = base.stages if base is not None else ()
    first = inherited[0].agent if inherited else doc["stages"][0].get("agent") or ""
    kind = kind_of(agents.get(first))
    metadata: Document = doc.get("metadata") or {}
    inner = {item["id"]: item for item in doc["stages"] if item.get("pipeline")}
    stages = (*inherited, *(_stage(item, agents, kind) for item in doc["stages"]))
    if kind is PipelineKind.HUB and (base is not None or not doc["stages"][0].get("decisions")):
        stages = _with_hub_words(stages, agents)
    connections = _connections(doc, stages, agents, base)
    if inner:
        from shiftboss.templates.subpipelines import expand

        stages, connections = expand(stages, connections, inner, others or {}, agents)
    return Pipeline(
        id=doc["id"],
        name=doc.get("name") or "",
        description=doc.get("description") or "",
        version=str(doc.get("version") or ""),
        kind=kind,
        stages=stages,
        connections=connections,
        start=stages[0].id,
        extends=doc.get("extends"),
        contains=tuple(dict.fromkeys(item["pipeline"] for item in inner.values())),
        replaced_by=metadata.get("replacedBy"),
        source=source,
    )


def kind_of(first: Agent | None) -> PipelineKind:
    """A pipeline is a hub pipeline when its first stage's agent is the hub."""
    return PipelineKind.HUB if first is not None and first.is_hub else PipelineKind.SCRIPTED


def _stage(doc: Document, agents: Mapping[str, Agent], kind: PipelineKind) -> Stage:
    agent = agents.get(doc.get("agent") or "")
    words, notes = decisions_of(doc.get("decisions") or ())
    mode = StageMode(doc["mode"]) if doc.get("mode") else None
    context: str | Sequence[str] = doc.get("context") or INHERIT
    if mode is None and kind is PipelineKind.SCRIPTED:
        mode = StageMode.FORCE
    return Stage(
        id=doc["id"],
        agent=doc.get("agent") or "",
        name=doc.get("name") or "",
        description=doc.get("description") or "",
        inputs=tuple(doc.get("inputs") or ()),
        decisions=words or (agent.decisions if agent is not None else ()),
        decision_notes=notes,
        task=text_of(doc.get("task")),
        context=context if isinstance(context, str) else INHERIT,  # a list: subpipelines.py reads it
        components=tuple(doc.get("components") or ()) or _own_components(doc["id"], agent, mode, kind),
        mode=mode,
    )


def _own_components(stage: str, agent: Agent | None, mode: StageMode | None, kind: PipelineKind) -> tuple[str, ...]:
    """All of the agent's; of one without components the stage itself, which is then a task (see derive.is_task)."""
    if agent is None or kind is PipelineKind.HUB or mode is StageMode.RECOVER:
        return ()
    if agent.handler is not None and does_tasks(agent, mode):
        return (stage,)
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
