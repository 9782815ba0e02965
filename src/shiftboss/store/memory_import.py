"""Takes what `shiftboss memory export` wrote into memory: CI keeps it between builds, people hand it on.

Called by answering.py. Of two entries about the same thing the newer one stays, so that to import a file twice changes
nothing the second time. A file is read whole before anything is stored.
"""

import json
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.duration import KEPT, Conditions, Duration
from shiftboss.model.lesson import Lesson
from shiftboss.model.value import Value
from shiftboss.store.database import Database
from shiftboss.store.memory import Memory, Remedy

MOST = 10**9
"""The highest count that is taken in: nobody has seen more."""

LONGEST = 10**7
"""The longest time, in seconds, that is taken in: four months."""

SLACK = 86_400.0
"""How far in the future a date may lie, in seconds: clocks of other machines go wrong."""

REMEDY = "shiftboss memory export > FILE writes one that can be imported"


class Exported(Value):
    """What a file holds."""

    lessons: Sequence[Lesson]
    remedies: Sequence[Remedy]
    durations: Sequence[Duration]


class Taken(Value):
    """How many entries of each kind were new, or newer than what was known."""

    lessons: int
    remedies: int
    durations: int


def read(text: str, place: str, now: float) -> Exported:
    """The entries of an exported file; `place` is its name, for findings, `now` the date. Pure.

    Raises:
        BadInput: it is no such file; with every finding.
    """
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise BadInput([Diagnostic(place=place, what=f"this is no JSON: {why}", remedy=REMEDY)]) from None
    found = list(_findings(document, now))
    if found:
        raise BadInput([Diagnostic(place=place, path=path, what=what, remedy=REMEDY) for path, what in found])
    return Exported(
        lessons=[Lesson(**_only(one, _LESSON)) for one in document.get("lessons", ())],
        remedies=[Remedy(**_only(one, _REMEDY)) for one in document.get("remedies", ())],
        durations=[_duration(one) for one in document.get("durations", ())],
    )


Check = Callable[[object], str | None]
"""What is wrong with a value; None when nothing is."""


def _text(value: object) -> str | None:
    good = isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)
    return None if good else "is not a text"


def _number(value: object, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most  # NaN is neither


def _seconds(value: object) -> str | None:
    return None if _number(value, LONGEST) else f"is not a number of seconds from 0 to {LONGEST}"


def _date(value: object) -> str | None:
    return None if _number(value, math.inf) else "is not a date (seconds since 1970)"


def _count(value: object) -> str | None:
    good = isinstance(value, int) and _number(value, MOST)
    return None if good else f"is not a whole number from 0 to {MOST}"


def _samples(value: object) -> str | None:
    given = cast("list[object]", value) if isinstance(value, list) else []
    good = given and all(_number(one, LONGEST) for one in given)
    return None if good else f"is not a list of seconds from 0 to {LONGEST}"


_LESSON: Mapping[str, Check] = {
    **dict.fromkeys(("signature", "strategy", "versions"), _text),
    **dict.fromkeys(("lasted", "failed"), _count),
    "seconds": _seconds,
    "seen": _date,
}
_REMEDY: Mapping[str, Check] = {**dict.fromkeys(("signature", "component", "what"), _text), "at": _date}
_PLACE: Mapping[str, Check] = dict.fromkeys(("profile", "host", "versions"), _text)
_DURATION: Mapping[str, Check] = {
    **dict.fromkeys(("agent", "component", "mode"), _text),
    "conditions": lambda value: None if isinstance(value, dict) else "is not an object",
    "samples": _samples,
    "count": _count,
    "seen": _date,
}
_KINDS: Mapping[str, Mapping[str, Check]] = {"lessons": _LESSON, "remedies": _REMEDY, "durations": _DURATION}


def _findings(document: object, now: float) -> Iterator[tuple[str, str]]:
    """Place and what is wrong there, of the whole file."""
    if not isinstance(document, dict) or not _KINDS.keys() & cast("dict[str, object]", document).keys():
        yield "", f"there is none of {', '.join(_KINDS)} in it"
        return
    for kind, fields in _KINDS.items():
        entries: object = cast("dict[str, object]", document).get(kind, [])
        if not isinstance(entries, list):
            yield kind, "is not a list"
            continue
        for number, entry in enumerate(cast("list[object]", entries)):
            yield from _entry(f"{kind}[{number}]", entry, fields, now)


def _entry(path: str, entry: object, fields: Mapping[str, Check], now: float) -> Iterator[tuple[str, str]]:
    if not isinstance(entry, dict):
        yield path, "is not an object"
        return
    held = cast("dict[str, object]", entry)
    for name, check in fields.items():
        wrong = check(held[name]) if name in held else "is missing"
        if not wrong and check is _date and not _number(held[name], now + SLACK):
            wrong = "lies in the future"
        if wrong:
            yield f"{path}.{name}", f"{name} {wrong}"
    if isinstance(held.get("conditions"), dict) and "conditions" in fields:
        yield from _entry(f"{path}.conditions", held["conditions"], _PLACE, now)


def _only(entry: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """The fields that are stored: an export may hold more (rate), also of a later version."""
    return {name: entry[name] for name in fields}


def _duration(entry: Mapping[str, Any]) -> Duration:
    changed: dict[str, Any] = {
        "samples": tuple(float(one) for one in entry["samples"][-KEPT:]),
        "conditions": Conditions(**_only(entry["conditions"], _PLACE)),
    }
    return Duration(**{**_only(entry, _DURATION), **changed})


def take_in(database: Database, learned: Exported) -> Taken:
    """Store what is new or newer, all of it or nothing; idempotent.

    Raises:
        StoreBroken: nothing was stored.
    """
    memory = Memory(database)
    with database.transaction():
        lessons = _newer(learned.lessons, memory.lessons(), lambda one: (one.signature, one.strategy))
        for one in lessons:
            database.run("put_lesson", *(getattr(one, name) for name in _ROW))
        known = set(memory.remedies())
        remedies = [one for one in dict.fromkeys(learned.remedies) if one not in known]
        for one in remedies:
            memory.mended_by_hand(one)
        durations = _newer(learned.durations, memory.durations(), lambda one: (one.kind, one.conditions))
        for one in durations:
            place = one.conditions
            key = (*one.kind, place.profile, place.host, place.versions)
            database.run("keep_duration", *key, json.dumps(one.samples), one.count, one.seen)
    return Taken(lessons=len(lessons), remedies=len(remedies), durations=len(durations))


_ROW = ("signature", "strategy", "lasted", "failed", "seconds", "versions", "seen")
T = TypeVar("T", Lesson, Duration)


def _newer(given: Iterable[T], known: Iterable[T], key: Callable[[T], Hashable]) -> list[T]:
    """The newest of each key, where it is newer than what is known of it."""
    before = {key(one): one.seen for one in known}
    newest = {key(one): one for one in sorted(given, key=lambda one: one.seen)}
    return [one for name, one in newest.items() if one.seen > before.get(name, -1.0)]
