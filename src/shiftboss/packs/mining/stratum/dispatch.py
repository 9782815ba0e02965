"""Gives work to the hash loops and paces the miner as a whole.

Between `client` (what there is to hash) and `lanes` (who hashes). With a pause set, at most one share is on its way
at any time, and all loops rest until the pause after a block is over: a stack left running does not run away. A share
that is no block yet (signet, where ten or so make one) is followed by the next one at once.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shiftboss.packs.mining.stratum.client import Order, PoolClient
from shiftboss.packs.mining.stratum.lanes import ChildLane, Found, InlineLane, Lane

REFUSED_PAUSE = 1.0  #: seconds


@dataclass(kw_only=True)
class Pace:
    """When the miner may hash."""

    interval: float | None  #: seconds between blocks; 0 = no pause; None = never
    waiting: bool = False  #: a share is on its way
    next_at: float = 0.0  #: monotonic time before which nothing is hashed
    retry_at: float = 0.0  #: the same after a refusal; holds for requested shares as well
    granted: int = 0  #: blocks asked for out of turn

    def open(self, now: float) -> bool:
        """Whether hashing is allowed now."""
        in_turn = self.interval is not None and now >= self.next_at
        return not self.waiting and now >= self.retry_at and (in_turn or self.granted > 0)

    def grant(self) -> None:
        """One block now, whatever the pause; also for an idle miner."""
        self.granted += 1

    def hand_in(self) -> None:
        """A share goes out; with a pause set, nothing more is hashed until its answer."""
        self.waiting = self.interval != 0

    def settle(self, *, accepted: bool, now: float, block: bool = True) -> float:
        """The answer has come (to a share that is a block, or not); the seconds until hashing is allowed again.

        A refusal costs a short pause as well, so that a pool that refuses everything is not stormed.
        """
        self.waiting = False
        if accepted and not block:
            return 0.0
        self.granted = max(0, self.granted - accepted)
        if accepted:
            self.next_at = now + (self.interval or 0.0)
            return self.interval or 0.0
        pause = 0.0 if self.interval == 0 else REFUSED_PAUSE
        self.retry_at = now + pause
        return pause


@dataclass(kw_only=True)
class _Seat:
    """A lane and what it works on."""

    lane: Lane
    order: Order | None = None


@dataclass(kw_only=True)
class Dispatcher:
    """Connects workers and lanes."""

    clients: list[PoolClient]
    pace: Pace
    changed: Callable[[], None]
    _seats: list[_Seat] = field(default_factory=list[_Seat])
    _orders: dict[int, _Seat] = field(default_factory=dict[int, _Seat])
    _number: int = 0
    _turn: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def hire(self, threads: int) -> list[Lane]:
        """Make the lanes; their `run` is up to the caller."""
        make: Callable[[Found], Lane] = InlineLane if threads == 1 else ChildLane
        self._seats = [_Seat(lane=make(self.found)) for _ in range(threads)]
        return [seat.lane for seat in self._seats]

    def review(self) -> None:
        """Look at every lane: does it work on what it should? Called whenever a job or a connection changed."""
        for seat in self._seats:
            if not self._good(seat.order):
                self._seat(seat)

    def hurry(self) -> None:
        """Somebody wants a block now."""
        self.pace.grant()
        self.review()

    def found(self, number: int, nonce: int) -> None:
        """A lane found a nonce."""
        seat = self._orders.get(number)
        if seat is None or seat.order is None or not self.pace.open(time.monotonic()):
            return
        order = seat.order
        self.pace.hand_in()
        task = asyncio.create_task(self._hand_in(order, nonce))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._seat(seat)  # on to the next worker, or to rest
        self.review()

    async def _hand_in(self, order: Order, nonce: int) -> None:
        accepted = await order.client.submit(order, nonce)
        pause = self.pace.settle(accepted=accepted, now=time.monotonic(), block=order.makes_block(nonce))
        if pause:
            # A little late on purpose: a timer that fires early would find the pause not over yet.
            asyncio.get_running_loop().call_later(pause + 0.01, self.review)
        self.review()

    def _good(self, order: Order | None) -> bool:
        return order is not None and self.pace.open(time.monotonic()) and order.client.current(order)

    def _seat(self, seat: _Seat) -> None:
        had = seat.order
        self._orders = {number: other for number, other in self._orders.items() if other is not seat}
        seat.order = self._next_order() if self.pace.open(time.monotonic()) else None
        if seat.order is None and had is None:
            return
        self._number += 1
        if seat.order is not None:
            self._orders[self._number] = seat
        seat.lane.give(self._number, None if seat.order is None else seat.order.work)

    def _next_order(self) -> Order | None:
        for _ in self.clients:
            self._turn = (self._turn + 1) % len(self.clients)
            order = self.clients[self._turn].order()
            if order is not None:
                return order
        return None
