"""mine, reorg, send: what pool developers do to a running stack by hand. No runs: nothing is journalled."""

import asyncio
import sys
from collections.abc import Mapping
from typing import Any, cast

from shiftboss import acting, control
from shiftboss.app import Session
from shiftboss.errors import BadInput
from shiftboss.frontends.arguments import Call, wrong
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.plain import table_lines, write
from shiftboss.frontends.session import session_of
from shiftboss.frontends.tables import Table
from shiftboss.frontends.text import clean
from shiftboss.model.run import EXIT_CODES, Ending

LIFE_SECONDS = 5


def mine(call: Call) -> int:
    """Make blocks at once."""
    return _act(call)


def reorg(call: Call) -> int:
    """Replace the newest blocks by others."""
    return _act(call)


def send(call: Call) -> int:
    """Put payments into the mempool."""
    return _act(call)


def _act(call: Call) -> int:
    """Do what the verb says, and tell what came of it in each environment."""
    session = _chosen(session_of(call))
    try:
        done, code = asyncio.run(_ended(session, call)), 0
    except acting.Halfway as error:
        done, code = error.done, EXIT_CODES[Ending.ESCALATED]
    if any("interrupted" in facts for facts in done.values()):
        code = EXIT_CODES[Ending.INTERRUPTED]
    if call.json:
        print_document(done)
    elif code or not call.quiet:
        for environment, facts in done.items():
            write(table_lines(_table(f"{call.verb} in {environment}", facts)))
    return code


async def _ended(session: Session, call: Call) -> acting.Done:
    """Let an act end well, whether Ctrl-C or SIGTERM cut it short; then say so of every environment."""
    control.interruptible(cast("asyncio.Task[Any]", asyncio.current_task()))
    clock = asyncio.create_task(_show_life(call))
    try:
        return await acting.act(session, call.verb, call.more["number"])
    except acting.Interrupted as stop:
        return {name: stop.done.get(name, {"interrupted": "nothing was done"}) for name in session.benches}
    finally:
        clock.cancel()


async def _show_life(call: Call) -> None:
    """A line every few seconds to whoever watches."""
    seconds = 0
    while sys.stderr.isatty() and not (call.quiet or call.json):
        await asyncio.sleep(LIFE_SECONDS)
        seconds += LIFE_SECONDS
        sys.stderr.write(f"{call.verb} {call.more['number']}: at work for {seconds} s\n")


def _chosen(session: Session) -> Session:
    """The session of the environments that were named; without a name, of the only one that can be meant.

    Raises:
        BadInput: several can be meant.
    """
    if session.request.environments or len(session.benches) == 1:
        return session
    usual = next(iter(session.pack.profiles))
    found = [name for name, place in session.places.items() if place.profile == usual]
    if len(found) != 1:
        what = f"it is not said where: the environments here are {', '.join(session.benches)}"
        raise BadInput([wrong(what, "Name one or more with --env (with a single regtest one, that is meant)")])
    return session.but(benches={found[0]: session.benches[found[0]]})


def _table(title: str, facts: Mapping[str, object]) -> Table:
    """Facts as rows; of a list only how long it is."""
    rows = [(clean(name).replace("_", " "), _told(value)) for name, value in facts.items()]
    return Table(title=title, rows=rows)


def _told(value: object) -> str:
    return f"{len(value)} (--json lists them)" if isinstance(value, list) else clean(value)  # pyright: ignore[reportUnknownArgumentType] - of whatever they are
