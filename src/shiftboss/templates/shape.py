"""A document against its form: everything wrong with the shape, in words a person can act on.

Called by user.py. pydantic finds the places, the sentences are ours. Keys we do not know are warnings that name the
nearest known one; everything else is an error.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shiftboss.model.diagnostic import Severity
from shiftboss.templates.finding import DocumentPath, Finding, hint, listing
from shiftboss.templates.schema import (
    ClaudeForm,
    CommandForm,
    ComponentForm,
    ConnectionForm,
    DecisionForm,
    FlowForm,
    LlmForm,
    ProbeForm,
    PythonForm,
    StageForm,
    SubPipelineForm,
)


def shape_findings(form: type[BaseModel], data: object, source: str) -> tuple[Finding, ...]:
    """Everything wrong with the shape of a document; keys we do not know are warnings, all else errors."""
    try:
        form.model_validate(data)
    except ValidationError as error:
        return tuple(_finding(form, detail, data, source) for detail in error.errors(include_url=False))
    return ()


def _finding(form: type[BaseModel], detail: ErrorDetails, data: object, source: str) -> Finding:
    at = _place(detail["loc"], data, absent=detail["type"] == "missing")
    if detail["type"] == "extra_forbidden":
        return _unknown_key(form, detail["loc"], at, source)
    what, remedy = _words(detail, at)
    return Finding(source=source, at=at, what=what, remedy=remedy)


def _place(loc: Sequence[str | int], data: object, *, absent: bool) -> DocumentPath:
    """The path in the document: pydantic's own, without the names of the union branches it tried.

    With `absent` its last step is a key that is not there.
    """
    path: list[str | int] = []
    value: Any = data
    for index, step in enumerate(loc):
        last = absent and index == len(loc) - 1
        if isinstance(value, Mapping) and (step in value or last):
            value = value.get(step)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] (any JSON)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]  # pyright: ignore[reportUnknownVariableType] (any JSON)
        else:
            continue
        path.append(step)
    return tuple(path)


_FORM_OF: dict[str, type[BaseModel]] = {
    "components": ComponentForm,
    "decisions": DecisionForm,
    "stages": StageForm,
    "connections": ConnectionForm,
    "flow": FlowForm,
    "probe": ProbeForm,
    "handler": PythonForm,
}
_FORM_OF_KIND: dict[str, type[BaseModel]] = {
    "command": CommandForm,
    "llm": LlmForm,
    "claude": ClaudeForm,
    "sub_pipeline": SubPipelineForm,
}


def _unknown_key(form: type[BaseModel], loc: Sequence[str | int], at: DocumentPath, source: str) -> Finding:
    around = [step for step in at[:-1] if isinstance(step, str)]
    here = _FORM_OF.get(around[-1], form) if around else form
    if around and around[-1] in ("handler", "stages"):  # the branch that pydantic took says which form it was
        here = _FORM_OF_KIND.get(str(loc[-2]), here)
    known = [field.alias or name for name, field in here.model_fields.items()]
    key = str(at[-1])
    return Finding(
        source=source,
        at=at,
        what=f"the key '{key}' is not known here and has no effect",
        remedy=hint(key, known, f"Known here: {listing(known)}."),
        severity=Severity.WARNING,
        topic="unknown key",
    )


_QUOTES = "Put it in quotes if a text is meant."
_KEYS = ("{name} should be an object with keys but is {kind}", "Write it as keys with values.")
#: pydantic's error type -> what we say, and how to mend it
_SENTENCES: dict[str, tuple[str, str]] = {
    "missing": ("{name} is missing", "Add it."),
    "string_type": ("{name} should be a text but is {kind}", _QUOTES),
    "list_type": ("{name} should be a list but is {kind}", "Put it in [ ], even if it is only one."),
    "dict_type": _KEYS,
    "model_type": _KEYS,
    "model_attributes_type": _KEYS,
    "float_type": ("{name} should be a number but is {kind}", "Write it without quotes and without a unit."),
    "finite_number": ("{name} should be a finite number but is {kind}", "Write a number of seconds."),
    "greater_than": ("{name} can't be {value}", "Write a number greater than 0."),
    "greater_than_equal": ("{name} can't be {value}", "Write a number not below 0."),
    "literal_error": ("{name} can't be {value}", "Write one of {expected}."),
    "too_short": ("{name} is empty", "Write at least one."),
    "no_kind": ("{name} has no kind that is known", 'Write "kind": "python", "command", "llm" or "claude".'),
    "int_type": ("{name} should be a whole number but is {kind}", "Write it without quotes."),
    "int_from_float": ("{name} should be a whole number but is {kind}", "Write it without a fraction."),
    "no_keyword": ("{name} has no keyword", "Give it a 'choice' (or 'id', or 'name')."),
    "invalid_key": ("{name} is not a text, as keys must be", "Put the key in quotes."),
}


def _words(detail: ErrorDetails, at: DocumentPath) -> tuple[str, str]:
    name = f"'{at[-1]}'" if at and isinstance(at[-1], str) else "this"
    value = repr(detail["input"])[:60]
    if detail["type"] == "string_pattern_mismatch":
        return f"{name} can't be {value}", _pattern_remedy(detail)
    if detail["type"] not in _SENTENCES:
        return f"{name}: {detail['msg']}", "Compare it with the shipped templates."
    what, remedy = _SENTENCES[detail["type"]]
    expected = detail.get("ctx", {}).get("expected", "")
    return what.format(name=name, value=value, kind=_kind_of(detail["input"])), remedy.format(expected=expected)


def _pattern_remedy(detail: ErrorDetails) -> str:
    pattern = str(detail.get("ctx", {}).get("pattern", ""))
    if pattern.startswith(r"^\w"):
        return "Write one word of letters, digits and _."
    if ":" in pattern:
        return "Write module:function, or ./file.py:function for a file beside this one."
    if pattern.startswith(r"^\d"):
        return 'Write the exit code in quotes, such as "3".'
    return "Write a name of letters, digits, '_', '.' and '-'."


def _kind_of(value: object) -> str:
    if value is None:
        return "empty (null)"
    if isinstance(value, bool):
        return f"a truth value ({str(value).lower()})"
    names: dict[type, str] = {int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    name = names.get(type(value), f"a {type(value).__name__}")
    return f"{name} ({str(value)[:40]})" if isinstance(value, int | float | str) else name
