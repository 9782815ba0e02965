"""Messages from other processes to the hub; only the hub turns them into events."""

import json
from typing import Any

from shiftboss.model.value import Value
from shiftboss.store.database import Database


class Message(Value):
    """One message: `kind` is note, stop, approve or deny."""

    id: int
    kind: str
    data: dict[str, Any]


class Inbox:
    """Where `note`, `stop`, `approve` and `deny` are left, for the running hub or the next one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def send(self, run: str, at: float, kind: str, **data: Any) -> None:
        """Leave a message durably; an empty run means whichever comes next."""
        with self._database.transaction():
            self._database.run("send", run, at, kind, json.dumps(data))

    def messages(self, run: str) -> list[Message]:
        """What lies there for a run, oldest first; taken by `Journal.append(taken=...)`."""
        rows = self._database.rows("messages", run)
        return [Message(id=row[0], kind=row[1], data=json.loads(row[2])) for row in rows]
