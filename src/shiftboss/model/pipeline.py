"""The template side as values: agents with their components, pipelines with their stages and connections.

Built by templates/ from agent and pipeline files, read by engine/ and brains/. Nothing here reads a file or knows
of JSON: what stands here has been checked. The words are those of the original file format.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.value import Value

HUB_HANDLER = "hub"  #: what an agent file writes as its handler when the hub itself is meant
COMMAND_HANDLER = "command"  #: a program, run once per order
LLM_HANDLER = "llm"  #: its system prompt, carried out by the model that is set
CLAUDE_HANDLER = "claude"  #: its system prompt, carried out by Claude's own agent program
PROMPT_HANDLERS = frozenset({LLM_HANDLER, CLAUDE_HANDLER})
KINDS = frozenset({HUB_HANDLER, COMMAND_HANDLER, *PROMPT_HANDLERS})
"""Words that stand where else a `module:function` stands."""

INHERIT = "inherit"  #: a stage's agent is told what the run was asked, and the notes people wrote to it
RECOVERY = "delegate_recovery"  #: the hub's word for sending whoever recovers

ISOLATED = "isolated"  #: it is told its stage's task and the outputs of its stage's inputs, and nothing else of the run


TASK_SECONDS = 600.0
"""How long a task may take whose agent says nothing of it."""


class PipelineKind(StrEnum):
    """Who chooses the next stage."""

    HUB = "hub"  #: the brain, from what it observes
    SCRIPTED = "scripted"  #: the connections, from the keyword of the last stage


class StageMode(StrEnum):
    """What a scripted stage does to its components."""

    FORCE = "force"  #: do the work again, whatever is there (what the old pipeline did)
    ENSURE = "ensure"  #: do the work only where it is missing
    VERIFY = "verify"  #: look only; change nothing
    RECOVER = "recover"  #: recover from the last failure


class ComponentSpec(Value):
    """A part of the stack as its agent declares it."""

    name: str
    probe: str = ""  #: module:function (or /path/file.py:function) that looks at it; empty: see `asks`
    asks: tuple[str, ...] = ()  #: a command that looks at it; without probe and command it is only claimed
    requires: tuple[str, ...] = ()  #: components that must be ready first
    locks: tuple[str, ...] = ()  #: names of what only one delegation at a time may hold
    estimate: float = 1.0  #: seconds its work is expected to take, until durations are learned
    patience: float = 30.0  #: seconds it may stay STARTING before that counts as a failure
    deadline: float = 60.0  #: seconds one delegation may take
    shared: bool = False  #: one for all environments of a working directory: worked on in one of them at a time
    description: str = ""

    @property
    def claimed(self) -> bool:
        """Whether nothing looks at it: its agent's word is all there is (the task of an agent without components)."""
        return not (self.probe or self.asks)


class HandlerOptions(Value):
    """How a handler that is no Python function does its work; each kind reads its own part."""

    argv: tuple[str, ...] = ()  #: command: program and arguments; may hold {component} {environment} {mode} ...
    environment: Mapping[str, str] = field(default_factory=dict[str, str])  #: command: further variables
    folder: str = ""  #: command: where it runs; empty: beside the agent's file
    outcomes: Mapping[str, str] = field(default_factory=dict[str, str])  #: command: exit code -> decision
    seconds: float | None = None  #: time limit of one order, if shorter than its deadline
    tools: tuple[str, ...] = ()  #: prompts: what it may use; empty: only look
    commands: tuple[tuple[str, ...], ...] = ()  #: llm: beginnings of commands it may run
    steps: int = 12  #: prompts: answers per order
    model: str = ""  #: prompts: another model than brain.model
    money: float = 0.5  #: claude: US dollars per order


class Agent(Value):
    """A declared specialist: what it owns, what it may answer and the callable that does its work.

    The first decision means success, the second failure, further ones are special outcomes.
    """

    id: str
    name: str = ""
    role: str = ""
    description: str = ""
    expertise: tuple[str, ...] = ()
    system_prompt: str = ""  #: text for a language model; a Python handler does not read it
    output_format: str = ""
    decisions: tuple[str, ...]
    decision_notes: Mapping[str, str] = field(default_factory=dict[str, str])
    delegation: str | None = None  #: the keyword by which the hub sends for it
    handler: str | None = None  #: module:function, /path/file.py:function, or one of KINDS
    options: HandlerOptions = HandlerOptions()
    components: tuple[ComponentSpec, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict[str, float])
    source: str = ""  #: the file it was read from

    @property
    def is_hub(self) -> bool:
        """Whether the hub itself is meant: such an agent decides and is never delegated to."""
        return self.handler == HUB_HANDLER

    @property
    def success(self) -> str:
        """The keyword that means the work is done."""
        return self.decisions[0]

    @property
    def failure(self) -> str:
        """The keyword that means the work could not be done."""
        return self.decisions[1]


