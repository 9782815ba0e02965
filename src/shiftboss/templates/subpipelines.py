"""Sub-pipelines: a stage that names another pipeline gives way to that pipeline's stages.

Pure; called by build.py, while a pipeline is built. The stages of the inner pipeline become `OUTER.INNER`; who led
to the outer stage leads to the inner start, and each inner end goes where the outer stage's connection for that
keyword goes, else where its connection for success or failure goes. So the engine knows nothing of sub-pipelines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shiftboss.model.pipeline import ISOLATED, Agent, Connection, Pipeline, Stage
from shiftboss.templates.build_agent import Document
from shiftboss.templates.derive import is_task
from shiftboss.templates.words import is_failure


def inner_of(item: Document) -> str | None:
    """The id of the pipeline that stands for a stage of a file; None where an agent does its work."""
    return item.get("pipeline") or None


def expand(
    stages: Sequence[Stage],
    connections: Sequence[Connection],
    items: Mapping[str, Document],
    others: Mapping[str, Pipeline],
    agents: Mapping[str, Agent],
) -> tuple[tuple[Stage, ...], tuple[Connection, ...]]:
    """Stages and connections with every sub-pipeline put in; `items` has what the file says of those stages, by id."""
    inner = {stage_id: others[item["pipeline"]] for stage_id, item in items.items()}
    put_in: list[Stage] = []
    for stage in stages:
        at = inner.get(stage.id)
        put_in += [stage] if at is None else _inner_stages(stage, items[stage.id], at, agents)
    own = [connection for connection in connections if connection.source not in inner]
    ways = [*own, *(way for stage in stages if stage.id in inner for way in _ways(stage, connections, inner[stage.id]))]
    return (
        tuple(replace(stage, inputs=_inputs(stage.inputs, inner)) for stage in put_in),
        tuple(replace(way, target=_entry(way.target, inner)) for way in ways),
    )


def _inner_stages(outer: Stage, item: Document, inner: Pipeline, agents: Mapping[str, Agent]) -> list[Stage]:
    """The inner stages as parts of the outer pipeline, with what they are told of it; a task has its new name."""
    context: str | Sequence[str] = item.get("context") or outer.context
    isolated = context == ISOLATED or not isinstance(context, str)
    handed = outer.inputs if not isolated else () if isinstance(context, str) else tuple(context)
    told = [(stage, _told(stage, outer, handed, isolated=isolated)) for stage in inner.stages]
    return [
        replace(new, components=(new.id,)) if is_task(stage, agents.get(stage.agent)) else new for stage, new in told
    ]


def _told(stage: Stage, outer: Stage, handed: tuple[str, ...], *, isolated: bool) -> Stage:
    return replace(
        stage,
        id=inside(outer.id, stage.id),
        inputs=(*handed, *(inside(outer.id, name) for name in stage.inputs)),
        task="\n\n".join(text for text in (outer.task, stage.task) if text),
        context=ISOLATED if isolated else stage.context,
    )


def inside(outer: str, inner: str) -> str:
    """The id of an inner stage in the outer pipeline."""
    return f"{outer}.{inner}"


def _ways(outer: Stage, connections: Sequence[Connection], inner: Pipeline) -> list[Connection]:
    """The inner connections, the ends among them leading out of the outer stage."""
    outgoing: dict[str, str | None] = {}
    for way in connections:
        if way.source == outer.id:
            outgoing.setdefault(way.condition, way.target)
    return [
        replace(
            way,
            source=inside(outer.id, way.source),
            target=_after(outer, outgoing, inner, way) if way.target is None else inside(outer.id, way.target),
        )
        for way in inner.connections
    ]


def _after(outer: Stage, outgoing: Mapping[str, str | None], inner: Pipeline, end: Connection) -> str | None:
    """Where the outer pipeline goes on after an inner end."""
    if end.condition in outgoing:
        return outgoing[end.condition]
    words = [*outer.decisions, *outgoing]
    failures = [stage.decisions[1:2] for stage in inner.stages if stage.id == end.source]
    failed = is_failure(end.condition) or (end.condition,) in failures
    bad = {word for word in words if is_failure(word)} or {*outer.decisions[1:2]}
    fitting = [word for word in words if (word in bad) == failed and word in outgoing]
    return outgoing[fitting[0]] if fitting else None


def _entry(target: str | None, inner: Mapping[str, Pipeline]) -> str | None:
    return target if target is None or target not in inner else inside(target, inner[target].start)


def _inputs(inputs: Sequence[str], inner: Mapping[str, Pipeline]) -> tuple[str, ...]:
    """Who takes input from an outer stage takes it from the inner stages that can end it."""
    found = [name for written in inputs for name in (_ends(written, inner[written]) if written in inner else [written])]
    return tuple(dict.fromkeys(found))


def _ends(outer: str, inner: Pipeline) -> list[str]:
    enders = {way.source for way in inner.connections if way.target is None}
    return [inside(outer, stage.id) for stage in inner.stages if stage.id in enders]
