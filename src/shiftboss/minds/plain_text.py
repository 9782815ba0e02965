"""Answers in words: for models without schemas and tools. The fields are asked for as `NAME: value` lines.

What comes back is read tolerantly (the last mention of a field counts), but a choice is only ever one of its options.
"""

import re
from collections.abc import Iterator
from typing import Any

from shiftboss.minds.shape import empty
from shiftboss.model.decision_text import read_decision
from shiftboss.model.mind import Field, FieldKind, Question

_LINE = r"^[\s>#*_`\-]*{name}[*_`]*[ \t]*[:=][*_` \t]*(.*)$"


def instructions_for(question: Question) -> str:
    """How to write the answer down, for the end of the question."""
    return "\n".join(["End your answer with these lines and nothing after them:", *map(_asked, question.fields)])


def _asked(one: Field) -> str:
    match one.kind:
        case FieldKind.CHOICE:
            return f"{one.name.upper()}: exactly one of {', '.join(one.options)}"
        case FieldKind.CHOICES:
            return f"{one.name.upper()}: none, or some of {', '.join(one.options)}, with commas between"
        case FieldKind.TEXT:
            return f"{one.name.upper()}: {one.doc}"
        case FieldKind.TEXTS:
            return f"{one.name.upper()}: {one.doc}, with | between"


def read_answer(text: str, question: Question) -> dict[str, Any]:
    """The fields of an answer in words.

    Raises:
        ValueError: a choice is missing; the text says which, and what may be written.
    """
    return {one.name: _read(text, one) for one in question.fields}


def _read(text: str, one: Field) -> str | list[str]:
    if one.kind is FieldKind.CHOICE:
        return _choice(text, one)
    written = _written(text, one.name)
    if written is None:
        return empty(one)
    match one.kind:
        case FieldKind.TEXT:
            return written[: one.size]
        case FieldKind.TEXTS:
            return [part.strip()[: one.size] for part in written.split("|") if part.strip()][: one.most]
        case _:
            known = {option.lower(): option for option in one.options}
            words = (word.strip(" \t.`*'\"").lower() for word in written.split(","))
            return list(dict.fromkeys(known[word] for word in words if word in known))[: one.most]


def _choice(text: str, one: Field) -> str:
    if one.name == "decision":
        said = read_decision(text, one.options)
        found = said.word if said else None
    else:
        found = next(_mentioned(text, one), None)
    if found is None:
        raise ValueError(f"a line {one.name.upper()}: with one of {', '.join(one.options)} is missing")
    return found


def _mentioned(text: str, one: Field) -> Iterator[str]:
    written = (_written(text, one.name) or "").strip(" \t.`*'\"").lower()
    yield from (option for option in one.options if option.lower() == written)


def _written(text: str, name: str) -> str | None:
    """What stands behind the last line that begins with a field's name."""
    found = re.findall(_LINE.format(name=re.escape(name)), text, re.IGNORECASE | re.MULTILINE)
    return found[-1].strip() if found else None
