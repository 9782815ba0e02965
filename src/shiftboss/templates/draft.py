"""A document while a dialect is translated: what it says by now, what was said about it, where its parts come from.

Made and thrown away by dialects.py and its two helpers; nothing else sees one. Places are those of the original.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from difflib import get_close_matches
from typing import Any, cast

from shiftboss.model.diagnostic import Severity
from shiftboss.model.value import Value
from shiftboss.templates.finding import DocumentPath, Finding

Fields = dict[str, Any]
_NO_EFFECT = "Take it out, or leave it: it has no effect."
_MISSPELT = 0.85  #: how much a key must look like one of ours; the original has many others that mean what they say
Moves = Mapping[DocumentPath, DocumentPath]


class Translated(Value):
    """A document in our own format, and what was said on the way there."""

    data: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()
    moves: Moves = field(default_factory=dict[DocumentPath, DocumentPath])  #: place of a part -> where it was written
    foreign: bool = False  #: it was written in a dialect: what is missing may be added, always with a word about it


class Draft:
    """A document that changes while it is translated; every change goes with its finding."""

    def __init__(self, data: Mapping[Any, Any], source: str) -> None:
        self.data: Fields = dict(data)
        self.source = source
        self.findings: list[Finding] = []
        self.moves: dict[DocumentPath, DocumentPath] = {}
        self.foreign = False

    def say(self, at: DocumentPath, what: str, remedy: str, topic: str, severity: Severity = Severity.WARNING) -> None:
        """Note what was done, or could not be done, at a place of the original."""
        found = Finding(source=self.source, at=at, what=what, remedy=remedy, topic=topic, severity=severity)
        self.findings.append(found)

    def unused(self, fields: Fields, at: DocumentPath, known: Sequence[str]) -> Fields:
        """The fields without the settings that have no meaning here, each with a word about it."""
        for key in [key for key in fields if key not in known]:
            what = f"the setting '{key}' is not used here"
            near = get_close_matches(str(key), known, n=1, cutoff=_MISSPELT)
            self.say((*at, str(key)), what, f"Did you mean '{near[0]}'?" if near else _NO_EFFECT, "unused setting")
        return {key: value for key, value in fields.items() if key in known}

    def usable(self, fields: Fields, at: DocumentPath, fits: Mapping[str, Callable[[Any], bool]]) -> Fields:
        """The fields without those that only share their name with ours, each with a word about it."""
        odd = [key for key, fit in fits.items() if key in fields and not fit(fields[key])]
        for key in odd:
            what = f"the setting '{key}' means something else here, and is left out"
            self.say((*at, key), what, _NO_EFFECT, "unused setting")
        return {key: value for key, value in fields.items() if key not in odd}

    def done(self) -> Translated:
        """What has become of the document."""
        return Translated(data=self.data, findings=tuple(self.findings), moves=dict(self.moves), foreign=self.foreign)


def original(at: DocumentPath, moves: Moves) -> DocumentPath:
    """The place in the original of a place in the translated document."""
    for length in range(len(at), 0, -1):
        if at[:length] in moves:
            return (*moves[at[:length]], *at[length:])
    return at


def fields_of(value: object) -> Fields:
    """A JSON object as it stands, and nothing for any other value."""
    return dict(cast("Fields", value)) if isinstance(value, Mapping) else {}


def items_of(value: object) -> list[Any]:
    """A JSON list as it stands, and nothing for any other value."""
    return list(cast("list[Any]", value)) if isinstance(value, list) else []


def ways_of(data: Mapping[str, Any]) -> list[tuple[DocumentPath, Fields]]:
    """Every connection that counts (those under `flow`, if there are any), with its place, whatever their shape."""
    flow = items_of(fields_of(data.get("flow")).get("connections"))
    at: DocumentPath = ("flow", "connections") if flow else ("connections",)
    return [((*at, index), fields_of(item)) for index, item in enumerate(flow or items_of(data.get("connections")))]


def filled(value: object) -> bool:
    """Whether a text, or a list of lines, says anything."""
    if isinstance(value, list):
        return any(isinstance(line, str) and line.strip() for line in cast("list[object]", value))
    return isinstance(value, str) and bool(value.strip())
