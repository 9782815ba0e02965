"""An agent file of the original format, in any of its shapes, as a document of ours.

Part of dialects.py. The shapes are: a prompt with decisions; a prompt with capabilities and test stages; and a
description without any prompt, which can't be carried out. What names a handler in our way is one of ours, and
stays as it is.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shiftboss.model.diagnostic import Severity
from shiftboss.model.pipeline import LLM_HANDLER
from shiftboss.templates.dialect_words import as_text, decisions, in_order, make_text, words_of
from shiftboss.templates.draft import Draft, Translated, fields_of, filled, items_of
from shiftboss.templates.schema import AgentForm
from shiftboss.templates.words import is_failure, keyword

_OTHER_NAMES = (
    ("system_prompt_template", "systemPrompt"),
    ("system_prompt", "systemPrompt"),
    ("prompt", "systemPrompt"),
    ("output_format", "outputFormat"),
    ("allowedDecisions", "decisions"),
    ("agent_name", "name"),
)
_MARKS = {"systemPrompt", "role", "expertise", "decisions", "agent_type", "responsibilities", "capabilities"}
_KNOWN = [form.alias or name for name, form in AgentForm.model_fields.items()]
_FITS: Mapping[str, Callable[[Any], bool]] = {
    "components": lambda found: all("probe" in fields_of(one) and "name" in fields_of(one) for one in items_of(found)),
    "limits": lambda found: all(isinstance(number, float | int) for number in fields_of(found).values()),
    "delegation": lambda found: isinstance(found, str) and keyword(found) == found,
}
_PLACEHOLDER = re.compile(r"\{(?:approved_plan|plan|previous_output)\}")


def translate_agent(data: Mapping[str, Any], source: str) -> Translated:
    """The agent as a document of ours; one of ours comes back as it is."""
    others = {other for other, _ in _OTHER_NAMES}
    if not (_MARKS | others) & data.keys():
        return Translated(data=data)  # no agent at all: the check of its shape says so
    if data.get("handler") is not None and not others & data.keys() and not isinstance(data.get("decisions"), Mapping):
        return Translated(data=data if data.get("id") else {**data, "id": Path(source).stem})
    draft = Draft(data, source)
    draft.foreign = True
    _rename(draft)
    _texts(draft)
    _handler(draft)
    _decisions(draft)
    draft.data = draft.usable(draft.unused(draft.data, (), _KNOWN), (), _FITS)
    return draft.done()


def _rename(draft: Draft) -> None:
    """The keys that have another name here; the first that says something counts."""
    for other, ours in _OTHER_NAMES:
        value = draft.data.pop(other, None)
        if value and (not draft.data.get(ours) or (ours == "systemPrompt" and other.endswith("template"))):
            draft.data[ours] = value
            draft.moves[(ours,)] = (other,)
    draft.data = {key: value for key, value in draft.data.items() if value is not None}
    draft.data.setdefault("id", Path(draft.source).stem)


def _texts(draft: Draft) -> None:
    fields = draft.data
    make_text(fields, "name", "role", "description", "outputFormat")
    if "systemPrompt" in fields and not isinstance(fields["systemPrompt"], list):
        make_text(fields, "systemPrompt")
    if "expertise" in fields:
        found = fields["expertise"]
        fields["expertise"] = [as_text(one) for one in items_of(found)] or [as_text(found)]
    for name in dict.fromkeys(_PLACEHOLDER.findall(as_text(fields.get("systemPrompt")))):
        at = draft.moves.get(("systemPrompt",), ("systemPrompt",))
        what = f"the placeholder {name} of the prompt is not filled in"
        remedy = "What came before is handed over beside the prompt: let the stage take it by its 'inputs'."
        draft.say(at, what, remedy, "placeholder")


def _handler(draft: Draft) -> None:
    agent = draft.data["id"]
    if draft.data.get("handler") is not None:
        return
    if filled(draft.data.get("systemPrompt")):
        draft.data["handler"] = LLM_HANDLER
        what = f"agent '{agent}' names no handler; its prompt is carried out by the model that is set (handler: llm)"
        draft.say((), what, 'Write "handler": "llm", or name a function that does its work.', "agent without handler")
    else:
        what = f"agent '{agent}' has no prompt and no handler, so nothing could do its work"
        remedy = "Give it a 'systemPrompt', or a 'handler': module:function or ./file.py:function."
        draft.say((), what, remedy, "agent without prompt", Severity.ERROR)


def _decisions(draft: Draft) -> None:
    """Success first, failure second; both are there in the end."""
    agent = str(draft.data["id"])
    at = draft.moves.get(("decisions",), ("decisions",))
    found = decisions(draft, draft.data.get("decisions"), at)
    words = words_of(found)
    for missing in (f"{keyword(agent)}_complete", f"{keyword(agent)}_failed"):
        failure = is_failure(missing)
        if failure not in map(is_failure, words):
            found.insert(1 if failure else 0, missing)
            if words:
                what = f"agent '{agent}' has no keyword for {'failure' if failure else 'success'}"
                draft.say(at, what, f"'{missing}' was added; write one of your own if you like.", "keyword added")
    if not words:
        what = f"agent '{agent}' says nothing of what it may answer"
        draft.say(at, what, f"'{found[0]}' and '{found[1]}' were added; its stages may list others.", "keyword added")
    draft.data["decisions"] = in_order(draft, found, f"agent '{agent}'", at)
