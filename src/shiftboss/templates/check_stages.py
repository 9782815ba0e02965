"""What the stages of any pipeline must fulfil: known agents, ids of their own, inputs that exist.

Pure; part of checks.py. Stages taken over by `extends` are reported in the file that wrote them, so only a
pipeline's own stages are looked at here.
"""

from collections.abc import Collection, Iterator, Sequence

from shiftboss.model.pipeline import Catalogue, Pipeline, Stage
from shiftboss.templates.finding import Finding, hint, listing


def own_stages(pipeline: Pipeline, catalogue: Catalogue) -> tuple[tuple[int, Stage], ...]:
    """The stages a pipeline's file writes itself, with their index in that file."""
    base = catalogue.pipelines.get(pipeline.extends) if pipeline.extends else None
    inherited = len(base.stages) if base is not None else 0
    return tuple(enumerate(pipeline.stages[inherited:]))


def stage_findings(pipeline: Pipeline, catalogue: Catalogue, broken: Collection[str]) -> Iterator[Finding]:
    """Findings about the stages for themselves."""
    own = own_stages(pipeline, catalogue)
    inherited = len(pipeline.stages) - len(own)
    for index, stage in own:
        yield from _id_findings(pipeline, stage, index, pipeline.stages[: inherited + index])
        yield from _agent_findings(pipeline, stage, index, catalogue, broken)
        yield from _input_findings(pipeline, stage, index)
        agent = catalogue.agents.get(stage.agent)
        if agent is None or stage.decisions != agent.decisions:  # the agent's own are reported in its own file
            yield from _word_findings(pipeline, stage, index)


def task_findings(pipeline: Pipeline, catalogue: Catalogue) -> Iterator[Finding]:
    """Stages that are tasks, and so components of their own name; the agents must be known."""
    tasks, components = catalogue.tasks_of(pipeline), catalogue.components_of(pipeline)
    for index, stage in own_stages(pipeline, catalogue):
        if stage.id in tasks and stage.id in components:
            yield Finding(
                source=pipeline.source,
                at=("stages", index, "id"),
                what=f"stage '{stage.id}' is a task of agent '{stage.agent}', and a component has the same name",
                remedy="Give the stage another id.",
            )


def _id_findings(pipeline: Pipeline, stage: Stage, index: int, before: Sequence[Stage]) -> Iterator[Finding]:
    if stage.id in [other.id for other in before]:
        yield Finding(
            source=pipeline.source,
            at=("stages", index, "id"),
            what=f"pipeline '{pipeline.id}' has two stages called '{stage.id}'",
            remedy="Give each stage an id of its own.",
        )


def _agent_findings(
    pipeline: Pipeline, stage: Stage, index: int, catalogue: Catalogue, broken: Collection[str]
) -> Iterator[Finding]:
    if stage.agent in catalogue.agents or stage.agent in broken:
        return
    otherwise = f"Known agents: {listing(catalogue.agents)}."
    yield Finding(
        source=pipeline.source,
        at=("stages", index, "agent"),
        what=f"stage '{stage.id}' names the agent '{stage.agent}', which is not known",
        remedy=hint(stage.agent, catalogue.agents, otherwise),
        topic="missing agent",
    )


def _input_findings(pipeline: Pipeline, stage: Stage, index: int) -> Iterator[Finding]:
    known = [other.id for other in pipeline.stages]
    for position, name in enumerate(stage.inputs):
        if name not in known:
            yield Finding(
                source=pipeline.source,
                at=("stages", index, "inputs", position),
                what=f"stage '{stage.id}' takes input from '{name}', which is not a stage of this pipeline",
                remedy=hint(name, known, f"Stages: {listing(known)}."),
                topic="unknown input",
            )


def _word_findings(pipeline: Pipeline, stage: Stage, index: int) -> Iterator[Finding]:
    for position, word in enumerate(stage.decisions):
        if word in stage.decisions[:position]:
            yield Finding(
                source=pipeline.source,
                at=("stages", index, "decisions", position),
                what=f"stage '{stage.id}' lists the decision '{word}' twice",
                remedy="Each keyword stands once.",
            )
