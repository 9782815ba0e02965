"""What a hub pipeline must fulfil: the keywords and connections it writes are the ones that follow from its stages.

Pure; part of checks.py. The hub's routing is worked out from the stages (derive.py), so a written connection that
differs would be either ignored or wrong: each one is a finding.
"""

from collections.abc import Iterator

from shiftboss.model.pipeline import Agent, Catalogue, Connection, Pipeline, Stage
from shiftboss.templates.check_script import end_findings
from shiftboss.templates.check_stages import own_stages
from shiftboss.templates.derive import ENDINGS, delegations, hub_connections
from shiftboss.templates.finding import Finding, hint, listing


def hub_findings(pipeline: Pipeline, catalogue: Catalogue) -> Iterator[Finding]:
    """Findings about a hub pipeline whose agents are all known."""
    yield from _word_findings(pipeline, catalogue)
    for index, stage in own_stages(pipeline, catalogue):
        yield from _scripted_only(pipeline, stage, index)
        if stage is not pipeline.stages[0]:
            yield from _handler_findings(pipeline, stage, index, catalogue.agents[stage.agent])
    yield from _connection_findings(pipeline, catalogue)


def _scripted_only(pipeline: Pipeline, stage: Stage, index: int) -> Iterator[Finding]:
    for key, written in (("mode", stage.mode), ("components", stage.components)):
        if written:
            yield Finding(
                source=pipeline.source,
                at=("stages", index, key),
                what=f"stage '{stage.id}' of a hub pipeline has '{key}', which only scripted pipelines have",
                remedy="Take it out: the hub chooses what is done from what it observes.",
            )


def _handler_findings(pipeline: Pipeline, stage: Stage, index: int, agent: Agent) -> Iterator[Finding]:
    if agent.is_hub:
        yield Finding(
            source=pipeline.source,
            at=("stages", index, "agent"),
            what=f"stage '{stage.id}' is a second hub",
            remedy="A pipeline has one hub, its first stage.",
        )
        return
    at = ("stages", index, "decisions")
    for position, word in enumerate(stage.decisions):
        if word not in agent.decisions:
            yield Finding(
                source=pipeline.source,
                at=(*at, position),
                what=f"stage '{stage.id}' lists '{word}', which agent '{agent.id}' does not declare",
                remedy=hint(word, agent.decisions, f"It declares {listing(agent.decisions)}."),
            )
    left_out = [word for word in agent.decisions if word not in stage.decisions]
    if left_out:
        yield Finding(
            source=pipeline.source,
            at=at,
            what=f"stage '{stage.id}' leaves out {listing(left_out)}, which agent '{agent.id}' may answer",
            remedy="List all of the agent's decisions, or leave the list out.",
        )
    if not left_out and stage.decisions[:2] != agent.decisions[:2]:
        yield Finding(
            source=pipeline.source,
            at=at,
            what=f"stage '{stage.id}' lists its decisions in another order than agent '{agent.id}'",
            remedy="Success stands first and failure second.",
        )


def _word_findings(pipeline: Pipeline, catalogue: Catalogue) -> Iterator[Finding]:
    """The hub's own decisions against the delegation keywords of the stages."""
    words = delegations(pipeline.stages, catalogue.agents)
    first_with = {word: stage for stage, word in reversed(words.items())}
    taken = {word: f"stage '{stage}'" for word, stage in first_with.items()} | dict.fromkeys(ENDINGS, "the end")
    for index, stage in own_stages(pipeline, catalogue):
        word = words.get(stage.id)
        if word is not None and taken[word] != f"stage '{stage.id}'":
            yield Finding(
                source=pipeline.source,
                at=("stages", index),
                what=f"stage '{stage.id}' is sent for by '{word}', which already leads to {taken[word]}",
                remedy="Give its agent a 'delegation' keyword of its own.",
            )
    if not pipeline.extends:
        yield from _hub_list_findings(pipeline, [*words.values(), *ENDINGS])


def _hub_list_findings(pipeline: Pipeline, expected: list[str]) -> Iterator[Finding]:
    hub = pipeline.stages[0]
    for position, word in enumerate(hub.decisions):
        if word not in expected:
            yield Finding(
                source=pipeline.source,
                at=("stages", 0, "decisions", position),
                what=f"the hub stage '{hub.id}' lists '{word}', by which no stage is sent for",
                remedy=hint(word, expected, f"Its keywords are {listing(expected)}."),
            )
    left_out = [word for word in dict.fromkeys(expected) if word not in hub.decisions]
    if left_out:
        yield Finding(
            source=pipeline.source,
            at=("stages", 0, "decisions"),
            what=f"the hub stage '{hub.id}' leaves out {listing(left_out)}",
            remedy="Add them, or leave the list out and it is worked out from the stages.",
        )


def _connection_findings(pipeline: Pipeline, catalogue: Catalogue) -> Iterator[Finding]:
    derived = hub_connections(pipeline.stages, catalogue.agents)
    base = catalogue.pipelines.get(pipeline.extends) if pipeline.extends else None
    inherited = len(base.connections) if base is not None and pipeline.connections != derived else 0
    for index, connection in enumerate(pipeline.connections[inherited:]):
        ends = tuple(end_findings(pipeline, connection, index))
        yield from ends
        if not ends and connection not in derived:
            yield _extra(pipeline, connection, index, derived)
    for connection in derived:
        if connection not in pipeline.connections:
            yield _missing(pipeline, connection)


def _extra(pipeline: Pipeline, connection: Connection, index: int, derived: tuple[Connection, ...]) -> Finding:
    words = [other.condition for other in derived if other.source == connection.source]
    fitting = [other for other in derived if other.source == connection.source]
    right = next((other for other in fitting if other.condition == connection.condition), None)
    remedy = (
        f"That keyword is for {drawn(right)}."
        if right is not None
        else hint(connection.condition, words, "Take it out: it does not follow from the stages.")
    )
    return Finding(
        source=pipeline.source,
        at=("connections", index),
        what=f"the connection {drawn(connection)} does not follow from the stages",
        remedy=remedy,
    )


def _missing(pipeline: Pipeline, connection: Connection) -> Finding:
    return Finding(
        source=pipeline.source,
        at=("connections",),
        what=f"the connection {drawn(connection)} is missing",
        remedy="Add it, or leave all connections out and they are worked out from the stages.",
    )


def drawn(connection: Connection) -> str:
    """A connection as one writes it on paper."""
    end = "the end" if connection.target is None else connection.target
    return f"{connection.source} -> {end} ({connection.condition})"
