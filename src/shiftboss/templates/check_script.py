"""What a scripted pipeline must fulfil: every keyword leads somewhere, every stage is reached, every road ends.

Pure; part of checks.py. A scripted pipeline has no brain to help it out of a dead end, so the drawing has to be whole.
"""

from collections.abc import Iterator, Mapping

from shiftboss.model.pipeline import Agent, Catalogue, Connection, Pipeline, Stage, StageMode
from shiftboss.templates.derive import is_task, reachable
from shiftboss.templates.finding import Finding, hint, listing
from shiftboss.templates.words import END_WORDS


def script_findings(pipeline: Pipeline, catalogue: Catalogue) -> Iterator[Finding]:
    """Findings about a scripted pipeline whose agents are all known."""
    owned = set(catalogue.components_of(pipeline))
    for index, stage in enumerate(pipeline.stages):
        yield from _work_findings(pipeline, stage, index, catalogue.agents[stage.agent], owned)
    bad_ends = [
        found
        for index, connection in enumerate(pipeline.connections)
        for found in end_findings(pipeline, connection, index)
    ]
    yield from bad_ends
    yield from _condition_findings(pipeline)
    yield from _dead_ends(pipeline)
    if not bad_ends:
        yield from _road_findings(pipeline)


def end_findings(pipeline: Pipeline, connection: Connection, index: int) -> Iterator[Finding]:
    """Connections of any pipeline from or to stages that do not exist."""
    known = [stage.id for stage in pipeline.stages]
    for key, name in (("from", connection.source), ("to", connection.target)):
        if name is not None and name not in known:
            end = key == "to" and name.lower() in END_WORDS
            otherwise = "Write null to end the run." if key == "to" else f"Stages: {listing(known)}."
            yield Finding(
                source=pipeline.source,
                at=("connections", index, key),
                what=f"a connection goes {key} '{name}', which is not a stage of this pipeline",
                remedy=otherwise if end else hint(name, known, otherwise),
                topic="edge to nowhere",
            )


def _work_findings(pipeline: Pipeline, stage: Stage, index: int, agent: Agent, owned: set[str]) -> Iterator[Finding]:
    """What the stage works on: an agent changes only its own components, but may look at any of the pipeline."""
    if agent.is_hub:
        yield Finding(
            source=pipeline.source,
            at=("stages", index, "agent"),
            what=f"stage '{stage.id}' is the hub, which must be the first stage",
            remedy="Put it first, or take another agent.",
        )
        return
    if is_task(stage, agent):
        return
    if not stage.components and stage.mode is not StageMode.RECOVER and agent.handler is not None:
        yield Finding(
            source=pipeline.source,
            at=("stages", index),
            what=f"stage '{stage.id}' works on nothing: agent '{agent.id}' has no components",
            remedy="Name 'components' with mode 'verify', or write mode 'recover'.",
        )
    allowed = owned if stage.mode is StageMode.VERIFY else {spec.name for spec in agent.components}
    for position, name in enumerate(stage.components):
        if name not in allowed:
            yield Finding(
                source=pipeline.source,
                at=("stages", index, "components", position),
                what=f"stage '{stage.id}' works on '{name}', which is not a component of agent '{agent.id}'",
                remedy=hint(name, sorted(allowed), f"Components: {listing(sorted(allowed))}."),
            )


def _condition_findings(pipeline: Pipeline) -> Iterator[Finding]:
    words: Mapping[str, tuple[str, ...]] = {stage.id: stage.decisions for stage in pipeline.stages}
    seen: set[tuple[str, str]] = set()
    for index, connection in enumerate(pipeline.connections):
        key = (connection.source, connection.condition)
        declared = words.get(connection.source)
        if declared is not None and connection.condition not in declared:
            yield Finding(
                source=pipeline.source,
                at=("connections", index, "condition"),
                what=f"stage '{connection.source}' does not declare the decision '{connection.condition}'",
                remedy=hint(connection.condition, declared, f"It declares {listing(declared)}."),
                topic="undeclared keyword",
            )
        if key in seen:
            yield Finding(
                source=pipeline.source,
                at=("connections", index),
                what=f"stage '{connection.source}' has two connections for '{connection.condition}'",
                remedy="Keep one: a keyword leads to one place.",
            )
        seen.add(key)


def _dead_ends(pipeline: Pipeline) -> Iterator[Finding]:
    for index, stage in enumerate(pipeline.stages):
        drawn = {connection.condition for connection in pipeline.outgoing(stage.id)}
        if drawn - set(stage.decisions):
            continue  # a misspelt condition has been reported; its keyword is not missing but misspelt
        if len(stage.decisions) < 2:
            yield Finding(
                source=pipeline.source,
                at=("stages", index),
                what=f"stage '{stage.id}' needs at least two decisions",
                remedy="Write the keyword for success first and the one for failure second.",
            )
        for position, word in enumerate(stage.decisions):
            if word not in drawn:
                yield Finding(
                    source=pipeline.source,
                    at=("stages", index, "decisions", position),
                    what=f"dead end: no connection leaves stage '{stage.id}' for its decision '{word}'",
                    remedy='Draw one, with "to": null where the run should end.',
                )


def _road_findings(pipeline: Pipeline) -> Iterator[Finding]:
    forward: dict[str | None, set[str | None]] = {}  # None is the end
    backward: dict[str | None, set[str | None]] = {}
    for connection in pipeline.connections:
        forward.setdefault(connection.source, set()).add(connection.target)
        backward.setdefault(connection.target, set()).add(connection.source)
    reached = reachable(forward, pipeline.start)
    ending = reachable(backward, None)
    for index, stage in enumerate(pipeline.stages):
        if stage.id not in reached:
            yield Finding(
                source=pipeline.source,
                at=("stages", index),
                what=f"stage '{stage.id}' is never reached from '{pipeline.start}'",
                remedy="Draw a connection to it, or take the stage out.",
                topic="unreachable stage",
            )
        elif stage.id not in ending and stage.id in forward:
            yield Finding(
                source=pipeline.source,
                at=("stages", index),
                what=f"no road from stage '{stage.id}' ever ends",
                remedy='Draw a way to the end: a connection with "to": null.',
            )
