"""The only place that reads time.

Everything that waits or dates something gets a Clock, so that tests can run hours in a moment. `SystemClock` is the
real one; `FakeClock` is virtual and deterministic. No other module may call `time`.
"""

import asyncio
import heapq
import time
from typing import Protocol

_TURNS_TO_SETTLE = 20  # passes of the event loop in which woken tasks may act and go to sleep again


class Clock(Protocol):
    """What tells the time and waits."""

    def now(self) -> float:
        """Seconds since 1970 (UTC), for dates; may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment, for durations and deadlines; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; other tasks run meanwhile."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        """Seconds since 1970 (UTC)."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(seconds)


class SteadyClock:
    """Another clock's date when it was made, carried on by the time that really passes: nobody can set it.

    For everything that counts time within one run.
    """

    SAME = 1.0
    """Seconds by which the other clock may drift without being taken for set."""

    LONGEST = 60.0
    """What seems to be older than this was dated before somebody set the other clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.now() - clock.monotonic()

    def dated(self, at: float) -> float:
        """A date told by the other clock just now, as old as it is, by this one."""
        told, now = self._clock.now(), self.now()
        if abs(told - now) < self.SAME:
            return at
        age = told - at
        return now - age if 0 <= age < self.LONGEST else now

    def now(self) -> float:
        """Seconds since 1970 (UTC), as they would be had nobody set the date; never goes back."""
        return self._offset + self._clock.monotonic()

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait as the other clock does."""
        await self._clock.sleep(seconds)


class FakeClock:
    """A virtual clock: sleepers wake in the order of their time, at equal times in the order they lay down.

    Time moves only by `advance`. With `auto=True` nobody has to call it: when every task has had its turn, the next
    sleeper wakes and the time is then its time.
    """

    def __init__(self, start: float = 1_700_000_000.0, *, auto: bool = False) -> None:
        self._start = start
        self._passed = 0.0
        self._auto = auto
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0
        self._turns = 0  # passes of the event loop until the automatic clock goes on; 0 when it rests
        self._loop: asyncio.AbstractEventLoop | None = None

    def now(self) -> float:
        """Virtual seconds since 1970."""
        return self._start + self._passed

    def monotonic(self) -> float:
        """Virtual seconds since this clock was made."""
        return self._passed

    async def sleep(self, seconds: float) -> None:
        """Wait until the virtual time has passed."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        awake = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._passed + seconds, self._count, awake))
        if self._auto:
            self._go_on_later()
        await awake

    async def advance(self, seconds: float) -> None:
        """Let virtual time pass and wake everybody whose time has come, one after the other."""
        end = self._passed + seconds
        await self._settle()
        while self._wake_next(limit=end):
            await self._settle()
        self._passed = end

    def _go_on_later(self) -> None:
        loop = asyncio.get_running_loop()
        resting = self._turns == 0 or self._loop is not loop  # an earlier event loop may have ended under way
        self._turns, self._loop = _TURNS_TO_SETTLE, loop
        if resting:
            loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Count the passes in which the others act; then wake the next sleeper and start again."""
        self._turns -= 1
        if self._turns:
            asyncio.get_running_loop().call_soon(self._go_on)
        elif self._wake_next(limit=None):
            self._go_on_later()

    def _wake_next(self, *, limit: float | None) -> bool:
        while self._sleepers and self._sleepers[0][2].done():  # cancelled while asleep
            heapq.heappop(self._sleepers)
        if not self._sleepers or (limit is not None and self._sleepers[0][0] > limit):
            return False
        self._passed, _, awake = heapq.heappop(self._sleepers)
        awake.set_result(None)
        return True

    async def _settle(self) -> None:
        for _ in range(_TURNS_TO_SETTLE):
            await asyncio.sleep(0)


def utc_text(seconds: float) -> str:
    """A date for people and files: `2025-01-31T12:00:00Z`; one that no calendar has (a damaged store) is unknown."""
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    except (OverflowError, OSError, ValueError):
        return "unknown"


def file_stamp(seconds: float) -> str:
    """A date for file names: `20250131T120000Z`."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
