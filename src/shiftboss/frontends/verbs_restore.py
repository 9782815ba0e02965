"""restore: what recoveries and `down --purge` moved aside, and the way back."""

import asyncio
from typing import Any

from shiftboss import restoring
from shiftboss.app import Session
from shiftboss.frontends.arguments import Call
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.plain import table_lines, write
from shiftboss.frontends.session import session_of
from shiftboss.frontends.tables import Table
from shiftboss.frontends.text import clean
from shiftboss.system.aside import Snapshot

_MEGABYTE = 1_000_000


def restore(call: Call) -> int:
    """Without an id list what lies aside; with one put it back."""
    session = session_of(call)
    wanted: str | None = call.more["snapshot"]
    return _list(call, session) if wanted is None else _put_back(call, session, wanted)


def _list(call: Call, session: Session) -> int:
    found = restoring.list_snapshots(session)
    if call.json:
        print_document([snapshot_document(one) for one in found])
    elif not found:
        write(["Nothing lies aside here."])
    else:
        rows = [(one.id, one.at, one.environment, clean(one.why), _size(one)) for one in found]
        heads = ("snapshot", "when", "environment", "why", "size")
        write(table_lines(Table(title="Kept aside", heads=heads, rows=rows)))
    return 0


def snapshot_document(one: Snapshot) -> dict[str, Any]:
    """A snapshot as plain values; `size` in bytes."""
    return {
        "id": one.id,
        "when": one.at,
        "environment": one.environment,
        "why": one.why,
        "size": one.size,
        "paths": list(one.paths),
    }


def _size(one: Snapshot) -> str:
    return f"{one.size / _MEGABYTE:.1f} MB"


def _put_back(call: Call, session: Session, wanted: str) -> int:
    changes = asyncio.run(restoring.restore(session, wanted))
    if call.json:
        print_document({"snapshot": wanted, "changes": changes})
    elif not call.quiet:
        write(clean(change) for change in changes)
        write(["`shiftboss up` brings the stack up on it." if changes else f"{wanted} was put back before."])
    return 0
