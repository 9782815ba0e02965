"""The ways in which the original format writes decisions and texts, made one.

Part of dialects.py, for agents and stages alike: a list of words, of objects with `choice`, `id` or `name`, or a map
from keyword to description.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shiftboss.templates.draft import Draft, Fields, fields_of, items_of
from shiftboss.templates.finding import DocumentPath, listing
from shiftboss.templates.words import is_failure, keyword, ordered

_NAMES = ("choice", "id", "name", "decision", "keyword")
_NOTES = ("description", "when", "conditions", "condition")


def decisions(draft: Draft, written: object, at: DocumentPath) -> list[Any]:
    """Decisions as our format has them: words, and objects with `choice` where there is a description."""
    found: dict[str, str] = {}
    for word, note, place in _pairs(written, at):
        if word is None:
            draft.say(place, "a decision without a keyword is left out", "Give it a 'choice'.", "keyword")
            continue
        plain = keyword(word)
        if plain != word:
            said = f"as '{plain}'" if plain else "not at all: it has no letter"
            draft.say(place, f"the decision '{word}' is no single word; it is read {said}", ONE_WORD, "keyword")
        if plain and plain in found:
            draft.say(place, f"the decision '{plain}' stands here twice", "Keep one of them.", "keyword")
        elif plain:
            found[plain] = note
    return [{"choice": word, "description": note} if note else word for word, note in found.items()]


SUCCESS = "__success"  #: stands for the keyword of success until the agents are known
ONE_WORD = "Write one word of letters, digits and _."


def _pairs(written: object, at: DocumentPath) -> Iterator[tuple[str | None, str, DocumentPath]]:
    """Each keyword with its description and its place; no keyword where none can be read."""
    for word, note in fields_of(written).items():
        yield str(word), _note(note), (*at, str(word))
    for index, item in enumerate(items_of(written)):
        fields = fields_of(item)
        word = item if isinstance(item, str) else next((fields[key] for key in _NAMES if fields.get(key)), None)
        yield word if isinstance(word, str) else None, _note(fields), (*at, index)


def _note(value: object) -> str:
    """What is said of a keyword: its description, else its conditions."""
    fields = fields_of(value)
    if fields:
        return next((as_text(fields[key]) for key in _NOTES if fields.get(key)), "")
    return "" if value is None or isinstance(value, Mapping | bool) else as_text(value)


def as_text(value: object) -> str:
    """Any JSON value as a text: lists of words as one line, other structures as JSON."""
    if isinstance(value, str):
        return value
    words = items_of(value)
    if words and all(isinstance(word, str) for word in words):
        return ", ".join(words)
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str, skipkeys=True)


def make_text(fields: Fields, *keys: str) -> None:
    """Turn the named fields into texts, in place."""
    for key in keys:
        if key in fields and not isinstance(fields[key], str):
            fields[key] = as_text(fields[key])


def words_of(items: object) -> list[str]:
    """The keywords of decisions in our format."""
    return [item if isinstance(item, str) else str(fields_of(item).get("choice")) for item in items_of(items)]


def in_order(
    draft: Draft, items: list[Any], owner: str, at: DocumentPath, fails: Callable[[str], bool] = is_failure
) -> list[Any]:
    """The decisions with success first and failure second."""
    words = words_of(items)
    right = ordered(words, fails)
    if list(right) == words:
        return items
    by_word = dict(zip(words, items, strict=True))
    what = f"{owner} lists its decisions as {listing(words[:3])}; success is first here and failure second"
    draft.say(at, what, f"Read as {listing(right[:3])}; check that this is meant.", "decisions reordered")
    return [by_word[word] for word in right]
