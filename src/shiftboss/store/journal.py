"""The append-only truth of all runs, and who listens to it."""

import json
from collections.abc import Callable, Iterable, Sequence

from shiftboss.errors import StoreBroken
from shiftboss.model.events import Event, Recorded, from_plain, kind_of, plain
from shiftboss.store.database import Database

Listener = Callable[[Recorded], None]

_as_text = json.JSONEncoder(separators=(",", ":"), default=str).encode
"""Made once: `json.dumps` with options makes an encoder for each event, which takes longer than encoding it."""


class Journal:
    """Appends events durably, then tells the listeners; reads them back as they were."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Be told of each event after it is durable, in order."""
        self._listeners.append(listener)

    def append(
        self,
        run: str,
        at: float,
        events: Sequence[Event],
        *,
        taken: Iterable[int] = (),
        within: Callable[[], None] | None = None,
    ) -> None:
        """Store events in one transaction, then tell the listeners.

        The inbox messages they answer (`taken`) and what is learnt from them (`within`) go into the same one.

        Raises:
            StoreBroken: none of them was stored.
        """
        recorded: list[Recorded] = []
        with self._database.transaction():
            for event in events:
                seq = self._database.run("append", run, at, kind_of(event), _as_text(plain(event)))
                recorded.append(Recorded(seq=seq, run=run, at=at, event=event))
            for message in taken:
                self._database.run("take", message)
            if within:
                within()
        for record in recorded:
            for listener in self._listeners:
                listener(record)

    def read(self, run: str, after: int = 0) -> list[Recorded]:
        """The events of a run after a number, oldest first."""
        return [_recorded(row) for row in self._database.rows("events_of", run, after)]

    def marks(self, limit: int = 200) -> list[Recorded]:
        """Starts, resumptions and ends of runs, newest first."""
        return [_recorded(row) for row in self._database.rows("runs", limit)]

    def last_run(self) -> str | None:
        """The newest run's id."""
        rows = self._database.rows("last_run")
        return rows[0][0] if rows else None


def _recorded(row: tuple[int, str, float, str, str]) -> Recorded:
    seq, run, at, kind, data = row
    try:
        return Recorded(seq=seq, run=run, at=at, event=from_plain(kind, json.loads(data)))
    except (KeyError, TypeError, ValueError) as error:
        what = f"event {seq} of the journal ({kind}) can't be understood: {error}"
        raise StoreBroken(f"{what}. Move the store aside and run again, or use the shiftboss that wrote it.") from error
