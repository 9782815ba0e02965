"""What an agent must fulfil for itself: a prompt where one is needed, a handler, decisions that fit.

Pure; part of checks.py.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from shiftboss.model.diagnostic import Severity
from shiftboss.model.pipeline import COMMAND_HANDLER, PROMPT_HANDLERS, Agent
from shiftboss.templates.finding import DocumentPath, Finding, hint, listing


def agent_findings(agent: Agent) -> Iterator[Finding]:
    """Findings about one agent."""
    yield from _prompt_findings(agent)
    if agent.handler is None:
        yield Finding(
            source=agent.source,
            what=f"agent '{agent.id}' names no handler, so nothing would do its work",
            remedy="Add a 'handler': module:function, or ./file.py:function for a file beside this one.",
        )
    if agent.handler == COMMAND_HANDLER:
        yield from _command_findings(agent)
    yield from _decision_findings(agent)
    if agent.is_hub and (agent.components or agent.delegation):
        yield Finding(
            source=agent.source,
            what=f"agent '{agent.id}' is the hub, which only decides, but has components or a delegation keyword",
            remedy="Give the components to an agent with a handler of its own.",
        )


def _prompt_findings(agent: Agent) -> Iterator[Finding]:
    if agent.system_prompt.strip() or agent.handler == COMMAND_HANDLER:
        return
    needed = agent.handler in PROMPT_HANDLERS
    yield Finding(
        source=agent.source,
        what=f"agent '{agent.id}' has no system prompt",
        remedy="Add a 'systemPrompt': it is what the model is to carry out."
        if needed
        else "Add a 'systemPrompt'; without one no language model can do its work.",
        severity=Severity.ERROR if needed else Severity.WARNING,
        topic="agent without prompt",
    )


def _command_findings(agent: Agent) -> Iterator[Finding]:
    if not agent.options.argv:
        yield Finding(
            source=agent.source,
            at=("handler",),
            what=f"agent '{agent.id}' has a command as its handler, but not which",
            remedy='Write it as {"kind": "command", "argv": ["./program", "argument"]}.',
        )
    for code, word in agent.options.outcomes.items():
        if word not in agent.decisions:
            yield Finding(
                source=agent.source,
                at=("handler", "outcomes", code),
                what=f"exit code {code} means '{word}', which agent '{agent.id}' does not declare",
                remedy=hint(word, agent.decisions, f"It declares {listing(agent.decisions)}."),
            )
        if int(code) > 255:
            yield Finding(
                source=agent.source,
                at=("handler", "outcomes", code),
                what=f"no program ends with exit code {code}",
                remedy="Exit codes are 0 to 255.",
            )


def program_findings(agent: Agent) -> Iterator[Finding]:
    """Programs named by their path that can't be started; called by user.py, which may look at the disk."""
    programs: list[tuple[DocumentPath, tuple[str, ...]]] = [(("handler", "argv"), agent.options.argv)]
    programs += [(("components", index, "probe", "argv"), spec.asks) for index, spec in enumerate(agent.components)]
    for at, argv in programs:
        wrong = _program_wrong(Path(argv[0])) if argv and Path(argv[0]).is_absolute() else None
        if wrong is not None:
            yield Finding(source=agent.source, at=(*at, 0), what=wrong[0], remedy=wrong[1])


def _program_wrong(program: Path) -> tuple[str, str] | None:
    """What is wrong with a program, and what to do."""
    if not program.exists():
        return f"there is no program {program}", "Check the path; ./program stands beside this file."
    if program.is_dir():
        return f"{program} is a folder, no program", "Name the program in it."
    if not os.access(program, os.X_OK):
        return f"{program} may not be executed", f"chmod +x {program}"
    return None


def _decision_findings(agent: Agent) -> Iterator[Finding]:
    if len(agent.decisions) < 2:
        yield Finding(
            source=agent.source,
            at=("decisions",),
            what=f"agent '{agent.id}' needs at least two decisions",
            remedy="Write the keyword for success first and the one for failure second.",
        )
    for index, word in enumerate(agent.decisions):
        if word in agent.decisions[:index]:
            yield Finding(
                source=agent.source,
                at=("decisions", index),
                what=f"agent '{agent.id}' lists the decision '{word}' twice",
                remedy="Each keyword stands once.",
            )
