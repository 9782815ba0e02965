"""What agents that are prompts or commands have in common: their words become an outcome, and say which notes are met.

The word comes from the agent's own short list and decides nothing but the outcome's kind: probes judge it afterwards.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shiftboss.contracts import Handler
from shiftboss.model.events import NoteAddressed
from shiftboss.model.failure import Failure, FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.outcome import Outcome, Status, done
from shiftboss.model.pipeline import Agent
from shiftboss.model.untrusted import sentence
from shiftboss.system.workbench import Workbench

_ADDRESSED = re.compile(
    r"^[ \t>#*_`-]{0,12}(?:NOTE|FEEDBACK)_ADDRESSED(?![A-Za-z0-9])"
    r"[ \t*_`:#]{0,8}(\d{1,6}(?:[ \t,#]{1,4}\d{1,6}){0,20}(?!\w))?",
    re.MULTILINE,
)


def decisions_of(agent: Agent, bench: Workbench) -> tuple[str, ...]:
    """What the agent may answer here: what its stage says, or else what it says itself."""
    return bench.brief.decisions if len(bench.brief.decisions) > 1 else agent.decisions


def outcome_of(
    word: str,
    words: Sequence[str],
    order: Delegation,
    *,
    summary: str,
    changes: Sequence[str] = (),
    evidence: Mapping[str, Any] | None = None,
    kind: FailureKind = FailureKind.CRASHED,
) -> Outcome:
    """The outcome for one of an agent's words: the first is success, the second failure, others are special."""
    held = dict(evidence or {})
    line = sentence(summary) or word
    if word in words[1:2]:
        failure = Failure(component=order.component, kind=kind, message=line, evidence=held)
        return Outcome(status=Status.FAILED, summary=line, changes=tuple(changes), failure=failure, evidence=held)
    special = word if word not in words[:1] else None
    return done(line, *changes, **held).but(special=special)


def address_notes(text: str, agent: Agent, bench: Workbench) -> None:
    """Tell which open notes a text says it has met: `NOTE_ADDRESSED 1, 2`, or all without a number."""
    lists = [found[1] for found in _ADDRESSED.finditer(text)]
    every = None in lists
    named = set(re.findall(r"\d+", " ".join(one or "" for one in lists)))
    for note in bench.brief.notes:
        if every or str(note) in named:
            bench.tell(NoteAddressed(note=note, by=agent.id))


def seconds_for(agent: Agent, order: Delegation) -> float:
    """How long an order may take: what its agent's file says, and never longer than its deadline."""
    return min(agent.options.seconds or order.deadline, order.deadline)


def takes_away(order: Delegation) -> bool:
    """Whether the order is to stop something or to take something back."""
    return order.mode in {Mode.REMOVE, Mode.UNDO}


def keeping(handler: Handler) -> Handler:
    """The handler, for an agent that can't stop anything: what it has made stays where it is."""

    async def handle(order: Delegation, bench: Workbench) -> Outcome:
        return done("kept") if takes_away(order) else await handler(order, bench)

    return handle
