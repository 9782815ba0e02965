"""Keywords: which ones mean failure, and which mean the same in files of different origin.

Pure; used by the dialects, which bring success to the first and failure to the second place, and by subpipelines.py.
The groups are the columns of the original format: its document, its live templates and its agent files each have
words of their own for one event.
"""

import re
from collections.abc import Callable, Iterable, Sequence

END_WORDS = frozenset({"end", "none", "null", "done", "stop", "exit"})  #: what people write when they mean null

_FAILURES = ("failure", "failed", "fail", "error")  #: a keyword that is one of these, or ends with _ and one of them

_SAME = (
    frozenset({"dependencies_ready", "all_dependencies_installed", "dependencies_ok"}),
    frozenset({"dependency_failure", "dependency_error", "installation_failed", "missing_dependencies"}),
    frozenset({"configs_ready", "configs_generated"}),
    frozenset({"config_failure", "config_error", "template_error"}),
    frozenset({"daemon_ready", "daemon_started"}),
    frozenset({"daemon_failure", "daemon_error", "daemon_failed"}),
    frozenset({"pool_ready", "pool_started"}),
    frozenset({"pool_failure", "pool_error", "pool_failed"}),
    frozenset({"miner_ready", "miner_started", "miner_configured"}),
    frozenset({"miner_failure", "miner_error", "miner_failed"}),
    frozenset({"validation_passed", "cycle_complete", "cycle_passed", "infrastructure_validated"}),
    frozenset({"validation_failed", "cycle_error", "cycle_failed"}),
    frozenset({"recovery_successful"}),
    frozenset({"recovery_failed"}),
)
_BAD = frozenset(
    word for group in _SAME for word in group if any(other.endswith(_FAILURES) for other in group)
)  #: also missing_dependencies, whose fellows end as failures do


def is_failure(word: str) -> bool:
    """Whether a keyword means that the work could not be done, by how it ends."""
    low = word.lower()
    return low in _BAD or low.rpartition("_")[2] in _FAILURES


def same_as(word: str, known: Iterable[str]) -> str | None:
    """The known keyword that means what this one means: itself, itself in other letters, or its group's; or None."""
    declared = list(known)
    if word in declared:
        return word
    low = word.lower()
    group = next((group for group in _SAME if low in group), frozenset({low}))
    return next((other for other in declared if other.lower() == low), None) or next(
        (other for other in declared if other.lower() in group), None
    )


def ordered(words: Sequence[str], fails: Callable[[str], bool] = is_failure) -> tuple[str, ...]:
    """Success first and failure second, as far as there are such words, the others in their order."""
    good = [word for word in words if not fails(word)][:1]
    bad = [word for word in words if fails(word)][:1]
    first = [*good, *bad]
    return (*first, *(word for word in words if word not in first))


def keyword(text: str) -> str:
    """A text as one word of letters, digits and _."""
    return re.sub(r"\W+", "_", text).strip("_")
