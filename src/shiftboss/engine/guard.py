"""Notices, while orders are carried out, that what one of them stands on has failed: it could only wait in vain.

Drives probes and cancels work; whether an order has lost its ground is judged by judge.py. One task for all orders,
so that an order costs nothing more.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from shiftboss.engine.judge import lost_ground, stands_on
from shiftboss.engine.observe import Observer
from shiftboss.model.move import Delegation
from shiftboss.model.outcome import Outcome, Status
from shiftboss.model.stack import Stack

GUARD_SECONDS = 1.0
"""How often it looks; an order is given up when it has lost its ground twice in a row."""


class Guard:
    """Gives up orders of one run."""

    def __init__(self, stack: Stack, observer: Observer) -> None:
        self._stack = stack
        self._observer = observer
        self._at_work: dict[str, tuple[asyncio.Task[Any] | None, Delegation]] = {}
        self._given_up: dict[str, str] = {}

    async def over(self, order: Delegation, work: Coroutine[Any, Any, Outcome]) -> Outcome:
        """The outcome of some work; CANCELLED where it was given up. Anybody else's cancellation goes through."""
        task = asyncio.current_task()
        self._at_work[order.id] = task, order
        try:
            return await work
        except asyncio.CancelledError:
            why = self._given_up.get(order.id)
            if why is None or task is None or task.uncancel() > 0:
                raise
            return Outcome(status=Status.CANCELLED, summary=f"given up: {why}")
        finally:
            del self._at_work[order.id]
            self._given_up.pop(order.id, None)

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        before: dict[str, str] = {}
        while True:
            await asyncio.sleep(GUARD_SECONDS)
            lost = await self._lost([order for _, order in self._at_work.values()])
            for task, order in list(self._at_work.values()):
                if task is not None and order.id in lost and order.id in before:
                    self._given_up[order.id] = lost[order.id]
                    task.cancel()
            before = lost

    async def _lost(self, orders: list[Delegation]) -> dict[str, str]:
        """Why orders can only wait in vain, by delegation."""
        needed = dict.fromkeys(key for order in orders for key in stands_on(order, self._stack))
        seen = {one.key: one for one in await self._observer.look(needed)}
        reasons = {order.id: lost_ground(order, self._stack, seen) for order in orders}
        return {delegation: why for delegation, why in reasons.items() if why}
