"""What a command is started with: its arguments, and the few environment variables it gets.

The order and everything around it goes along as JSON in SHIFTBOSS_ORDER. Of the caller's own environment only what
every program needs is passed on: keys and passwords stay here unless the agent's file asks for one by name.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation
from shiftboss.model.pipeline import Agent
from shiftboss.model.untrusted import beginning
from shiftboss.system.workbench import Workbench

ORDER = "SHIFTBOSS_ORDER"

_PASSED_ON = frozenset({"PATH", "HOME", "LANG", "TERM", "TMPDIR", "USER"})
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}|\{(\w+)\}")
_BORROWED = re.compile(r"\$(\w+)")
_TEXT, _WHOLE = 16_000, 100_000  # Linux takes 128 KiB for one argument or variable (MAX_ARG_STRLEN)


def ordinary_variables(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What every program needs of our environment."""
    return {name: value for name, value in environ.items() if name in _PASSED_ON or name.startswith("LC_")}


def declared_variables(agent: Agent, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of the agent's file; `$NAME` stands for one of the caller's.

    Raises:
        Failed: the caller has none of that name.
    """
    found: dict[str, str] = {}
    for name, value in agent.options.environment.items():
        borrowed = _BORROWED.fullmatch(value)
        if borrowed and borrowed[1] not in environ:
            raise Failed(FailureKind.CONFIG, f"{agent.id} needs the environment variable {borrowed[1]}; set it")
        found[name] = environ[borrowed[1]] if borrowed else value
    return found


def filled_in(argv: Sequence[str], values: Mapping[str, str], who: str) -> list[str]:
    """The arguments with their placeholders filled in, each in one pass; `{{x}}` stands for `{x}` itself.

    Raises:
        Failed: an unknown placeholder, or no program at all (kind CONFIG).
    """
    if not argv:
        raise Failed(FailureKind.CONFIG, f"{who} names no command; give it an argv")

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return f"{{{found[1]}}}"
        if found[2] not in values:
            known = " ".join(f"{{{name}}}" for name in values)
            raise Failed(
                FailureKind.CONFIG, f"{who} has the unknown placeholder {{{found[2]}}} in its command; known: {known}"
            )
        return values[found[2]]

    return [_PLACEHOLDER.sub(value, word) for word in argv]


def values_for(order: Delegation, bench: Workbench) -> dict[str, str]:
    """What a command's placeholders stand for."""
    return {
        **whereabouts(order.component, bench),
        "mode": str(order.mode),
        "strategy": order.strategy or "",
        "attempt": str(order.attempt),
        "prompt": beginning(bench.brief.prompt, _TEXT),
    }


def whereabouts(component: str, bench: Workbench) -> dict[str, str]:
    """What also a probe's placeholders stand for: which part it is, and where it lives."""
    return {
        "component": component,
        "environment": bench.environment.name,
        "folder": str(bench.environment.folder.absolute()),
        "workdir": str(bench.home.absolute()),
    }


def order_text(order: Delegation, bench: Workbench, decisions: Sequence[str]) -> str:
    """The order and the words around it as JSON, short enough for a variable."""
    most = _TEXT
    while len((text := _order_text(order, bench, decisions, most)).encode()) > _WHOLE and most > 1:
        most //= 2
    return text


def _order_text(order: Delegation, bench: Workbench, decisions: Sequence[str], most: int) -> str:
    brief = bench.brief
    said = {
        "component": order.component,
        "environment": order.environment,
        "mode": str(order.mode),
        "strategy": order.strategy,
        "attempt": order.attempt,
        "failure": order.failure,
        "prompt": beginning(brief.prompt, most),
        "task": beginning(brief.task, most),
        "inputs": {name: beginning(text, most) for name, text in brief.inputs.items()},
        "notes": {str(number): beginning(text, most) for number, text in brief.notes.items()},
        "decisions": list(decisions),
        "meanings": dict(brief.meanings),
    }
    return json.dumps(said, ensure_ascii=False)


def folder_of(source: str, folder: str, bench: Workbench) -> Path:
    """Where a command runs: the folder that is set, seen from the agent's file; else beside the file."""
    beside = Path(source).absolute().parent if source else bench.environment.folder.absolute()
    return beside / folder
