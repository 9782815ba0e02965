"""What the components of a pipeline's agents must fulfil together: one owner each, requirements that can be met.

Pure; part of checks.py. Findings stand in the agents' files, even where a pipeline brings the parts together.
"""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from shiftboss.model.pipeline import Agent, Catalogue, ComponentSpec, Pipeline
from shiftboss.templates.finding import Finding, hint, listing


def component_findings(pipeline: Pipeline, catalogue: Catalogue) -> Iterator[Finding]:
    """Findings about the components that come together in a pipeline."""
    agents = catalogue.agents_of(pipeline)
    known = set(catalogue.components_of(pipeline))
    yield from _twice(agents)
    yield from _unknown(agents, known, f"no agent of pipeline '{pipeline.id}' has")
    yield from _cycles(agents)


def loose_findings(agents: Sequence[Agent], catalogue: Catalogue) -> Iterator[Finding]:
    """The same for agents in no pipeline, whose requirements may be met by any agent we know."""
    known = {spec.name for agent in catalogue.agents.values() for spec in agent.components}
    for agent in agents:
        yield from _twice([agent])
        yield from _cycles([agent])
    yield from _unknown(agents, known, "no agent has")


def _parts(agents: Sequence[Agent]) -> Iterator[tuple[Agent, int, ComponentSpec]]:
    for agent in agents:
        for index, spec in enumerate(agent.components):
            yield agent, index, spec


def _twice(agents: Sequence[Agent]) -> Iterator[Finding]:
    owners: dict[str, str] = {}
    for agent, index, spec in _parts(agents):
        if spec.name in owners:
            yield Finding(
                source=agent.source,
                at=("components", index, "name"),
                what=f"the component '{spec.name}' of agent '{agent.id}' already belongs to '{owners[spec.name]}'",
                remedy="A component has one owner: rename it, or leave it to the other agent.",
            )
        owners.setdefault(spec.name, agent.id)


def _unknown(agents: Sequence[Agent], known: set[str], whose: str) -> Iterator[Finding]:
    for agent, index, spec in _parts(agents):
        for position, name in enumerate(spec.requires):
            if name not in known:
                yield Finding(
                    source=agent.source,
                    at=("components", index, "requires", position),
                    what=f"the component '{spec.name}' requires '{name}', which {whose}",
                    remedy=hint(name, sorted(known), f"Components: {listing(sorted(known))}."),
                )


def _cycles(agents: Sequence[Agent]) -> Iterator[Finding]:
    places = {spec.name: (agent, index) for agent, index, spec in _parts(agents)}
    for cycle in find_cycles({spec.name: spec.requires for _, _, spec in _parts(agents)}):
        agent, index = places[cycle[0]]
        yield Finding(
            source=agent.source,
            at=("components", index, "requires"),
            what=f"components require each other in a circle: {' -> '.join((*cycle, cycle[0]))}",
            remedy="Take one of these requirements away: none of them could ever be started.",
        )


def find_cycles(requires: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Circles of names, enough that without them none is left; each begins with its first name by alphabet."""
    left = {name: {other for other in others if other in requires} for name, others in requires.items()}
    cycles: list[tuple[str, ...]] = []
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            ring: list[str] = list(reversed(error.args[1]))[:-1]  # each requires the next
            first = ring.index(min(ring))
            cycles.append((*ring[first:], *ring[:first]))
            left[ring[-1]].discard(ring[0])
        else:
            return tuple(cycles)
