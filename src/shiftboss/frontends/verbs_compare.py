"""compare: two pipelines from the same start states, as a table or a document."""

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, NoReturn

from shiftboss import comparing
from shiftboss.comparing import COMPARED, STATES, Compared, Took
from shiftboss.frontends.arguments import Call
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.plain import WIDTH, write
from shiftboss.frontends.session import session_of
from shiftboss.frontends.text import clean, wrap
from shiftboss.model.run import EXIT_CODES, Ending

DIFFERENT = EXIT_CODES[Ending.ESCALATED]
"""Exit code when the end states are not equal everywhere: somebody has to look."""


def compare(call: Call) -> int:
    """Exit code 0 when both end alike from every start state, 3 otherwise."""
    session = session_of(call)
    one, other = call.more["pipelines"]
    states = _states(call.more["states"])
    comparing.check(session, (one, other), states)
    silent = call.json or call.quiet
    if not silent:
        write(_head(one, other))
    signal.signal(signal.SIGTERM, _interrupt)  # so that nothing of it is left
    with TemporaryDirectory(prefix="shiftboss-compare-") as folder:
        found = comparing.compare(
            session,
            (one, other),
            states,
            Path(folder),
            tell=lambda done: None if silent else write(_rows(done)),
        )
    equal = all(done.equal for done in found)
    if call.json:
        print_document(_document((one, other), found, equal=equal))
    else:
        write(_end(found, equal=equal))
    return 0 if equal else DIFFERENT


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _states(written: str | None) -> list[str]:
    return [name.strip() for name in written.split(",")] if written is not None else list(STATES)


_FORM = "{:<15}{:<7}{:<3}{:<15}{:>9}{:>12}{:>9}{:>8}"


def _head(one: str, other: str) -> Iterator[str]:
    yield f"A  {one}"
    yield f"B  {other}"
    yield from wrap(f"Compared: {'; '.join(COMPARED)}.", WIDTH)
    yield ""
    yield _FORM.format("from", "equal", "", "ending", "seconds", "delegations", "restarts", "blocks").rstrip()


def _rows(done: Compared) -> Iterator[str]:
    for number, (letter, took) in enumerate(zip("AB", done.took, strict=True)):
        named = (done.state, "yes" if done.equal else "NO") if number == 0 else ("", "")
        yield _FORM.format(*named, letter, *_figures(took))
    for text in done.differences:
        yield from (f"  {line}" for line in wrap(clean(text), WIDTH - 2, hang=2))


def _figures(took: Took) -> tuple[object, ...]:
    return clean(took.ending), f"{took.seconds:.2f}", took.delegations, took.restarts, took.blocks


def _end(found: Sequence[Compared], *, equal: bool) -> Iterator[str]:
    if equal:
        yield "Both end alike from every start state."
    else:
        names = ", ".join(done.state for done in found if not done.equal)
        yield from wrap(f"They do not end alike from: {names} (A / B above).", WIDTH)


def _document(pipelines: tuple[str, str], found: Sequence[Compared], *, equal: bool) -> dict[str, Any]:
    return {
        "pipelines": list(pipelines),
        "compared": list(COMPARED),
        "states": [
            {
                "state": done.state,
                "what": STATES[done.state].what,
                "equal": done.equal,
                "differences": list(done.differences),
                "runs": [vars(took) for took in done.took],
            }
            for done in found
        ],
        "equal": equal,
        "exit_code": 0 if equal else DIFFERENT,
    }
