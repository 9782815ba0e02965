"""Ends what a program of an order has left behind in sessions of its own, when the order itself came to nothing.

A program's own group is ended by whoever ran it. A child that made itself independent still carries our marks: after a
time-out or a cancellation it is ended by them. After an order that ended by itself it may stay.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from shiftboss.errors import Failed
from shiftboss.model.move import Delegation
from shiftboss.system.process import marks_of
from shiftboss.system.workbench import Workbench

_GRACE = 0.5


@asynccontextmanager
async def swept(order: Delegation, bench: Workbench) -> AsyncGenerator[None]:
    """Leaves no process of the order behind where what stands inside fails or is cancelled."""
    try:
        yield
    except (Failed, asyncio.CancelledError):
        for one in bench.processes.leftover_helpers(order.run):
            marks = marks_of(one.pid)
            if marks is not None and marks.delegation == order.id:
                await bench.processes.stop(one, grace=_GRACE, clock=bench.clock)
        raise
