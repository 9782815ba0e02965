"""What is declared about a stack: components, who owns them, in which order, and the ways to recover."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field

from shiftboss.model.pipeline import RECOVERY, Agent, Catalogue, ComponentSpec, Pipeline, PipelineKind
from shiftboss.model.recovery import Strategy
from shiftboss.model.value import Value

VALIDATION = "delegate_validation"
COMPLETE = "infrastructure_complete"
ESCALATE = "escalate"


class Stack(Value):
    """The declared side of a run, looked up by component name."""

    pipeline: Pipeline
    specs: Mapping[str, ComponentSpec]  #: in declared order
    owners: Mapping[str, Agent]  #: component -> agent that brings it up
    keywords: Mapping[str, str]  #: agent id -> the hub's word for sending it
    order: Mapping[str, int]  #: component -> declared position
    dependents: Mapping[str, tuple[str, ...]]  #: component -> those that require it directly
    shared: frozenset[str] = frozenset()  #: components that are one for all environments
    strategies: Sequence[Strategy] = ()
    recovery_agent: Agent | None = None
    agents: Mapping[str, Agent] = field(default_factory=dict[str, Agent])

    @property
    def only_tasks(self) -> bool:
        """Whether all there is to do is tasks that nothing looks at."""
        return all(spec.claimed for spec in self.specs.values())

    @property
    def complete(self) -> tuple[str, str]:
        """The keyword for an environment that has all that was wanted, and why it is given."""
        if not self.only_tasks:
            return COMPLETE, "no gap remains"
        if self.pipeline.kind is PipelineKind.SCRIPTED:
            return "complete", "the script came to its end"
        return COMPLETE, "every task is done, say their agents"

    def words(self, agent_id: str, keyword: str) -> tuple[str, str]:
        """The words for success and failure of an order: its stage's in a script, else its agent's."""
        if self.pipeline.kind is PipelineKind.SCRIPTED:
            return self.pipeline.stage(keyword).decisions[:2]  # pyright: ignore[reportReturnType] - checked on loading
        agent = self.agents[agent_id]
        return agent.success, agent.failure

    def closure(self, names: Sequence[str]) -> tuple[str, ...]:
        """The named components and all they require, in declared order; all when none is named."""
        if not names:
            return tuple(self.specs)
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.specs[name].requires)
        return tuple(name for name in self.specs if name in found)

    def downstream(self, name: str) -> tuple[str, ...]:
        """All that require the component, directly or not, in declared order."""
        found: set[str] = set()
        waiting = list(self.dependents[name])
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting.extend(self.dependents[one])
        return tuple(sorted(found, key=self.order.__getitem__))


def stack_of(
    pipeline: Pipeline, catalogue: Catalogue, strategies: Sequence[Strategy], without: Collection[str] = ()
) -> Stack:
    """Everything the engine looks up, from the pipeline's agents; `without` components that nothing left requires."""
    agents = catalogue.agents_of(pipeline)
    tasks = catalogue.tasks_of(pipeline)
    declared = {**catalogue.components_of(pipeline), **{name: spec for name, (spec, _) in tasks.items()}}
    specs = {name: spec for name, spec in declared.items() if name not in without}
    dependents: dict[str, list[str]] = {name: [] for name in specs}
    for spec in specs.values():
        for required in spec.requires:
            dependents[required].append(spec.name)
    return Stack(
        pipeline=pipeline,
        specs=specs,
        owners={
            **{spec.name: agent for agent in agents for spec in agent.components if spec.name in specs},
            **{name: agent for name, (_, agent) in tasks.items()},
        },
        keywords={agent.id: keyword_of(pipeline, agent) for agent in agents if not agent.is_hub},
        order={name: index for index, name in enumerate(specs)},
        dependents={name: tuple(found) for name, found in dependents.items()},
        shared=frozenset(spec.name for spec in specs.values() if spec.shared),
        strategies=tuple(sorted(strategies, key=lambda strategy: strategy.radius)),
        recovery_agent=next((agent for agent in agents if agent.delegation == RECOVERY), None),
        agents={agent.id: agent for agent in agents},
    )


def keyword_of(pipeline: Pipeline, agent: Agent) -> str:
    """The hub's word for sending an agent: the agent's own, or derived from its stage's id."""
    if agent.delegation:
        return agent.delegation
    stage = next(stage for stage in pipeline.stages if stage.agent == agent.id)
    return f"delegate_{stage.id.removeprefix('handle_')}_setup"
