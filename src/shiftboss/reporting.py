"""Gathers what an escalation's report says beyond the run itself: versions, paths, logs, memory, what lies aside.

control.py hands `build_report` to the hub through the charter. It only looks, and whatever can't be read is left out: a
report with less in it is worth more than none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from shiftboss.app import Session, versions
from shiftboss.engine.state import RunState
from shiftboss.errors import StoreBroken
from shiftboss.model.gap import Gap
from shiftboss.store.memory import Memory
from shiftboss.system.workbench import Workbench

T = TypeVar("T")

TAIL_LINES = 12
TAIL_BYTES = 8_000


def build_report(
    session: Session, memory: Memory, environment: str, why: str, state: RunState, gaps: Mapping[str, Gap]
) -> dict[str, Any]:
    """The report of an escalation, with what this machine can add to it."""
    from shiftboss.engine import report

    bench = session.benches[environment]
    advise = session.pack.advise
    own = [gap for gap in gaps.values() if gap.environment == environment and not gap.blocked_by]
    parts = list(dict.fromkeys(gap.component.partition(".")[0] for gap in own))
    suggestions: list[tuple[str, str]] = []
    for gap in own:
        failed = report.last_failure(gap, state)
        kind = gap.failure or (failed and failed.kind)
        suggestions += _try(lambda gap=gap, kind=kind: advise(gap.component, kind, bench), ())
    around = report.Surroundings(
        versions={**versions(), **_try(lambda: session.pack.versions(bench), {})},
        paths=_try(lambda: _paths(session, bench, parts), {"working directory": str(session.home)}),
        log_tails={name: lines for part in parts for name, lines in _tails(session, bench, part)},
        suggestions=list(dict.fromkeys(suggestions)),
        lessons=_try(memory.lessons, ()),
        remedies=_try(memory.remedies, ()),
        aside=_try(bench.aside.list, ()),
    )
    return report.build(environment, why, state, gaps, around)


def _try(read: Callable[[], T], otherwise: T) -> T:
    """What is read; the other where that can't be done (which may be what the report is about)."""
    try:
        return read()
    except (OSError, StoreBroken):
        return otherwise


def _paths(session: Session, bench: Workbench, parts: Iterable[str]) -> Mapping[str, str]:
    folder, logs = bench.environment.folder, session.pack.logs(bench)
    found = {"working directory": str(session.home), "environment": str(folder)}
    for part in parts:
        if (folder / part).is_dir():
            found[f"data of {part}"] = str(folder / part)
        if part in logs:
            found[f"log of {part}"] = str(logs[part])
    return found


def _tails(session: Session, bench: Workbench, part: str) -> Iterator[tuple[str, Sequence[str]]]:
    """The last lines of a part's log, and of what it printed itself where that is another file."""
    from shiftboss.system.files import read_text_tail

    printed = bench.environment.log_folder / f"{part}.log"
    named = session.pack.logs(bench).get(part)
    paths = [named] if named else []
    for path in dict.fromkeys((*paths, printed)):
        lines = _try(lambda path=path: read_text_tail(path, TAIL_BYTES), "").splitlines()[-TAIL_LINES:]
        if lines:
            yield part if path in paths else f"{part} ({path.name})", lines
