"""The connections of a pipeline in a dialect, once its agents are known: every keyword leads somewhere.

Part of dialects.py; works on a document whose shape is right. The original compared keywords as text, took the first
connection where none fitted, and simply stopped where none was drawn; here every keyword of a stage has its
connection, success stands first and failure second. What was added, renamed or left out has its finding.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from shiftboss.model.pipeline import Agent
from shiftboss.templates.derive import reachable
from shiftboss.templates.dialect_keywords import settle_keywords, success_first
from shiftboss.templates.dialect_words import SUCCESS
from shiftboss.templates.draft import Draft, Fields, Moves, Translated, fields_of, items_of, original, ways_of
from shiftboss.templates.finding import DocumentPath, listing


def settle(
    data: Mapping[str, Any], moves: Moves, source: str, agents: Mapping[str, Agent], names: Mapping[str, str]
) -> Translated:
    """The pipeline with all its keywords and connections in order; `names`: file name -> id of an agent."""
    draft = Draft(data, source)
    draft.moves = dict(moves)
    draft.foreign = True
    stages = [dict(fields_of(item)) for item in items_of(data["stages"])]
    ways = _placed(data, moves)
    _agent_names(draft, stages, agents, names)
    first = agents.get(stages[0].get("agent") or "")
    hub = first is not None and first.is_hub
    if not hub:
        ways = ways or _chain(draft, stages)
    for index, stage in enumerate(stages):
        at = original(("stages", index), draft.moves)
        agent = agents.get(stage.get("agent") or "")
        success_first(stage, agent, ways)
        if agent is not None and not (hub and index == 0):
            ways = settle_keywords(draft, stage, at, agent, ways, hub=hub)
    if not hub:
        ways = _first_only(draft, ways)
        stages, ways = _reached(draft, stages, ways)
        _inputs(draft, stages)
    _put_back(draft, stages, ways)
    return draft.done()


def _placed(data: Mapping[str, Any], moves: Moves) -> list[tuple[Fields, DocumentPath]]:
    """Every connection with its place in the original."""
    return [(way, original(at, moves)) for at, way in ways_of(data)]


def _put_back(draft: Draft, stages: list[Fields], ways: list[tuple[Fields, DocumentPath]]) -> None:
    draft.data["stages"] = stages
    flow = fields_of(draft.data.get("flow"))
    if flow.get("connections"):
        draft.data["flow"] = flow | {"connections": [way for way, _ in ways]}
        draft.data.pop("connections", None)
    elif ways:
        draft.data["connections"] = [way for way, _ in ways]
    draft.moves |= {("connections", index): at for index, (_, at) in enumerate(ways)}


def _agent_names(draft: Draft, stages: list[Fields], agents: Mapping[str, Agent], names: Mapping[str, str]) -> None:
    """The original knows an agent by the name of its file."""
    for index, stage in enumerate(stages):
        name = stage.get("agent") or ""
        if name not in agents and name in names:
            what = f"the agent of the file '{name}' calls itself '{names[name]}'; taken by that id"
            at = (*original(("stages", index), draft.moves), "agent")
            draft.say(at, what, "Name it by its id.", "agent named by its file")
            stage["agent"] = names[name]


def _chain(draft: Draft, stages: list[Fields]) -> list[tuple[Fields, DocumentPath]]:
    """No connection at all: the stages follow one another."""
    if len(stages) > 1:
        what = "there are no connections; the stages follow one another"
        draft.say(("stages",), what, "Draw the connections if that is not meant.", "no connections")
    found: list[tuple[Fields, DocumentPath]] = []
    for index, (stage, following) in enumerate(pairwise(stages)):
        way = {"from": stage["id"], "to": following["id"], "condition": SUCCESS}
        found.append((way, original(("stages", index), draft.moves)))
    return found


def _first_only(draft: Draft, ways: list[tuple[Fields, DocumentPath]]) -> list[tuple[Fields, DocumentPath]]:
    """A keyword leads to one place: to the first that is drawn, as in the original."""
    seen: dict[tuple[str, str], Any] = {}
    kept: list[tuple[Fields, DocumentPath]] = []
    for way, at in ways:
        key = (way["from"], way["condition"])
        if key not in seen:
            seen[key] = way["to"]
            kept.append((way, at))
        else:
            what = (
                f"stage '{key[0]}' has a second connection for '{key[1]}'; only the first, to {_end(seen[key])}, counts"
            )
            draft.say(at, what, "Let one stage follow the other, or give each a keyword.", "second connection")
    return kept


def _end(target: str | None) -> str:
    return "the end" if target is None else f"'{target}'"


def _reached(
    draft: Draft, stages: list[Fields], ways: list[tuple[Fields, DocumentPath]]
) -> tuple[list[Fields], list[tuple[Fields, DocumentPath]]]:
    """Without the stages that nothing leads to; with a wrong connection nobody can tell which those are."""
    ids = [stage["id"] for stage in stages]
    if len(set(ids)) < len(ids) or any({way["from"], way["to"]} - {*ids, None} for way, _ in ways):
        return stages, ways
    edges: dict[str | None, list[str | None]] = {}
    for way, _ in ways:
        edges.setdefault(way["from"], []).append(way["to"])
    reached = reachable(edges, ids[0])
    for index, name in enumerate(ids):
        if name not in reached:
            what = f"stage '{name}' is never reached from '{ids[0]}'; it is left out"
            at = original(("stages", index), draft.moves)
            draft.say(at, what, "Draw a connection to it, or take the stage out.", "unreachable stage")
    kept = [index for index, name in enumerate(ids) if name in reached]
    places = [original(("stages", index), draft.moves) for index in kept]
    draft.moves |= {("stages", new): place for new, place in enumerate(places)}
    return [stages[index] for index in kept], [(way, at) for way, at in ways if way["from"] in reached]


def _inputs(draft: Draft, stages: list[Fields]) -> None:
    """Outputs of stages that are not there; the original handed over nothing for them."""
    ids = {stage["id"] for stage in stages}
    for index, stage in enumerate(stages):
        for key in ("inputs", "context"):
            written = items_of(stage.get(key))
            lost = [name for name in written if name not in ids]
            if lost:
                what = f"stage '{stage['id']}' takes input from {listing(lost)}, which is not there; left out"
                at = (*original(("stages", index), draft.moves), key)
                draft.say(at, what, "Name stages of this pipeline that are reached.", "unknown input")
                stage[key] = [name for name in written if name in ids]
