"""The tools an agent that is a prompt may use. All are small, bounded in time and size, and most can only look.

What may be used is settled by the agent's file and by consent, before a model says anything: an answer, or a text that
a tool has found, can widen nothing. Every use is told to the journal, also one that was not allowed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from shiftboss.errors import Failed
from shiftboss.handlers.tool_command import run_command
from shiftboss.handlers.tool_files import list_files, read_file, tail_log
from shiftboss.handlers.tool_net import check_port, http_get
from shiftboss.handlers.tool_place import NotAllowed, ToolPlace
from shiftboss.model.events import ToolUsed
from shiftboss.model.failure import FailureKind
from shiftboss.model.untrusted import beginning, clean, sentence
from shiftboss.model.value import Value

RESULT = 4_000
"""Characters of what a tool has found that are put before the model."""

_SECONDS = 15.0  # for a tool that only looks
_ARGUMENT, _TOLD = 1_000, 300


class Tool(Value):
    """One tool: what it does, for the model, and the function that does it."""

    doc: str
    use: Callable[[str, ToolPlace], Awaitable[str]]
    looks: bool = True  #: it changes nothing


class Used(Value):
    """What came of using a tool, fit to be shown."""

    allowed: bool
    text: str
    change: str = ""  #: what may have been changed by it


TOOLS: Mapping[str, Tool] = {
    "read_file": Tool(doc="argument: a file of the environment's folder; its text", use=read_file),
    "list_files": Tool(doc="argument: a folder of the environment, or nothing; names and sizes", use=list_files),
    "tail_log": Tool(doc="argument: a component or a log file; its last lines", use=tail_log),
    "http_get": Tool(doc="argument: an http:// address on this machine; status and body", use=http_get),
    "check_port": Tool(doc="argument: a TCP port of this machine; whether something answers there", use=check_port),
    "run_command": Tool(doc="argument: a command line; its exit code and output", use=run_command, looks=False),
}
LOOKING = tuple(name for name, tool in TOOLS.items() if tool.looks)


def tools_named(names: Sequence[str], who: str) -> tuple[str, ...]:
    """The tools an agent's file names; those that only look where it names none.

    Raises:
        Failed: there is no such tool (kind CONFIG).
    """
    for name in names:
        if name not in TOOLS:
            raise Failed(FailureKind.CONFIG, f"{who} names the unknown tool {name}; there are {', '.join(TOOLS)}")
    return tuple(dict.fromkeys(names)) or LOOKING


async def use_tool(name: str, argument: str, allowed: Sequence[str], place: ToolPlace) -> Used:
    """Use a tool, or say why not; told to the journal either way."""
    argument = clean(argument)[:_ARGUMENT].strip()
    clock = place.bench.clock
    began = clock.monotonic()
    used = await _used(name, argument, allowed, place)
    place.bench.tell(
        ToolUsed(
            delegation=place.order.id,
            tool=name,
            argument=sentence(argument),
            allowed=used.allowed,
            result=sentence(used.text, _TOLD),
            seconds=round(clock.monotonic() - began, 3),
        )
    )
    return used


async def _used(name: str, argument: str, allowed: Sequence[str], place: ToolPlace) -> Used:
    if name not in allowed or name not in TOOLS:
        return Used(allowed=False, text=f"not allowed: there is no tool {sentence(name, 60)} here")
    tool = TOOLS[name]
    seconds = min(_SECONDS, place.seconds) if tool.looks else place.seconds
    change = "" if tool.looks else f"ran {sentence(argument)}"
    try:
        async with asyncio.timeout(seconds):
            return Used(allowed=True, text=beginning(await tool.use(argument, place), RESULT), change=change)
    except NotAllowed as error:
        return Used(allowed=False, text=clean(f"not allowed: {error}"))
    except TimeoutError:
        return Used(allowed=True, text=f"it took longer than {seconds:g} s", change=change)
    except (OSError, ValueError, Failed) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Used(allowed=True, text=beginning(f"it failed: {why}", RESULT), change=change)
