"""The fields of a question as a pydantic form, and a filled-in form as plain values. Knows nothing of any provider."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, create_model
from pydantic import Field as FormField

from shiftboss.model.mind import Field, FieldKind, Question


def form_of(question: Question, *, texts: bool = True) -> type[BaseModel]:
    """The form that a model must fill in; without `texts` only its choices (for models that write none)."""
    rows = {one.name: _row(one) for one in question.fields if texts or one.kind is FieldKind.CHOICE}
    make = cast("Callable[..., type[BaseModel]]", create_model)
    return make("Answer", **rows)


def _row(one: Field) -> tuple[Any, Any]:
    """Type and default of one field; what is not chosen or written comes back empty."""
    match one.kind:
        case FieldKind.CHOICE:
            return Literal[one.options], FormField(description=one.doc)
        case FieldKind.CHOICES:
            entries = list[Literal[one.options]]
            return entries, FormField(default=[], max_length=one.most, description=one.doc)
        case FieldKind.TEXT:
            return str, FormField(default="", max_length=one.size, description=one.doc)
        case FieldKind.TEXTS:
            entries = list[Annotated[str, FormField(max_length=one.size)]]
            return entries, FormField(default=[], max_length=one.most, description=one.doc)


def values_of(filled: BaseModel, question: Question) -> dict[str, Any]:
    """What was filled in, by field name; fields the form did not have are empty."""
    given = cast("Mapping[str, Any]", filled.model_dump())
    return {one.name: given.get(one.name, empty(one)) for one in question.fields}


def empty(one: Field) -> str | list[str]:
    """What a field holds when nothing was said."""
    return "" if one.kind in (FieldKind.CHOICE, FieldKind.TEXT) else []
