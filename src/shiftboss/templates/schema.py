"""The two file formats as pydantic models: the shape of users' files, and the JSON Schemas we ship.

Called by user.py (through shape.py) and scripts/make_schemas.py. The models only say whether the shape is right;
values are built by build.py from the same data. Importing this costs about 160 ms, so nothing that starts a run may
import it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Keyword = Annotated[str, Field(pattern=r"^\w+$", description="one word, as an agent answers it")]
Target = Annotated[str, Field(pattern=r"^[^:]+:[A-Za-z_]\w*$", description="module:function or ./file.py:function")]
HandlerText = Annotated[
    str,
    Field(
        pattern=r"^(hub|llm|claude|command|[^:]+:[A-Za-z_]\w*)$",
        description="module:function, ./file.py:function, hub, llm or claude",
    ),
]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Argv = Annotated[list[str], Field(min_length=1, description="program and arguments; ./program stands beside this file")]
ExitCode = Annotated[str, Field(pattern=r"^\d{1,3}$")]
KIND_WORDS = ("python", "command", "llm", "claude")  #: what a handler written as an object may be


def _form(value: object) -> str:
    return "object" if isinstance(value, Mapping) else "text"


def _lines(value: object) -> str:
    return "lines" if isinstance(value, list) else "one"


Text = Annotated[
    Annotated[str, Tag("one")] | Annotated[list[str], Tag("lines")],
    Discriminator(_lines),
    Field(description="a text, or the list of its lines"),
]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, validate_by_alias=True, validate_by_name=False)


class DecisionForm(_Form):
    """One keyword an agent may answer, with what it means."""

    choice: Keyword | None = None
    id: Keyword | None = None
    name: Keyword | None = None
    description: str = ""

    @model_validator(mode="before")  # 'after' would not run beside an unknown key, which is only a warning
    @classmethod
    def _has_a_keyword(cls, data: object) -> object:
        if isinstance(data, Mapping) and not any(data.get(key) for key in ("choice", "id", "name")):  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] (any JSON)
            raise PydanticCustomError("no_keyword", "a decision needs its keyword")
        return data  # pyright: ignore[reportUnknownVariableType] (any JSON)


Decisions = list[
    Annotated[Annotated[Keyword, Tag("text")] | Annotated[DecisionForm, Tag("object")], Discriminator(_form)]
]


class PythonForm(_Form):
    """A handler that is a Python function."""

    kind: Literal["python"]
    target: Target


class CommandForm(_Form):
    """A handler that is a program, run once per order."""

    kind: Literal["command"]
    argv: Argv
    environment: dict[str, str] = Field(default={}, description="further variables")
    folder: str = Field(default="", description="where it runs; left out: beside this file")
    outcomes: dict[ExitCode, Keyword] = Field(default={}, description="exit code -> decision; else 0 is success")
    seconds: Seconds | None = Field(default=None, description="time limit of one order, if shorter than its deadline")


class LlmForm(_Form):
    """A handler that is the agent's system prompt, carried out by the model that is set."""

    kind: Literal["llm"]
    tools: list[Literal["read_file", "list_files", "tail_log", "http_get", "check_port", "run_command"]] = []
    commands: list[str | list[str]] = Field(default=[], description="beginnings of commands that run_command may run")
    steps: Annotated[int, Field(gt=0)] = Field(default=12, description="answers per order")
    model: str = Field(default="", description="another model than brain.model")
    seconds: Seconds | None = None


ClaudeTool = Literal[
    "Read", "Glob", "Grep", "Edit", "Write", "Bash", "read_file", "list_files", "tail_log", "run_command"
]


class ClaudeForm(_Form):
    """A handler that is the agent's system prompt, carried out by Claude's own agent program."""

    kind: Literal["claude"]
    tools: list[ClaudeTool] = Field(
        default=[], description="as that program names them, or as we do; else only to look"
    )
    commands: list[str | list[str]] = Field(default=[], description="beginnings of commands that Bash may run")
    steps: Annotated[int, Field(gt=0)] = 12
    model: str = ""
    money: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(default=0.5, description="US dollars per order")
    seconds: Seconds | None = None


class ProbeForm(_Form):
    """A probe that is a program: exit code 0 means that the component is ready."""

    kind: Literal["command"]
    argv: Argv


def _known_kind(value: object) -> object:
    if isinstance(value, Mapping) and value.get("kind") not in KIND_WORDS:  # pyright: ignore[reportUnknownMemberType] (any JSON)
        raise PydanticCustomError("no_kind", "a handler written as an object has a kind")
    return value  # pyright: ignore[reportUnknownVariableType] (any JSON)


def _kind(value: object) -> str:
    return str(value.get("kind")) if isinstance(value, Mapping) else "text"  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] (any JSON)


Handler = Annotated[
    Annotated[
        Annotated[HandlerText, Tag("text")]
        | Annotated[PythonForm, Tag("python")]
        | Annotated[CommandForm, Tag("command")]
        | Annotated[LlmForm, Tag("llm")]
        | Annotated[ClaudeForm, Tag("claude")],
        Discriminator(_kind),
    ],
    BeforeValidator(_known_kind),
]
Probe = Annotated[
    Annotated[Target, Tag("text")] | Annotated[ProbeForm, Tag("object")],
    Discriminator(_form),
    Field(description="looks at the component and changes nothing"),
]


