"""The SQLite file: opening, checking, transactions, and named queries.

Called directly in the event loop: a commit takes about a millisecond (measured; `make bench`), less than
handing it to a thread and back.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from shiftboss.errors import StoreBroken

HERE = Path(__file__).parent

SCHEMA_VERSION = 3
"""Stored as user_version; an older file gets what it lacks, one of a newer version is refused, never guessed at."""


@cache
def queries() -> dict[str, str]:
    """The named statements of queries.sql."""
    text = (HERE / "queries.sql").read_text()
    found: dict[str, str] = {}
    for block in text.split("\n\n"):
        name, *rest = block.strip().splitlines()
        found[name.removeprefix("-- ")] = "\n".join(line for line in rest if not line.startswith("--"))
    return found


class Database:
    """An open store. One writer at a time; readers never wait for it (WAL)."""

    def __init__(self, path: Path, *, synchronous: str = "FULL", readonly: bool = False) -> None:
        """Open (and create) the file.

        Raises:
            StoreBroken: it can't be opened, is damaged, or belongs to a newer shiftboss.
        """
        self.path = path
        try:
            self._connection = _open(path, synchronous=synchronous, readonly=readonly)
        except sqlite3.Error as error:
            raise StoreBroken(_advice(path, error)) from error

    @property
    def empty(self) -> bool:
        """Whether another process has made the file but nothing in it yet (only seen when reading)."""
        return self._connection.execute("PRAGMA user_version").fetchone()[0] == 0

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a named query."""
        try:
            return self._connection.execute(queries()[query], values).fetchall()
        except sqlite3.Error as error:
            raise StoreBroken(_advice(self.path, error)) from error

    def run(self, query: str, *values: object) -> int:
        """Execute a named statement (inside `transaction`); the new row's id."""
        return self._connection.execute(queries()[query], values).lastrowid or 0

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All or nothing.

        Raises:
            StoreBroken: nothing of it was stored (disk full, file damaged).
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise StoreBroken(_advice(self.path, error)) from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; the last one to do so folds the write-ahead log in."""
        self._connection.close()


def _open(path: Path, *, synchronous: str, readonly: bool) -> sqlite3.Connection:
    if readonly:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    else:
        connection = sqlite3.connect(path, isolation_level=None, timeout=10)
        path.chmod(0o600)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        message = f"{path} was written by a newer shiftboss (format {version}, this one knows {SCHEMA_VERSION})"
        raise StoreBroken(f"{message}. Use that one, or another --workdir.")
    if readonly and 0 < version < SCHEMA_VERSION:
        _open(path, synchronous=synchronous, readonly=False).close()
    if version < SCHEMA_VERSION and not readonly:
        schema = (HERE / "schema.sql").read_text()
        # In one transaction: another process sees no store yet, or the whole of it.
        connection.executescript(f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version={SCHEMA_VERSION};\nCOMMIT;")
    return connection


def _advice(path: Path, error: sqlite3.Error) -> str:
    text = str(error).partition(" with text ")[0]  # what follows is whatever stands in the damaged file
    if "full" in text:
        return f"The disk under {path} is full: nothing was recorded, so nothing was done. Free space and run again."
    if "malformed" in text or "not a database" in text or "Could not decode" in text:
        return (
            f"{path} is damaged ({text}). Move it aside and run again: shiftboss looks at the stack anew;"
            " only the history of earlier runs is lost."
        )
    return f"{path} can't be used: {text}. Check the folder's permissions and free space."
