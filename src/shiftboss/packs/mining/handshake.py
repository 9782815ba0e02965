"""Speak to a pool as a miner does: log in, get a job, hand in a share. Used by probes and by the tester."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shiftboss.packs.mining.stratum.client import Order, PoolClient
from shiftboss.packs.mining.stratum.hashing import search
from shiftboss.packs.mining.stratum.log import Log

SLICE = 2000
"""Hashes between two looks at the connection: a few milliseconds."""

NEWS_SECONDS = 0.1
"""How long a new job may take to reach us after the block that made the old one stale."""


@dataclass(kw_only=True)
class Talk:
    """A logged-in connection and when each step was reached, in seconds since it was opened."""

    client: PoolClient
    changed: asyncio.Event
    opened: float
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    async def job(self) -> Order:
        """The newest job, once there is one."""
        while True:
            if self.client.facts.authorized:
                self._reached("handshake")
            order = self.client.order()
            if order is not None:
                self._reached("job")
                return order
            self.changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), 0.05)

    async def share(self, order: Order) -> bool:
        """Find one share for a job and hand it in; whether the pool took it.

        A refusal whose job was replaced meanwhile is nobody's fault (the chain moved on): it is tried again.
        """
        while True:
            accepted = await self.client.submit(order, await self._nonce(order))
            if accepted or await self._still_current(order):
                self._reached("share")
                return accepted
            order = await self.job()

    async def _nonce(self, order: Order) -> int:
        start = 0
        while (nonce := search(order.work, start, SLICE)) is None:
            start += SLICE
            await asyncio.sleep(0)
        return nonce

    async def _still_current(self, order: Order) -> bool:
        """Whether the job is the newest one still, after a moment in which a newer one would have come."""
        await asyncio.sleep(NEWS_SECONDS)
        return self.client.current(order)

    def _reached(self, step: str) -> None:
        self.seconds.setdefault(step, round(time.monotonic() - self.opened, 4))


@asynccontextmanager
async def talk(endpoint: tuple[str, int], worker: str) -> AsyncGenerator[Talk]:
    """A connection to a pool that stays open, and reconnects, until the block is left."""
    changed = asyncio.Event()
    client = PoolClient(endpoint, worker, Log("error"), changed.set)
    running = asyncio.create_task(client.run())
    try:
        yield Talk(client=client, changed=changed, opened=time.monotonic())
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def gives_job(endpoint: tuple[str, int], seconds: float) -> bool:
    """Whether a pool lets a miner in and gives it a job within a time."""
    try:
        async with asyncio.timeout(seconds), talk(endpoint, "shiftboss.probe") as open_talk:
            await open_talk.job()
    except TimeoutError:
        return False
    return True
