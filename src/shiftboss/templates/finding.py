"""A finding before its line is known, and the words findings share.

schema.py and checks.py say what is wrong at which place of which document; user.py adds the line and makes the
Diagnostic people see. So the checks stay pure and need no positions.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from shiftboss.model.diagnostic import Diagnostic, Severity
from shiftboss.model.value import Value

DocumentPath = tuple[str | int, ...]


class Finding(Value):
    """What is wrong at a place inside a file, and how to mend it."""

    source: str  #: the file
    at: DocumentPath = ()
    what: str
    remedy: str
    severity: Severity = Severity.ERROR
    line: int | None = None  #: only where the path can't tell it, as with broken syntax
    about: str = ""  #: the pipeline's file, where the finding stands in an agent's
    topic: str = "other"  #: what `shiftboss import` counts it under


def diagnostic(finding: Finding, line: int | None) -> Diagnostic:
    """The finding as people see it."""
    return Diagnostic(
        severity=finding.severity,
        place=finding.source,
        line=finding.line or line,
        path=dotted(finding.at),
        what=finding.what,
        remedy=finding.remedy,
    )


def dotted(path: DocumentPath) -> str:
    """stages[2].agent for ("stages", 2, "agent")."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, or None where none is near."""
    matches = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def hint(word: str, known: Iterable[str], otherwise: str) -> str:
    """'Did you mean X?' where something is near, else the other remedy."""
    match = nearest(word, known)
    return f"Did you mean '{match}'?" if match else otherwise


def listing(words: Iterable[str]) -> str:
    """Words for a sentence: 'a', 'b', 'c'; or 'none'."""
    return ", ".join(f"'{word}'" for word in words) or "none"
