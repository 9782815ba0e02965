"""Recoveries by configuration: ports that move, log-ins that are written again."""

from shiftboss.model.move import Delegation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining import daemon, pool
from shiftboss.packs.mining.configs import path_of, write_config
from shiftboss.packs.mining.layout import DAEMON, PEER, daemon_ports
from shiftboss.packs.mining.recoveries.steps import look_first
from shiftboss.system import net
from shiftboss.system.workbench import Workbench


async def rewrite_credentials(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Write the pool's configuration again and restart the pool."""
    if await look_first(order, bench) is None:
        return done(f"{order.component} does its job again")
    _write("pool.config", order, bench, changes)
    changes += (await pool.start(bench, again=True)).changes
    return done("the pool runs with the current log-in")


async def relocate_port(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Move those of the pool's ports (or the second node's) that somebody else holds."""
    if order.component == PEER:
        return await _relocate(order, bench, changes, ("peer",), ("peer.config",))
    return await _relocate(order, bench, changes, ("stratum", "pool_status"), ("pool.config", "miner.config"))


async def relocate_rpc_port(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Move those of the daemon's ports that somebody else holds."""
    changes_of_peer = ("peer.config",) if bench.settings.daemon.peer else ()
    return await _relocate(
        order, bench, changes, daemon_ports(bench), ("daemon.config", "pool.config", *changes_of_peer)
    )


async def _relocate(
    order: Delegation, bench: Workbench, changes: list[str], names: tuple[str, ...], configs: tuple[str, ...]
) -> Outcome:
    """Move those of our ports that somebody else holds, and write what names them."""
    if await look_first(order, bench) is None:
        return done(f"{order.component} does its job again")
    if order.component == DAEMON:
        changes += (await daemon.stop(bench)).changes
    moved = [_move(name, order, bench) for name in names if net.holder(bench.ports[name]) is not None]
    changes += moved
    for config in configs:
        _write(config, order, bench, changes)
    return done(f"{order.component} has ports of its own: {', '.join(moved) or 'they were free again'}")


def _move(name: str, order: Delegation, bench: Workbench) -> str:
    ports = bench.ports
    new = net.free_port(ports[name] + 1, avoid=set(ports.values()))
    bench.undo.register_file(order.id, bench.environment.folder / "ports.json")
    bench.environment.move_port(name, getattr(bench.settings.ports, name), new)
    return f"moved our {name} port from {ports[name]} to {new}"


def _write(config: str, order: Delegation, bench: Workbench, changes: list[str]) -> None:
    bench.undo.register_file(order.id, path_of(config, bench))
    changes += write_config(config, bench)
