"""The floor under the hub: the same rows in two commits a delegation, by a bare SQLite loop.

The rows are those a hub run wrote, ready made, so that the loop does nothing but store them. The hub itself makes an
order durable before the work, as the loop does, but writes an ending together with the next order.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

from shiftboss.model.events import Delegated, Recorded, Settled, kind_of, plain
from shiftboss.store.database import queries

Row = tuple[str, float, str, str]


def commits(events: Iterable[Recorded]) -> list[list[Row]]:
    """The rows of a run in two commits a delegation: up to the order, before the work; up to its ending, after it."""
    found: list[list[Row]] = [[]]
    for one in events:
        found[-1].append((one.run, one.at, kind_of(one.event), json.dumps(plain(one.event))))
        if isinstance(one.event, Delegated | Settled):
            found.append([])
    return [rows for rows in found if rows]


def store(folder: Path, work: Sequence[Sequence[Row]], synchronous: str) -> float:
    """Seconds to store those commits in a new file: rows into the journal's table, and a duration with what settled."""
    path = folder / f"bare-{time.monotonic_ns()}.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.executescript((files("shiftboss.store") / "schema.sql").read_text())
    insert, learn = queries()["append"], queries()["keep_duration"]
    start = time.perf_counter()
    for rows in work:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, rows)
        if rows[-1][2] == "Settled":
            connection.execute(learn, ("worker", rows[-1][0], "ensure", "", "", "", "[0.001]", 1, 0.0))
        connection.execute("COMMIT")
    passed = time.perf_counter() - start
    connection.close()
    path.unlink()
    return passed
