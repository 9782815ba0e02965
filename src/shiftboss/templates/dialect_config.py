"""Settings of a stage that the original's engine passed over, though they say what its author meant.

Part of dialects.py. `config.inputs` are inputs; a decision of `routing` is a connection where none is drawn for it.
Everything else in them stays unused, and is said to be.
"""

from collections.abc import Iterator

from shiftboss.templates.dialect_words import as_text
from shiftboss.templates.draft import Draft, Fields, fields_of, items_of
from shiftboss.templates.finding import DocumentPath


def inputs_of_config(draft: Draft, stage: Fields, at: DocumentPath) -> Fields:
    """The stage with the inputs that stand in its `config`, unless it has some of its own."""
    config = fields_of(stage.get("config"))
    if "inputs" in stage or "inputs" not in config:
        return stage
    inputs: object = config.pop("inputs")
    left = {key: value for key, value in stage.items() if key != "config"} | ({"config": config} if config else {})
    if not items_of(inputs):
        return left
    what = "'inputs' of 'config' are taken as the stage's inputs, which the original did not hand over"
    draft.say((*at, "config", "inputs"), what, "Write 'inputs' beside 'agent'.", "inputs in config")
    return left | {"inputs": inputs}


def ways_of_routing(draft: Draft) -> None:
    """Connections for the decisions of `routing` that none is drawn for, after all others."""
    flow = fields_of(draft.data.get("flow"))
    drawn = items_of(flow.get("connections")) or items_of(draft.data.get("connections"))
    seen = [_drawn(fields_of(way)) for way in drawn]
    more: list[Fields] = []
    for index, item in enumerate(items_of(draft.data.get("stages"))):
        stage = fields_of(item)
        for word, target in _routes(stage):
            if (stage.get("id"), word) in seen:
                continue
            end = "the end" if target is None else f"'{as_text(target)}'"
            what = f"'routing' leads from '{as_text(stage.get('id'))}' to {end} for '{word}', and no connection does"
            draft.say(("stages", index, "routing"), what, "It was drawn; take it out if not meant.", "routing")
            more.append({"from": stage.get("id"), "to": target, "condition": word})
    if more and items_of(flow.get("connections")):
        draft.data["flow"] = flow | {"connections": [*drawn, *more]}
    elif more:
        draft.data["connections"] = [*drawn, *more]


def _drawn(way: Fields) -> tuple[object, object]:
    """Where a connection begins, and its keyword as one of the ways to write it."""
    return way.get("from"), fields_of(way.get("condition")).get("value", way.get("condition"))


def _routes(stage: Fields) -> Iterator[tuple[str, object]]:
    for one in items_of(fields_of(stage.get("routing")).get("possible_next_stages")):
        route = fields_of(one)
        if isinstance(route.get("decision"), str) and "next_stage" in route:
            yield route["decision"], route["next_stage"]
