"""What agents and pipelines must mean together, beyond the shape of single files.

Pure; called by user.py over the whole catalogue, shipped files and users' together. Everything wrong is found in
one pass. `broken` has the ids of files that were refused: what merely follows from that is not reported again.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from shiftboss.model.diagnostic import Severity
from shiftboss.model.pipeline import Catalogue, Pipeline, PipelineKind
from shiftboss.templates.check_agents import agent_findings
from shiftboss.templates.check_components import component_findings, loose_findings
from shiftboss.templates.check_hub import hub_findings
from shiftboss.templates.check_script import script_findings
from shiftboss.templates.check_stages import stage_findings, task_findings
from shiftboss.templates.finding import Finding, hint, listing


def check(catalogue: Catalogue, broken: Collection[str] = ()) -> tuple[Finding, ...]:
    """All findings about a catalogue, each once, in the order of its agents and pipelines."""
    findings = [
        *(found for agent in catalogue.agents.values() for found in agent_findings(agent)),
        *(found for pipeline in catalogue.pipelines.values() for found in _pipeline(pipeline, catalogue, broken)),
        *(() if broken else _unused(catalogue)),  # a refused pipeline might have used it
    ]
    return tuple(dict.fromkeys(findings))


def _pipeline(pipeline: Pipeline, catalogue: Catalogue, broken: Collection[str]) -> Iterator[Finding]:
    yield from stage_findings(pipeline, catalogue, broken)
    if any(stage.agent not in catalogue.agents for stage in pipeline.stages):
        return  # what the stages may answer and need is not known: all else would be guessing
    yield from (replace(found, about=pipeline.source) for found in component_findings(pipeline, catalogue))
    yield from task_findings(pipeline, catalogue)
    yield from _successor(pipeline, catalogue, broken)
    if pipeline.kind is PipelineKind.HUB:
        yield from hub_findings(pipeline, catalogue)
    else:
        yield from script_findings(pipeline, catalogue)


def _successor(pipeline: Pipeline, catalogue: Catalogue, broken: Collection[str]) -> Iterator[Finding]:
    """The pipeline that is said to take its place must be one that can."""
    name = pipeline.replaced_by
    hubs = [one.id for one in catalogue.pipelines.values() if one.kind is PipelineKind.HUB]
    if name is None or name in hubs or name in broken:
        return
    scripted = name in catalogue.pipelines
    yield Finding(
        source=pipeline.source,
        at=("metadata", "replacedBy"),
        what=f"'{name}' is {'scripted itself' if scripted else 'no pipeline that is known here'}",
        remedy=hint(name, hubs, f"Hub pipelines: {listing(hubs)}."),
        severity=Severity.WARNING,
    )


def _unused(catalogue: Catalogue) -> Iterator[Finding]:
    used = {stage.agent for pipeline in catalogue.pipelines.values() for stage in pipeline.stages}
    idle = [agent for agent in catalogue.agents.values() if agent.id not in used]
    for agent in idle:
        yield Finding(
            source=agent.source,
            what=f"agent '{agent.id}' is in no pipeline, so it will never be sent for",
            remedy="Add a stage with this agent to a pipeline (see 'extends').",
            severity=Severity.WARNING,
            topic="agent in no pipeline",
        )
    yield from loose_findings(idle, catalogue)
