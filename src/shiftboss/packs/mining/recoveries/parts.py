"""Recoveries of running parts: wait for them, let them go on, start them again (strategies wait to restart_rest)."""

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation
from shiftboss.model.observation import Health
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining import daemon, miner, peer, pool
from shiftboss.packs.mining.layout import DAEMON, FINDS_BACK_SECONDS, MINER, PEER, POOL
from shiftboss.packs.mining.recoveries.steps import PROBES, look_first
from shiftboss.system.signals import is_stopped
from shiftboss.system.signals import thaw as let_go_on
from shiftboss.system.workbench import Workbench

_POLL_SECONDS = 0.1


async def wait(order: Delegation, bench: Workbench, _changes: list[str]) -> Outcome:
    """Give it a few seconds."""
    return done(f"waited for {order.component}: {await _until_well(order, bench)}")


async def _until_well(order: Delegation, bench: Workbench) -> str:
    probe = PROBES[order.component]
    end = bench.clock.monotonic() + FINDS_BACK_SECONDS
    while (seen := await probe(bench)).health is not Health.READY and bench.clock.monotonic() < end:
        await bench.clock.sleep(_POLL_SECONDS)
    return seen.summary


async def thaw(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Let a stopped process of ours go on.

    Raises:
        Failed: it is not stopped (FROZEN): something else keeps it from answering.
    """
    instance = bench.processes.find(order.component)
    if instance is None or not is_stopped(instance):
        seen = await look_first(order, bench)
        if seen is None:
            return done(f"{order.component} does its job again")
        raise Failed(seen.failure or FailureKind.FROZEN, f"no signal has stopped it; {seen.summary}")
    let_go_on(instance)
    changes.append(f"let the stopped {order.component} (process {instance.pid}) go on")
    return done(f"{order.component} goes on: {await _until_well(order, bench)}")


async def restart_one(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Start it again, and nothing else."""
    start = {DAEMON: daemon.start, POOL: pool.start, MINER: miner.start, PEER: peer.start}.get(order.component)
    if start is None:
        raise Failed(FailureKind.CRASHED, f"{order.component} is not something that can be restarted")
    if await look_first(order, bench) is None:
        return done(f"{order.component} does its job again")
    outcome = await start(bench, again=order.failure != FailureKind.DIED)
    changes += outcome.changes
    return outcome


async def restart_rest(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Start the pool again, and the miner that depends on it."""
    if await look_first(order, bench) is None:
        return done(f"{order.component} does its job again")
    running = bench.processes.find(MINER) is not None
    changes += (await miner.stop(bench)).changes
    changes += (await pool.start(bench, again=True)).changes
    if running:
        changes += (await miner.start(bench)).changes
    return done("the pool and what depends on it were started again")
