"""Keeps environments from holding up each other: who has nothing in flight, and who has waited for a lane too long."""

from shiftboss.engine.charter import Charter
from shiftboss.engine.state import RunState
from shiftboss.system.clock import Clock

PATIENCE_SECONDS = 10.0
"""So long an environment waits for one of the lanes that all share; then it has one more of its own.

Long enough for busy lanes to be spared needless company, short against the deadline of an order that hangs.
"""


class Fairness:
    """Since when each environment of a run has had nothing in flight."""

    def __init__(self, charter: Charter, state: RunState, clock: Clock) -> None:
        self._charter = charter
        self._state = state
        self._clock = clock
        self._since = dict.fromkeys(charter.environments, clock.now())

    def worked(self, environment: str) -> None:
        """Something is, or was until now, in flight there."""
        self._since[environment] = self._clock.now()

    def idle(self) -> list[str]:
        """Environments that go on and have nothing in flight."""
        busy = {order.environment for order in self._state.in_flight.values()}
        return [one for one in self._charter.environments if one not in busy and one not in self._state.endings]

    def overdue(self) -> list[str]:
        """Those of them that have waited long enough: each may start one order, whatever the lanes are."""
        long_ago = self._clock.now() - PATIENCE_SECONDS
        return [one for one in self.idle() if self._since[one] <= long_ago]

    def seconds(self) -> float | None:
        """Seconds until the next one will have waited long enough; None when none waits."""
        now = self._clock.now()
        waits = [self._since[one] + PATIENCE_SECONDS - now for one in self.idle()]
        return min((wait for wait in waits if wait > 0), default=None)
