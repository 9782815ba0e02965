"""Ways to recover the mining stack: which act belongs to which strategy (agent error_recovery_agent).

An act looks first, writes down how each step is taken back right before it takes it, and says every change. The acts
are imported when they are first needed: a run that recovers nothing loads none.
"""

import importlib
from collections.abc import Awaitable, Callable
from typing import cast

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.outcome import Outcome
from shiftboss.packs.mining.recoveries.table import STRATEGIES
from shiftboss.system.workbench import Workbench

__all__ = ["ACTS", "STRATEGIES", "act_for", "handle"]

Act = Callable[[Delegation, Workbench, list[str]], Awaitable[Outcome]]
"""Carries out an order; every change goes into the list as soon as it is made."""

ACTS = {
    "wait": "parts:wait",
    "thaw": "parts:thaw",
    "stop_orphan": "holders:stop_orphan",
    "load_wallet": "wallets:load_wallet",
    "reinstall": "program:reinstall",
    "rewrite_credentials": "configuration:rewrite_credentials",
    "relocate_port": "configuration:relocate_port",
    "relocate_rpc_port": "configuration:relocate_rpc_port",
    "restart_one": "parts:restart_one",
    "restart_rest": "parts:restart_rest",
    "stop_holder": "holders:stop_holder",
    "reindex": "chain:reindex",
    "restore_wallet": "wallets:restore_wallet",
    "free_space": "space:free_space",
    "reset_environment": "reset:reset_environment",
}
"""Strategy -> module of recoveries/ and the act in it."""

_TAKE_BACK = "taking_back:take_back"


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Apply the strategy that was ordered, or take back one that failed."""
    from shiftboss.packs.mining.recoveries.steps import telling

    changes: list[str] = []
    with telling(changes):
        outcome = await act_for(order)(order, bench, changes)
    return outcome.but(changes=tuple(changes))


def act_for(order: Delegation) -> Act:
    """The act of an order.

    Raises:
        Failed: no strategy has that name (CRASHED).
    """
    place = _TAKE_BACK if order.mode is Mode.UNDO else ACTS.get(order.strategy or "")
    if place is None:
        raise Failed(FailureKind.CRASHED, f"there is no strategy {order.strategy!r}; known: {', '.join(ACTS)}")
    module, _, name = place.partition(":")
    return cast("Act", getattr(importlib.import_module(f"{__package__}.recoveries.{module}"), name))
