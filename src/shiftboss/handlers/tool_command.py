"""The tool that runs commands: only those whose beginning the agent's file lists, and only where consent allows it.

No shell is involved: `;`, `|` and `$( )` are plain characters of an argument.
"""

import shlex
from collections.abc import Sequence

from shiftboss.handlers.command_order import ordinary_variables
from shiftboss.handlers.sweeping import swept
from shiftboss.handlers.tool_place import NotAllowed, ToolPlace
from shiftboss.model.consent import Answer
from shiftboss.model.move import Risk
from shiftboss.model.untrusted import ending
from shiftboss.system.workbench import Workbench

_SECONDS = 60.0
_BYTES = 100_000
_SHOWN = 1_800


async def run_command(argument: str, place: ToolPlace) -> str:
    """The exit code of a command and the end of what it printed."""
    argv = allowed_command(argument, place.commands, place.bench)
    async with swept(place.order, place.bench):
        result = await place.bench.processes.run_tool(
            argv,
            timeout=min(_SECONDS, place.seconds),
            cwd=place.folder,
            run=place.order.run,
            delegation=place.order.id,
            inherited=ordinary_variables(),
            limit_bytes=_BYTES,
        )
    shown = {name: ending(getattr(result, name), _SHOWN, cut=result.truncated) for name in ("stdout", "stderr")}
    return "\n".join([f"exit code {result.code}", *(f"{name}: {text}" for name, text in shown.items() if text)])


def allowed_command(line: str, beginnings: Sequence[Sequence[str]], bench: Workbench) -> list[str]:
    """A command line as arguments.

    Raises:
        NotAllowed: it begins with none of what is listed, or consent does not allow commands.
        ValueError: its quotes do not match.
    """
    if bench.rules.get(Risk.DISRUPTIVE) is not Answer.ALLOW:
        raise NotAllowed("commands need consent to what is disruptive (consent.disruptive = allow)")
    argv = shlex.split(line)
    if not any(beginning and argv[: len(beginning)] == list(beginning) for beginning in beginnings):
        known = "; ".join(shlex.join(beginning) for beginning in beginnings) or "none"
        raise NotAllowed(f"commands must begin with one of: {known}")
    return argv
