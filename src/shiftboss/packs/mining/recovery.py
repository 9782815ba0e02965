"""Ways to recover the mining stack: the table of strategies, and what each does (agent error_recovery_agent)."""

from collections.abc import Awaitable, Callable

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Risk
from shiftboss.model.observation import Health
from shiftboss.model.outcome import Outcome, done
from shiftboss.model.recovery import Strategy
from shiftboss.packs.mining import daemon, miner, pool, wallet
from shiftboss.packs.mining.configs import write_config
from shiftboss.packs.mining.layout import DAEMON, MINER, POOL, WALLET
from shiftboss.system import net
from shiftboss.system.process import instance_of
from shiftboss.system.workbench import Workbench

PATIENCE_SECONDS = 6.0
"""A little more than the longest pause between two tries of our miner to connect (5 s)."""

STRATEGIES = (
    Strategy(
        name="wait",
        rung="wait",
        treats={FailureKind.DISCONNECTED},
        components={POOL, MINER},
        uses=1,
        estimate=1.0,
        what="give it a few seconds to find its way back by itself",
    ),
    Strategy(
        name="stop_orphan",
        rung="reload",
        treats={FailureKind.PORT_ORPHAN},
        components={POOL},
        what="stop the left-over process of ours that holds the port",
    ),
    Strategy(
        name="load_wallet",
        rung="reload",
        treats={FailureKind.WALLET_NOT_LOADED},
        components={WALLET},
        what="load the wallet again",
    ),
    Strategy(
        name="rewrite_credentials",
        rung="reconfigure",
        treats={FailureKind.CREDENTIAL},
        components={POOL},
        touches=("pool.config",),
        risk=Risk.DISRUPTIVE,
        what="write the pool's configuration again and restart the pool",
    ),
    Strategy(
        name="relocate_port",
        rung="relocate_port",
        treats={FailureKind.PORT_FOREIGN},
        components={POOL},
        touches=("pool.config", "miner.config"),
        uses=3,
        what="leave its holder alone and move our port; configurations follow",
    ),
    Strategy(
        name="relocate_rpc_port",
        rung="relocate_port",
        treats={FailureKind.PORT_FOREIGN},
        components={DAEMON},
        touches=("daemon.config", "pool.config"),
        uses=3,
        what="leave its holder alone and move our RPC port; configurations follow",
    ),
    Strategy(
        name="restart_one",
        rung="restart_one",
        treats={
            FailureKind.DIED,
            FailureKind.FROZEN,
            FailureKind.DISCONNECTED,
            FailureKind.CREDENTIAL,
            FailureKind.TIMEOUT,
            FailureKind.REJECTED,
        },
        components={DAEMON, POOL, MINER},
        risk=Risk.DISRUPTIVE,
        what="start it again, and nothing else",
    ),
)


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Apply the strategy that was ordered."""
    return await _ACTS[order.strategy or ""](order, bench)


async def _wait(order: Delegation, bench: Workbench) -> Outcome:
    probe = pool.probe_pool if order.component == POOL else miner.probe_miner
    end = bench.clock.monotonic() + PATIENCE_SECONDS
    while (seen := await probe(bench)).health is not Health.READY and bench.clock.monotonic() < end:
        await bench.clock.sleep(0.1)
    return done(f"waited for {order.component}: {seen.summary}")


async def _stop_orphan(order: Delegation, bench: Workbench) -> Outcome:
    changes: list[str] = []
    ports = bench.ports
    for name in ("stratum", "pool_status"):
        holder = net.holder(ports[name])
        instance = instance_of(holder.pid) if holder and holder.marks and holder.pid else None
        if instance and await bench.processes.stop(instance, grace=5.0, clock=bench.clock):
            changes.append(f"stopped our left-over process {instance.pid} on port {ports[name]}")
    return done(f"the ports of {order.component} are free of left-overs", *changes)


async def _load_wallet(_order: Delegation, bench: Workbench) -> Outcome:
    return done("the wallet is loaded", *await wallet.load(bench))


async def _rewrite_credentials(_order: Delegation, bench: Workbench) -> Outcome:
    changes = write_config("pool.config", bench)
    outcome = await pool.start(bench, again=True)
    return done("the pool runs with the current log-in", *changes, *outcome.changes)


async def _relocate_pool(order: Delegation, bench: Workbench) -> Outcome:
    return _relocate(order, bench, ("stratum", "pool_status"), ("pool.config", "miner.config"))


async def _relocate_rpc(order: Delegation, bench: Workbench) -> Outcome:
    changes = (await daemon.stop(bench)).changes
    outcome = _relocate(order, bench, ("rpc",), ("daemon.config", "pool.config"))
    return done(outcome.summary, *changes, *outcome.changes)


def _relocate(order: Delegation, bench: Workbench, names: tuple[str, ...], configs: tuple[str, ...]) -> Outcome:
    """Move those of our ports that somebody else holds, and write what names them."""
    changes: list[str] = []
    for name in names:
        ports = bench.ports
        if net.holder(ports[name]) is None:
            continue
        new = net.free_port(ports[name] + 1, avoid=set(ports.values()))
        bench.environment.move_port(name, getattr(bench.settings.ports, name), new)
        changes.append(f"moved our {name} port from {ports[name]} to {new}")
    for config in configs:
        changes += write_config(config, bench)
    return done(f"{order.component} has ports of its own: {', '.join(changes) or 'they were free again'}", *changes)


async def _restart(order: Delegation, bench: Workbench) -> Outcome:
    start = {DAEMON: daemon.start, POOL: pool.start, MINER: miner.start}.get(order.component)
    if start is None:
        raise Failed(FailureKind.CRASHED, f"{order.component} is not something that can be restarted")
    dead = order.failure == FailureKind.DIED
    return await start(bench, again=not dead)


_ACTS: dict[str, Callable[[Delegation, Workbench], Awaitable[Outcome]]] = {
    "wait": _wait,
    "stop_orphan": _stop_orphan,
    "load_wallet": _load_wallet,
    "rewrite_credentials": _rewrite_credentials,
    "relocate_port": _relocate_pool,
    "relocate_rpc_port": _relocate_rpc,
    "restart_one": _restart,
}
