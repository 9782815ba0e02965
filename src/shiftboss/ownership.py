"""Who works on which environment: the locks of a run, and the runs whose hub died. Called by control.py."""

import sys
from collections.abc import Iterator, Sequence

from shiftboss.app import Records, Session
from shiftboss.looking import running
from shiftboss.model.events import EnvironmentEnded, Recorded, RunEnded, RunStarted
from shiftboss.model.run import Ending
from shiftboss.system.lock import EnvironmentLock


class Hold:
    """The environments of one run, held until each has ended."""

    def __init__(self, session: Session, run: str) -> None:
        """Take all of them.

        Raises:
            Refused: another hub owns one; none is held then.
        """
        self.run = run
        command = " ".join(["shiftboss", *sys.argv[1:]])
        self._locks: dict[str, EnvironmentLock] = {}
        try:
            for name in session.benches:
                lock = EnvironmentLock(session.home / "locks" / f"{name}.lock")
                self._locks[name] = lock.acquire(run=run, command=command, since=session.clock.now())
        except BaseException:
            self.release()
            raise

    def follow(self, record: Recorded) -> None:
        """Let an environment go when it has ended: nothing more is done there, however long the others take."""
        if isinstance(record.event, EnvironmentEnded):
            self._locks[record.event.environment].release()

    def release(self) -> None:
        """Let all go. Idempotent."""
        for lock in self._locks.values():
            lock.release()


def bury(records: Records, session: Session) -> None:
    """Mark runs whose hub died as interrupted, where this run goes on in all of their environments."""
    for mark in cut_off(records, session):
        if set(_environments(records, mark.run)) <= set(session.benches):
            seconds = round(session.clock.now() - mark.at, 3)
            event = RunEnded(ending=Ending.INTERRUPTED, turns=0, seconds=seconds)
            records.journal.append(mark.run, session.clock.now(), [event])


def cut_off(records: Records, session: Session) -> Iterator[Recorded]:
    """The last mark of each recent run that neither ended nor is driven by anybody, the newest first."""
    newest: dict[str, Recorded] = {}
    for mark in records.journal.marks(50):
        newest.setdefault(mark.run, mark)
    at_work = {owner.run for owner in running(session).values()}
    for run, mark in newest.items():
        if not isinstance(mark.event, RunEnded) and run not in at_work:
            yield mark


def _environments(records: Records, run: str) -> Sequence[str]:
    starts = (record.event for record in records.journal.read(run))
    return next((event.environments for event in starts if isinstance(event, RunStarted)), ())