class ComponentForm(_Form):
    """A part of the stack this agent owns."""

    name: Id
    requires: list[Id] = Field(default=[], description="components that must be ready first")
    probe: Probe
    locks: list[Id] = Field(default=[], description="names of what only one delegation at a time may hold")
    estimate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=1.0, description="seconds the work is expected to take"
    )
    shared: bool = Field(default=False, description="it is one for all environments of a working directory")
    patience: Seconds = Field(default=30.0, description="seconds it may be starting before that is a failure")
    deadline: Seconds = Field(default=60.0, description="seconds one delegation may take")
    description: str = ""


class AgentForm(_Form):
    """A specialist: what it owns, what it may answer, and the callable that does its work."""

    schema_: str | None = Field(default=None, alias="$schema")
    id: Id
    name: str = ""
    role: str = ""
    description: str = ""
    expertise: list[str] = []
    system_prompt: Text | None = Field(
        default=None, alias="systemPrompt", description="for a language model; a text or the list of its lines"
    )
    output_format: Text | None = Field(default=None, alias="outputFormat")
    decisions: Decisions = Field(description="first success, second failure, then special outcomes")
    delegation: Keyword | None = Field(default=None, description="the keyword by which the hub sends for it")
    handler: Handler | None = None
    components: list[ComponentForm] = []
    limits: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = {}


class StageForm(_Form):
    """One place of a pipeline: an agent and what it may answer there."""

    id: Id
    name: str = ""
    agent: str
    description: str = ""
    task: Text = Field(default="", description="what the stage asks of its agent, beyond the agent's own prompt")
    context: Literal["inherit", "isolated"] = Field(
        default="inherit", description="isolated: its agent is told its task and inputs only"
    )
    inputs: list[str] = []
    decisions: Decisions = Field(default=[], description="left out: the agent's own")
    components: list[Id] = Field(default=[], description="scripted only; left out: all of the agent's")
    mode: Literal["force", "ensure", "verify", "recover"] | None = Field(
        default=None, description="scripted only; left out: force"
    )


class SubPipelineForm(_Form):
    """A place of a pipeline where the stages of another, scripted pipeline stand."""

    id: Id
    name: str = ""
    pipeline: str = Field(description="id of the other pipeline")
    description: str = ""
    task: Text = Field(default="", description="what the inner stages are asked, before their own tasks")
    context: Annotated[
        Annotated[Literal["inherit", "isolated"], Tag("one")] | Annotated[list[str], Tag("lines")],
        Discriminator(_lines),
    ] = Field(
        default="inherit",
        description="what inner stages know of this run: inherit (all of it, and the inputs), isolated (only the task),"
        " or the list of the stages whose outputs they are given",
    )
    inputs: list[str] = []
    decisions: Decisions = Field(default=[], description="the keywords of its connections; left out: as drawn")


def _stage_kind(value: object) -> str:
    return "sub_pipeline" if isinstance(value, Mapping) and value.get("pipeline") else "stage"  # pyright: ignore[reportUnknownMemberType] (any JSON)


Stages = Annotated[
    list[
        Annotated[
            Annotated[StageForm, Tag("stage")] | Annotated[SubPipelineForm, Tag("sub_pipeline")],
            Discriminator(_stage_kind),
        ]
    ],
    Field(min_length=1),
]


class ConnectionForm(_Form):
    """One way out of a stage; `to: null` ends the run."""

    from_: str = Field(alias="from")
    to: str | None
    condition: str
    description: str = ""


class FlowForm(_Form):
    """The connections, where they are not written at the top level."""

    type: str = ""
    description: str = ""
    connections: list[ConnectionForm] = []


class MetadataForm(BaseModel):
    """What people note about a pipeline; any further keys may stand here."""

    model_config = ConfigDict(extra="allow", strict=True, validate_by_alias=True, validate_by_name=False)

    replaced_by: Id | None = Field(
        default=None,
        alias="replacedBy",
        description="scripted only: id of the hub pipeline that takes its place, named when it runs",
    )


class PipelineForm(_Form):
    """A template: its stages, and the connections unless they can be derived (hub pipelines)."""

    schema_: str | None = Field(default=None, alias="$schema")
    id: Id
    name: str = ""
    description: str = ""
    version: str | float = ""
    category: str = ""
    extends: str | None = Field(default=None, description="id of a hub pipeline whose stages come first")
    stages: Stages
    connections: list[ConnectionForm] = []
    flow: FlowForm | None = None
    metadata: MetadataForm = MetadataForm()


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas of both file kinds, by the name they are shipped under."""
    forms: dict[str, type[BaseModel]] = {"agent": AgentForm, "pipeline": PipelineForm}
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {kind: dialect | form.model_json_schema(by_alias=True) for kind, form in forms.items()}
