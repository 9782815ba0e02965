"""The stages of a pipeline of the original format as stages of ours, sub-pipelines among them.

Part of dialects.py. Of the stage types only `sub_pipeline` means anything; what such a stage may know of the run
around it stands in its `config` there and in its `context` here.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from shiftboss.model.diagnostic import Severity
from shiftboss.model.pipeline import INHERIT, ISOLATED, StageMode
from shiftboss.templates.dialect_config import inputs_of_config
from shiftboss.templates.dialect_words import as_text, decisions, make_text
from shiftboss.templates.draft import Draft, Fields, fields_of, items_of
from shiftboss.templates.finding import DocumentPath, listing
from shiftboss.templates.schema import StageForm, SubPipelineForm

SUB_PIPELINE = "sub_pipeline"
FOREIGN_STAGE = frozenset({"type", "phase", "outputs", "prompt", "config", "routing"})
_LABELS = ("type", "phase")  #: words that the original only showed
_STAGE, _SUB = (
    [form.alias or name for name, form in model.model_fields.items()] for model in (StageForm, SubPipelineForm)
)
_NAMES = ("pipeline", "pipelineId", "pipeline_id", "template", "templateId", "subPipeline", "sub_pipeline")
_CONTEXT = ("inheritContext", "inherit_context", "contextMapping", "context_mapping", "context")
_FITS: Mapping[str, Callable[[Any], bool]] = {
    "components": lambda found: bool(items_of(found)) and all(isinstance(one, str) for one in items_of(found)),
    "mode": lambda found: found in list(StageMode),
    "context": lambda found: found in (INHERIT, ISOLATED),
}
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][\w-]*)(?:\.[\w.]+)?\s*\}\}")


def translate_stages(draft: Draft) -> None:
    """Each stage in our form."""
    written = items_of(draft.data.get("stages"))
    if not written:
        return
    _labels(draft, [fields_of(item) for item in written])
    ids = [str(fields_of(item).get("id")) for item in written]
    draft.data["stages"] = [
        _stage(draft, fields_of(item), ("stages", index), ids) if fields_of(item) else item
        for index, item in enumerate(written)
    ]


def _labels(draft: Draft, stages: list[Fields]) -> None:
    """One word about all labels of a kind: a file may have dozens."""
    for key in _LABELS:
        found = {as_text(stage[key]): index for index, stage in reversed(list(enumerate(stages))) if key in stage}
        found.pop(SUB_PIPELINE, None)
        if found:
            what = f"'{key}' of a stage ({listing(list(found)[::-1][:3])}) means nothing here"
            draft.say(("stages", min(found.values()), key), what, "Nothing is to be done.", "unused setting")


def _stage(draft: Draft, stage: Fields, at: DocumentPath, ids: list[str]) -> Fields:
    sub = stage.get("type") == SUB_PIPELINE or ("pipeline" in stage and "agent" not in stage)
    stage = {key: value for key, value in stage.items() if key not in _LABELS and value is not None}
    stage = inputs_of_config(draft, stage, at)
    prompt = stage.pop("prompt", None)
    if prompt:
        stage["task"] = "\n\n".join(as_text(text) for text in (prompt, stage.get("task")) if text)
    make_text(stage, "name", "description")
    if "task" in stage and not isinstance(stage["task"], list):
        make_text(stage, "task")
    if "inputs" in stage:
        stage["inputs"] = _inputs(draft, stage["inputs"], (*at, "inputs"))
    if "decisions" in stage:
        stage["decisions"] = decisions(draft, stage["decisions"], (*at, "decisions"))
    named = _placeholders(draft, stage, at, ids)
    if sub:
        stage = _sub_pipeline(draft, stage, at, named, ids)
    if "pipeline" in stage:
        return draft.unused(stage, at, _SUB)
    return draft.usable(draft.unused(stage, at, _STAGE), at, _FITS)


def _inputs(draft: Draft, written: object, at: DocumentPath) -> list[str]:
    """The stages whose outputs are taken: each item that is a name."""
    found = [written] if isinstance(written, str) else items_of(written)
    names = [name for name in found if isinstance(name, str)]
    if len(names) < len(found) or isinstance(written, Mapping):
        draft.say(at, "inputs that are no stage's id are left out", "Write the ids of stages.", "unused setting")
    return names


def _placeholders(draft: Draft, stage: Fields, at: DocumentPath, ids: list[str]) -> list[str]:
    """The stages that a task's placeholders name; they are not filled in, but that output is handed over."""
    named = [name for name in dict.fromkeys(_PLACEHOLDER.findall(as_text(stage.get("task")))) if name in ids]
    if named:
        key = "prompt" if "pipeline" not in stage else "task"
        what = f"the placeholders of {listing(named)} are not filled in; the whole output is handed over instead"
        draft.say((*at, key), what, "Nothing is to be done if the text can be understood so.", "placeholder")
        stage["inputs"] = list(dict.fromkeys([*items_of(stage.get("inputs")), *named]))
    return named


def _sub_pipeline(draft: Draft, stage: Fields, at: DocumentPath, named: list[str], ids: list[str]) -> Fields:
    """The stage as one that another pipeline stands for; its agent never did anything."""
    config = fields_of(stage.pop("config", None))
    stage.pop("agent", None)
    around = {key: stage.pop(key) for key in _CONTEXT if key in stage}
    names = [fields[key] for fields in (config, stage) for key in _NAMES if isinstance(fields.get(key), str)]
    stage = {key: value for key, value in stage.items() if key not in _NAMES}
    if names:
        stage["pipeline"] = names[0]
    else:
        what = f"stage '{as_text(stage.get('id'))}' is a sub-pipeline, but does not say of which pipeline"
        remedy = 'Name it: "pipeline": "the-id".'
        draft.say(at, what, remedy, "sub-pipeline", Severity.ERROR)
        stage["agent"] = ""  # so that its shape is not blamed as well
    context = _context(config | around, named, ids)
    if context:
        stage["context"] = context
    draft.unused({key: value for key, value in config.items() if key not in (*_NAMES, *_CONTEXT)}, (*at, "config"), [])
    return stage


def _context(settings: Fields, named: list[str], ids: list[str]) -> Any:
    """What the inner stages know of the run: nothing said: all of it; a mapping: the outputs that it names."""
    for key in ("contextMapping", "context_mapping"):
        mapping = settings.get(key)
        if mapping:
            text = as_text(list(fields_of(mapping).values()) or mapping)
            return [name for name in ids if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)] or ISOLATED
    if any(settings.get(key) is False for key in ("inheritContext", "inherit_context")):
        return named or ISOLATED
    written: object = settings.get("context")
    return ISOLATED if written == ISOLATED else items_of(written) or None
