"""Writes a run's events: at once where the world is about to be changed, else together with the next ones.

An order must be durable before it is carried out. How an order ended need not be: if the hub dies first, the next one
looks and finds out. So endings wait for the next order and share its transaction (one per turn).
"""

from collections.abc import Callable, Iterable, Sequence

from shiftboss.model.events import Event
from shiftboss.store.journal import Journal
from shiftboss.store.memory import Memory
from shiftboss.system.clock import Clock

Lesson = Callable[[Memory], None]
"""What an event teaches: writes it into memory, in the event's own transaction."""


class Pen:
    """The one way in which a hub writes."""

    def __init__(self, run: str, journal: Journal, memory: Memory, clock: Clock) -> None:
        self._run = run
        self._journal = journal
        self._memory = memory
        self._clock = clock
        self._waiting: list[Event] = []
        self._lessons: list[Lesson] = []

    def later(self, events: Iterable[Event], *lessons: Lesson) -> None:
        """Write these with the next ones (or at `write` of nothing)."""
        self._waiting += events
        self._lessons += lessons

    def write(self, events: Sequence[Event], taken: Iterable[int] = ()) -> float:
        """Make everything durable that waits, and these; the time they are dated with.

        Raises:
            StoreBroken: none of it was stored; what waited waits still.
        """
        now = self._clock.now()
        messages = tuple(taken)
        if self._waiting or events or messages:
            self._journal.append(self._run, now, [*self._waiting, *events], taken=messages, within=self._teach)
            self._waiting.clear()
            self._lessons.clear()
        return now

    def _teach(self) -> None:
        for lesson in self._lessons:
            lesson(self._memory)
