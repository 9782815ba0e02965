"""A pipeline file of the original format as a document of ours, as far as the file alone tells.

Part of dialects.py. What needs the agents (which keywords they know, what is reached) is settled afterwards, by
dialect_routes.py. `to: "end"` is read as null in any file; all else only in files that are written in a dialect.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shiftboss.templates.dialect_config import ways_of_routing
from shiftboss.templates.dialect_stages import FOREIGN_STAGE, translate_stages
from shiftboss.templates.dialect_words import ONE_WORD, SUCCESS, as_text, make_text
from shiftboss.templates.draft import Draft, Fields, Translated, fields_of, items_of, ways_of
from shiftboss.templates.finding import DocumentPath
from shiftboss.templates.schema import ConnectionForm, FlowForm, PipelineForm
from shiftboss.templates.words import END_WORDS, keyword

_FOREIGN = frozenset(
    {
        "startStage",
        "entryPoint",
        "globalConfig",
        "success_criteria",
        "successCriteria",
        "use_cases",
        "example_prompts",
        "terminationConditions",
        "contextMapping",
        "projectContext",
    }
)  #: keys of a pipeline that only the original format has
_FITS: Mapping[str, Callable[[Any], bool]] = {
    "flow": lambda found: isinstance(found, Mapping),
    "metadata": lambda found: isinstance(found, Mapping),
    "connections": lambda found: isinstance(found, list),
    "version": lambda found: isinstance(found, str | float | int) and not isinstance(found, bool),
}
_KNOWN, _FLOW, _WAY = (
    [form.alias or name for name, form in model.model_fields.items()]
    for model in (PipelineForm, FlowForm, ConnectionForm)
)


def translate_pipeline(data: Mapping[str, Any], source: str) -> Translated:
    """The pipeline as a document of ours; one of ours comes back as it is."""
    if data.get("extends") is not None:
        return Translated(data=data)  # the original has no such thing
    draft = Draft(data, source)
    draft.foreign = is_foreign(data)
    draft.data["id"] = data.get("id") or Path(source).stem
    if draft.foreign:
        _texts(draft)
        ways_of_routing(draft)
        translate_stages(draft)
        _start(draft)
    _connections(draft)
    if draft.foreign:
        draft.data = draft.usable(draft.unused(draft.data, (), _KNOWN), (), _FITS)
    return Translated(data=data) if draft.data == data else draft.done()


def is_foreign(data: Mapping[str, Any]) -> bool:
    """Whether a pipeline is written in a dialect: by keys and forms that ours does not have."""
    stages = [fields_of(item) for item in items_of(data.get("stages"))]
    return bool(
        _FOREIGN & data.keys()
        or any(FOREIGN_STAGE & stage.keys() or isinstance(stage.get("decisions"), Mapping) for stage in stages)
        or any(
            way.get("condition", "") is None or isinstance(way.get("condition"), Mapping) for _, way in ways_of(data)
        )
    )


def _texts(draft: Draft) -> None:
    fields = draft.data
    make_text(fields, "name", "description", "category")


def _start(draft: Draft) -> None:
    """The stage a file names as its start stands first here."""
    stages: list[Fields] = items_of(draft.data.get("stages"))
    named = [(key, draft.data.pop(key)) for key in ("startStage", "entryPoint") if key in draft.data]
    ids = [fields_of(stage).get("id") for stage in stages]
    for key, name in named:
        if name not in ids:
            what = f"'{key}' names '{as_text(name)}', which is no stage here; the first stage is the start"
            draft.say((key,), what, "Put the stage that is the start first.", "start")
        elif name != ids[0] and key == named[0][0]:
            index = ids.index(name)
            draft.say((key,), f"'{name}' is the start and was put first", "Nothing is to be done.", "start")
            order = [index, *(other for other in range(len(stages)) if other != index)]
            places = [draft.moves.get(("stages", old), ("stages", old)) for old in order]
            draft.moves |= {("stages", new): place for new, place in enumerate(places)}
            draft.data["stages"] = [stages[old] for old in order]


def _connections(draft: Draft) -> None:
    """The connections with one word as their condition, and null as their end."""
    found = ways_of(draft.data)
    if not any(_needs_work(way, draft) for _, way in found):
        return
    ways = [_way(draft, way, at) for at, way in found]
    if found and found[0][0][0] == "flow":
        flow = fields_of(draft.data["flow"])
        if draft.foreign:
            flow = draft.unused(flow, ("flow",), _FLOW)
            make_text(flow, "type", "description")
        draft.data["flow"] = flow | {"connections": ways}
    else:
        draft.data["connections"] = ways


def _needs_work(way: Fields, draft: Draft) -> bool:
    return draft.foreign or _is_end(draft, way.get("to"))


def _way(draft: Draft, way: Fields, at: DocumentPath) -> Fields:
    if not way:
        return way
    way = dict(way)
    if draft.foreign:
        way = draft.unused(way, at, _WAY)
        way.setdefault("to", None)
        make_text(way, "description")
        way["condition"] = _condition(draft, way, at)
    if _is_end(draft, way.get("to")):
        what = f"the connection from '{as_text(way.get('from'))}' goes to '{way['to']}'; read as the end of the run"
        draft.say((*at, "to"), what, "Write null to end the run.", "end written as a word")
        way["to"] = None
    return way


def _is_end(draft: Draft, target: object) -> bool:
    ids = [fields_of(stage).get("id") for stage in items_of(draft.data.get("stages"))]
    return isinstance(target, str) and target.lower() in END_WORDS and target not in ids


def _condition(draft: Draft, way: Fields, at: DocumentPath) -> str:
    """One word; a connection without one is for success, whose keyword is found when the agents are known."""
    condition: object = way.get("condition")
    written = condition if isinstance(condition, str) else fields_of(condition).get("value")
    if isinstance(written, str) and keyword(written):
        plain = keyword(written)
        if plain != written:
            what = f"the condition '{written}' is no single word; it is read as '{plain}'"
            draft.say((*at, "condition"), what, ONE_WORD, "keyword")
        return plain
    what = f"the connection from '{as_text(way.get('from'))}' has no condition; it is taken in case of success"
    draft.say((*at, "condition"), what, "Write the keyword that leads there.", "no condition")
    return SUCCESS
