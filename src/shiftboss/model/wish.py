"""A goal in the user's words, read by a small grammar (docs/how-to/brains.md shows it). Pure.

What is not understood is said, never guessed: the words that are left over come back with the wish.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum

from shiftboss.model.value import Value


class Wanted(StrEnum):
    """What a sentence can ask for."""

    UP = "up"
    DOWN = "down"
    RESTART = "restart"  #: replace the running instances of its parts
    VALIDATE = "validate"  #: only the proof; nothing else is touched
    RESET = "reset"  #: move the data aside and begin anew


class Wish(Value):
    """What was understood of a goal in words."""

    want: Wanted = Wanted.UP
    components: tuple[str, ...] = ()  #: empty: all
    untouched: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()  #: clauses that were not understood

    def __str__(self) -> str:
        parts = ", ".join(self.components) or "everything"
        kept = f"; not to be touched: {', '.join(self.untouched)}" if self.untouched else ""
        return f"{self.want} {parts}{kept}"


_VERBS = {
    Wanted.DOWN: r"stop|down|bring down|take down|shut down|tear down",
    Wanted.RESTART: r"restart|replace|bounce",
    Wanted.VALIDATE: r"validate|verify|prove|check|test",
    Wanted.RESET: r"reset|wipe|start over|start anew",
    Wanted.UP: r"up|start|bring up|set up|setup|run|ensure|fix|mend|repair|keep|only|just",
}
_BROUGHT_UP = re.compile(r"\b(?:bring|start|set|run)\b.*\b(?:up|and)\b")
_TOUCH = "touching|touch|restarting|restart|stopping|stop|changing|change|resetting|reset|disturbing|disturb"
_LEAVE = (
    rf"(?:do not|don't|dont|never|not|without|except|but not|no)\s+(?:(?:{_TOUCH})\b)?\s*(.*)",
    r"(?:leave|keep) (.+?) (?:alone|untouched|as it is|as they are|running)",
    r"(.+?) (?:must|should|may|is|are) not (?:to )?(?:be )?(?:touched|restarted|stopped|changed|reset)",
)
_FILLERS = (
    *("please", "the", "a", "an", "my", "our", "it", "is", "are", "that", "this", "them", "all of", "again", "now"),
    *("up and running", "running", "works?", "ready", "with", "for", "of", "in", "on", "to", "from scratch", "from"),
    *("intelligent", "orchestration", "mining", r"needs? (?:attention|work|care|looking after)"),
)
_FILLER = re.compile(rf"\b(?:{'|'.join(_FILLERS)})\b")
_EVERYTHING = frozenset({"everything", "all", "stack", "infrastructure", "environment", "anything", "whole"})
_VERB_WORDS = frozenset(word for verbs in _VERBS.values() for verb in verbs.split("|") for word in verb.split())
_FIRST_WORDS = (
    *("do not", "don't", "dont", "never", "leave", "not", "without", "except", "only", "just", "validate", "verify"),
    *("restart", "reset", "fix", "mend", "repair", "bring", "start", "stop", "set up", "keep"),
    r"the \w+ (?:must|should|may)",
)
_CLAUSES = re.compile(
    r"[;.!]+(?=\s|$)|,?\s+\b(?:but(?! not)|then)\b"
    rf"|,\s*(?:and\s+)?(?=(?:please\s+)?(?:{'|'.join(_FIRST_WORDS)})\b)"
    r"|\s+(?=(?:except|without|but not)\b)"
)
_WORDS = re.compile(r"[,\s]+|\band\b|\bor\b|\bnor\b|&")


def read_wish(text: str, components: Sequence[str], proofs: Collection[str]) -> Wish:
    """What the words ask for; `proofs` are the components that validate the others."""
    wish = Wish()
    for clause in _clauses(text):
        wish = _leave(wish, clause, components) or _want(wish, clause, components)
    if wish.want is Wanted.VALIDATE and not wish.unclear:
        parts = wish.components or tuple(proofs)
        others = tuple(name for name in components if name not in parts)
        return wish.but(components=parts, untouched=others)
    return wish


def _clauses(text: str) -> Iterator[str]:
    for part in _CLAUSES.split(" ".join(text.lower().replace("\u2019", "'").split())):
        clause = part.strip(" ,.!")
        found = re.split(r"\s+and\s+(?=(?:do not|don't|never|leave|without|not|restart|reset|only)\b)", clause)
        yield from (one.strip() for one in found if one.strip())


def _leave(wish: Wish, clause: str, components: Sequence[str]) -> Wish | None:
    """The wish with what is to be left alone, if the clause says so."""
    for pattern in _LEAVE:
        found = re.fullmatch(pattern, clause)
        if found is None:
            continue
        names, unknown = _parts(found[1], components)
        if unknown or not names:
            return wish.but(unclear=(*wish.unclear, clause))
        return wish.but(untouched=tuple(dict.fromkeys((*wish.untouched, *names))))
    return None


def _want(wish: Wish, clause: str, components: Sequence[str]) -> Wish:
    for want, verbs in _VERBS.items():
        found = re.search(rf"\b(?:{verbs})\b", clause)
        if found is None:
            continue
        if want is Wanted.VALIDATE and _BROUGHT_UP.search(clause):
            continue  # what is brought up is validated anyway
        names, unknown = _parts(clause[: found.start()] + clause[found.end() :], components)
        if unknown:
            break
        both = _together(wish.want, want)
        if both is None:
            break
        return wish.but(want=both, components=tuple(dict.fromkeys((*wish.components, *names))))
    else:
        names, unknown = _parts(clause, components)
        if not unknown:
            return wish.but(components=tuple(dict.fromkeys((*wish.components, *names))))
    return wish.but(unclear=(*wish.unclear, clause))


def _parts(text: str, components: Sequence[str]) -> tuple[list[str], list[str]]:
    """The components that a text names, and its words that name nothing."""
    known = {name.lower(): name for name in components} | {f"{name.lower()}s": name for name in components}
    words = [word for word in _WORDS.split(_FILLER.sub(" ", text)) if word]
    names = [known[word] for word in words if word in known]
    return names, [word for word in words if word not in known and word not in _EVERYTHING | _VERB_WORDS]


_MILD = (Wanted.UP, Wanted.VALIDATE)
"""Whatever else is wanted ends with these anyway."""


def _together(one: Wanted, other: Wanted) -> Wanted | None:
    """What two clauses want together; None where one run can't do both."""
    if one in _MILD or one is other:
        return other if other not in _MILD or one is Wanted.UP else one
    return one if other in _MILD else None
