"""What one stage of a dialect may answer: its words and its agent's made one, each with a connection.

Part of dialect_routes.py.
"""

from typing import Any

from shiftboss.model.pipeline import RECOVERY, Agent, StageMode
from shiftboss.templates.build_agent import word_of
from shiftboss.templates.dialect_words import SUCCESS, in_order, words_of
from shiftboss.templates.draft import Draft, Fields, items_of
from shiftboss.templates.finding import DocumentPath, listing
from shiftboss.templates.words import is_failure, keyword, same_as

Ways = list[tuple[Fields, DocumentPath]]


def success_first(stage: Fields, agent: Agent | None, ways: Ways) -> None:
    """Connections without a condition get the keyword for success: the stage's, else its agent's, else a new one."""
    words = words_of([_plain(item) for item in items_of(stage.get("decisions"))])
    words += () if agent is None else agent.decisions
    good = [word for word in words if not _fails(word, agent)]
    for way, _ in _own(stage, ways):
        if way["condition"] == SUCCESS:
            way["condition"] = good[0] if good else f"{keyword(stage['id'])}_complete"


def settle_keywords(draft: Draft, stage: Fields, at: DocumentPath, agent: Agent, ways: Ways, *, hub: bool) -> Ways:
    """The connections after it; the stage's own decisions are changed in place."""
    if agent.delegation == RECOVERY and not hub and not stage.get("mode"):
        stage["mode"] = str(StageMode.RECOVER)
        what = f"stage '{stage['id']}' is done by the agent that recovers; it recovers from the last failure here"
        draft.say(at, what, "Nothing is to be done; it is mode 'recover'.", "recovery")
    stage["decisions"] = _renamed(draft, stage, at, agent, ways)
    if hub:
        _as_declared(stage, agent)
        return ways
    listed = words_of(stage["decisions"])
    _declare(draft, stage, agent, ways)
    _both(draft, stage, at, agent)

    def fails(word: str) -> bool:
        return _fails(word, agent)

    stage["decisions"] = in_order(draft, stage["decisions"], f"stage '{stage['id']}'", (*at, "decisions"), fails)
    return [*ways, *_dead_ends(draft, stage, at, ways, listed)]


def _fails(word: str, agent: Agent | None) -> bool:
    """Whether a word means failure: by its place where its agent declares it so, else by what it is called."""
    declared = agent.decisions[:2] if agent else ()
    return declared.index(word) == 1 if word in declared else is_failure(word)


def _own(stage: Fields, ways: Ways) -> Ways:
    return [(way, at) for way, at in ways if way["from"] == stage["id"]]


def _renamed(draft: Draft, stage: Fields, at: DocumentPath, agent: Agent, ways: Ways) -> list[Any]:
    """The stage's decisions in its agent's words, and its connections with them."""
    written = items_of(stage.get("decisions"))
    words = words_of([_plain(item) for item in written])
    places = {way["condition"]: (*place, "condition") for way, place in reversed(_own(stage, ways))}
    places |= {word: (*at, "decisions", index) for index, word in enumerate(words)}
    names = _names([*words, *places], words, agent.decisions)
    for word, ours in names.items():
        if ours != word:
            whose = f"agent '{agent.id}' says" if ours in agent.decisions else "its decisions say"
            what = f"stage '{stage['id']}' says '{word}' where {whose} '{ours}'; read as that"
            draft.say(places[word], what, f"Write '{ours}' in both.", "keyword drift")
    for way, _ in _own(stage, ways):
        way["condition"] = names[way["condition"]]
    return [_named(_plain(item), names) for item in written]


def _names(all_words: list[str], declared: list[str], known: tuple[str, ...]) -> dict[str, str]:
    """Each word with the agent's word for it; no two of the stage's decisions become one."""
    names: dict[str, str] = {}
    for word in dict.fromkeys(all_words):
        own = same_as(word, declared) or word
        if own != word:
            names[word] = names[own]
            continue
        ours = same_as(word, known) or word
        names[word] = word if ours in names.values() and word in declared else ours
    return names


def _plain(item: Any) -> Any:
    """A decision with its keyword as `choice`."""
    if isinstance(item, str):
        return item
    word = word_of(item)
    return {"choice": word, "description": item["description"]} if item.get("description") else word


def _named(item: Any, names: dict[str, str]) -> Any:
    return names[item] if isinstance(item, str) else item | {"choice": names[item["choice"]]}


def _as_declared(stage: Fields, agent: Agent) -> None:
    """A hub's spokes list what their agent declares, in its order."""
    if set(words_of(stage["decisions"])) <= set(agent.decisions):
        stage["decisions"] = []
    if not stage["decisions"]:
        del stage["decisions"]


def _declare(draft: Draft, stage: Fields, agent: Agent, ways: Ways) -> None:
    """Keywords of connections that the stage does not list; without any, its agent's success and failure."""
    listed = words_of(stage["decisions"])
    for way, place in _own(stage, ways):
        word = way["condition"]
        if word not in words_of(stage["decisions"]):
            stage["decisions"].append(word)
            if listed:
                what = f"stage '{stage['id']}' does not list '{word}', which one of its connections has; added"
                draft.say((*place, "condition"), what, "List it under its decisions.", "undeclared keyword")
    if not stage["decisions"]:
        stage["decisions"] = list(agent.decisions[:2])


def _both(draft: Draft, stage: Fields, at: DocumentPath, agent: Agent) -> None:
    """A stage can succeed and can fail; what is missing is taken from its agent, where that has such a word."""
    words = words_of(stage["decisions"])
    for made, failure in ((f"{keyword(stage['id'])}_complete", False), (f"{keyword(stage['id'])}_failed", True)):
        if failure not in {_fails(word, agent) for word in words}:
            own = [word for word in agent.decisions if _fails(word, agent) == failure]
            added = own[0] if own else made
            stage["decisions"].insert(1 if failure else 0, added)
            what = f"stage '{stage['id']}' has no keyword for {'failure' if failure else 'success'}"
            said = f"'{added}' was added and ends the run; draw another way if you like."
            draft.say(at, what, said, "keyword added")


def _dead_ends(draft: Draft, stage: Fields, at: DocumentPath, ways: Ways, listed: list[str]) -> Ways:
    """Ways to the end for what leads nowhere: the original stopped there, or took the first connection."""
    drawn = [way["condition"] for way, _ in _own(stage, ways)]
    open_words = [word for word in words_of(stage["decisions"]) if word not in drawn]
    said = [word for word in open_words if word in listed]
    if drawn and said:
        what = f"no connection leaves stage '{stage['id']}' for {listing(said)}; the run ends there"
        draft.say((*at, "decisions"), what, "Draw one, or write one to null.", "dead end")
    return [({"from": stage["id"], "to": None, "condition": word}, at) for word in open_words]