class Stage(Value):
    """One place of a pipeline: an agent and what it may answer there."""

    id: str
    agent: str
    name: str = ""
    description: str = ""
    inputs: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()  #: first success, second failure, then special outcomes
    decision_notes: Mapping[str, str] = field(default_factory=dict[str, str])
    task: str = ""  #: what this stage asks of its agent, beyond the agent's own prompt
    context: str = INHERIT  #: what of the run its agent is told, beside its task and its inputs: INHERIT or ISOLATED
    components: tuple[str, ...] = ()  #: scripted only: what the stage works on
    mode: StageMode | None = None  #: scripted only


class Connection(Value):
    """One way out of a stage: taken when the stage answers `condition`; no target ends the run."""

    source: str
    target: str | None
    condition: str
    description: str = field(default="", compare=False)


class Pipeline(Value):
    """A template: the stages and the connections between them."""

    id: str
    name: str = ""
    description: str = ""
    version: str = ""
    kind: PipelineKind
    stages: tuple[Stage, ...]
    connections: tuple[Connection, ...]
    start: str  #: id of the first stage; in a hub pipeline the hub's own
    extends: str | None = None  #: id of the pipeline whose stages come first
    contains: tuple[str, ...] = ()  #: ids of the pipelines whose stages stand in it as sub-pipelines
    replaced_by: str | None = None  #: scripted only: id of the hub pipeline that takes its place
    source: str = ""  #: the file it was read from

    @property
    def deprecation(self) -> str:
        """What to use instead, in a sentence; empty for a hub pipeline."""
        if self.kind is PipelineKind.HUB:
            return ""
        said = f"{self.id} is a scripted pipeline, which is deprecated"
        if self.replaced_by:
            return f"{said}; use --pipeline {self.replaced_by}, which does only what is missing"
        return f"{said}; write a hub pipeline (docs/how-to/migrate.md), name it in metadata.replacedBy, and compare"

    def stage(self, stage_id: str) -> Stage:
        """The stage of that id.

        Raises:
            KeyError: There is none.
        """
        for stage in self.stages:
            if stage.id == stage_id:
                return stage
        raise KeyError(stage_id)

    def outgoing(self, stage_id: str) -> tuple[Connection, ...]:
        """The connections that leave a stage, as written."""
        return tuple(connection for connection in self.connections if connection.source == stage_id)

    def target(self, stage_id: str, keyword: str) -> Connection | None:
        """The connection a stage takes for a keyword, or None where none is drawn."""
        for connection in self.outgoing(stage_id):
            if connection.condition == keyword:
                return connection
        return None


def does_tasks(agent: Agent, mode: StageMode | None) -> bool:
    """Whether an agent works on no component in a stage of this mode: then only its word says how it went."""
    owns_or_sends = bool(agent.components) or agent.is_hub or agent.delegation == RECOVERY
    return not owns_or_sends and mode not in (StageMode.VERIFY, StageMode.RECOVER)


class Catalogue(Value):
    """Every agent and pipeline known to a run, and what was odd about their files."""

    agents: Mapping[str, Agent]
    pipelines: Mapping[str, Pipeline]
    warnings: tuple[Diagnostic, ...] = ()

    def agents_of(self, pipeline: Pipeline) -> tuple[Agent, ...]:
        """The agents of a pipeline's stages, each once, in the order of the stages.

        Raises:
            KeyError: A stage names an agent that is not here.
        """
        names = dict.fromkeys(stage.agent for stage in pipeline.stages)
        return tuple(self.agents[name] for name in names)

    def tasks_of(self, pipeline: Pipeline) -> dict[str, tuple[ComponentSpec, Agent]]:
        """What the agents that look after no component do, by stage: each a component that is only claimed."""
        found: dict[str, tuple[ComponentSpec, Agent]] = {}
        for stage in pipeline.stages:
            agent = self.agents[stage.agent]
            if not does_tasks(agent, stage.mode):
                continue
            needs = tuple(name for name in stage.inputs if name in found and pipeline.kind is PipelineKind.HUB)
            seconds = agent.options.seconds or agent.limits.get("seconds", TASK_SECONDS)
            spec = ComponentSpec(name=stage.id, requires=needs, estimate=10.0, deadline=seconds)
            found[stage.id] = (spec.but(description=stage.description or agent.description), agent)
        return found

    def components_of(self, pipeline: Pipeline) -> dict[str, ComponentSpec]:
        """The components of a pipeline's agents by name, in the order of the stages."""
        return {spec.name: spec for agent in self.agents_of(pipeline) for spec in agent.components}
