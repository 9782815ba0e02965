"""The floor under the hub: the same rows in the same two commits a delegation, by a bare SQLite loop.

The rows are those a hub run wrote, ready made, so that the loop does nothing but store them.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from importlib.resources import files
from itertools import groupby
from pathlib import Path

from shiftboss.model.events import Recorded, Settled, kind_of, plain
from shiftboss.store.database import queries

Row = tuple[str, float, str, str]


def commits(events: Iterable[Recorded]) -> list[list[Row]]:
    """The rows of a run, commit by commit: what one commit stored has one date."""
    groups = groupby(events, key=lambda one: (one.at, isinstance(one.event, Settled) and one.event.id))
    found: list[list[Row]] = []
    last: float | None = None
    for (at, _), group in groups:
        rows = [(one.run, one.at, kind_of(one.event), json.dumps(plain(one.event))) for one in group]
        if at == last:
            found[-1] += rows
        else:
            found.append(rows)
        last = at
    return found


def store(folder: Path, work: Sequence[Sequence[Row]], synchronous: str) -> float:
    """Seconds to store those commits in a new file: rows into the journal's table, and a duration with what settled."""
    path = folder / f"bare-{time.monotonic_ns()}.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.executescript((files("shiftboss.store") / "schema.sql").read_text())
    insert, learn = queries()["append"], queries()["learn_duration"]
    start = time.perf_counter()
    for rows in work:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, rows)
        if rows[-1][2] == "Settled":
            connection.execute(learn, ("worker", rows[-1][0], "ensure", 0.001))
        connection.execute("COMMIT")
    passed = time.perf_counter() - start
    connection.close()
    path.unlink()
    return passed
