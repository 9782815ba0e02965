"""Read `DECISION: word` and `REASONING: text` out of whatever a model or a command wrote. Pure.

Tolerant of markup, JSON, quotes and spelling of blanks, strict about the word: only one of the allowed ones is ever
returned. The text is untrusted and may be large, so each pattern looks at a bounded stretch only.
"""

import json
import re
from collections.abc import Iterator, Sequence

from shiftboss.model.value import Value

LONGEST = 2_000
"""Characters of a reasoning that are kept."""

_ALONE = r"(?<![A-Za-z0-9])(?<![A-Za-z0-9][_-]){}(?![A-Za-z0-9])"
_POINTS_TO = r"[\s\"'*_`\\)\]]{0,12}(?:[:=\uff1a]>?|-{1,2}>?|[\u2013\u2014>]|(?<=\n))[\s\"'*_`\\\[({<]{0,16}"
_DECISION = re.compile(_ALONE.format("decision"), re.IGNORECASE)
_REASONING = re.compile(
    _ALONE.format("reasoning") + r"[\s\"'*_`\\)\]]{0,12}[:=\uff1a\u2013\u2014>-][ \t*_`\\]{0,8}", re.IGNORECASE
)
_ENDS = (
    r"(?=[ \t]*(?:$|[\n\r]"
    r"|[.,;:!?\"'*`\\)\]}>(<|/_~\u2013\u2014-](?!\w)"
    r"|[\"'`*(<\u2013\u2014]"
    r"|(?:because|since|as|reasoning)\b))"
)
_HEADING = re.compile(
    r"\n[ \t>#*_`\"'{,-]{0,12}"
    r"(?:decision|reasoning|output|summary|status|evidence|changes|addressed|note_addressed|feedback_addressed)"
    r"(?![A-Za-z0-9])[ \t\"'*_`\d]{0,12}(?:[:=\uff1a]|\n|$)",
    re.IGNORECASE,
)
_QUOTED = re.compile(rf'"((?:[^"\\]|\\.){{0,{LONGEST}}})', re.DOTALL)


class Said(Value):
    """A decision that was found in a text."""

    word: str  #: as the agent declares it
    reasoning: str = ""


def read_decision(text: str, allowed: Sequence[str]) -> Said | None:
    """The last decision in a text that is one of the allowed words, with its reasoning; None when there is none."""
    found = list(_decisions(text, allowed))
    if not found:
        return None
    word, start, end = found[-1]
    reasoning = _first_reasoning(text, end) or (_last_reasoning(text, start) if len(found) == 1 else "")
    return Said(word=word, reasoning=reasoning)


def _decisions(text: str, allowed: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Each allowed word that is decided for, with the place where it is named and where it ends."""
    words = {name: word for word in allowed if (name := _plain(word))}
    if not words:
        return
    spelt = "|".join(map(_spelling, sorted(words, key=len, reverse=True)))
    value = re.compile(rf"{_POINTS_TO}({spelt}){_ENDS}", re.IGNORECASE)
    between = r"(?:[ \t\"'*_`\\]{0,8}(?:[|/]|or\b)[ \t\"'*_`\\]{0,8}|[ \t*_`]{0,8}[,;][ \t*_`]{0,8}(?:or\s)?)"
    other = re.compile(rf"{between}(?:{spelt})(?!\w)", re.IGNORECASE)
    reach = 100 + 4 * max(map(len, words))
    for name in _DECISION.finditer(text):
        said = value.match(text, name.end(), name.end() + reach)
        word = words.get(_plain(said[1])) if said else None  # None: a letter that is only alike
        if said and word and not other.match(text, said.end(), said.end() + reach):  # a list of choices decides nothing
            yield word, name.start(), said.end()


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.strip()).strip("_").lower()


def _spelling(name: str) -> str:
    return r"[ \t_-]{1,3}".join(map(re.escape, name.split("_")))


def _first_reasoning(text: str, start: int) -> str:
    heading = _REASONING.search(text, start)
    return _reasoning(text, heading.end()) if heading else ""


def _last_reasoning(text: str, end: int) -> str:
    last = None
    for heading in _REASONING.finditer(text, 0, end):
        last = heading
    return _reasoning(text[:end], last.end()) if last else ""


def _reasoning(text: str, start: int) -> str:
    """From here to the next heading, or to the end of the JSON text it stands in."""
    kept = text[start : start + LONGEST]
    quoted = _QUOTED.match(kept)
    if quoted:
        return _unescaped(quoted[1]).strip()
    heading = _HEADING.search(kept)
    return (kept[: heading.start()] if heading else kept).strip().strip("*_`").strip()


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
