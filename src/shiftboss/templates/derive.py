"""What a hub pipeline need not write: its keywords and connections, worked out from its stages.

Pure. Called by build.py when connections are left out and by checks.py to compare written ones.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from shiftboss.model.pipeline import Agent, Connection, Stage, does_tasks
from shiftboss.model.stack import COMPLETE, ESCALATE

T = TypeVar("T")

ENDINGS = (COMPLETE, ESCALATE)  #: the hub's keywords that end a run


def delegation_keyword(stage: Stage, agent: Agent | None) -> str:
    """The keyword by which the hub sends for a stage: its agent's own, else one made from the stage's id."""
    if agent is not None and agent.delegation:
        return agent.delegation
    return f"delegate_{stage.id.removeprefix('handle_')}_setup"


def delegations(stages: Sequence[Stage], agents: Mapping[str, Agent]) -> dict[str, str]:
    """Stage id -> delegation keyword, for every stage after the hub's own."""
    return {stage.id: delegation_keyword(stage, agents.get(stage.agent)) for stage in stages[1:]}


def hub_decisions(written: Sequence[str], keywords: Iterable[str]) -> tuple[str, ...]:
    """The hub stage's decisions: the written ones, with the missing keywords before the endings."""
    known = dict.fromkeys([*written, *keywords])
    return (*(word for word in known if word not in ENDINGS), *ENDINGS)


def is_task(stage: Stage, agent: Agent | None) -> bool:
    """Whether a scripted stage is work on no component: then only its agent's word says how it went."""
    return agent is not None and stage.components == (stage.id,) and does_tasks(agent, stage.mode)


def reachable(edges: Mapping[T, Collection[T]], start: T) -> set[T]:
    """A node and all that its edges lead to, directly or not."""
    found, waiting = {start}, [start]
    while waiting:
        more = set(edges.get(waiting.pop(), ())) - found
        found |= more
        waiting += more
    return found


def hub_connections(stages: Sequence[Stage], agents: Mapping[str, Agent]) -> tuple[Connection, ...]:
    """Hub and spokes: out by the delegation keyword, back by each decision, and the hub's two endings."""
    hub = stages[0].id
    words = delegations(stages, agents)
    spokes = [connection for stage in stages[1:] for connection in _spoke(hub, stage, words[stage.id])]
    ends = [Connection(source=hub, target=None, condition=word) for word in ENDINGS]
    return (*spokes, *ends)


def _spoke(hub: str, stage: Stage, keyword: str) -> list[Connection]:
    there = Connection(source=hub, target=stage.id, condition=keyword)
    back = [Connection(source=stage.id, target=hub, condition=word) for word in stage.decisions]
    return [there, *back]
