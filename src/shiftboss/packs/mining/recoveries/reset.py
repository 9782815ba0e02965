"""The last rung: the environment starts afresh, its old data lies aside (strategy reset_environment)."""

from pathlib import Path

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining import daemon, miner, peer, pool
from shiftboss.packs.mining.layout import DAEMON, MINER, PEER, POOL, Layout, adopted, layout
from shiftboss.packs.mining.recoveries.holders import need_folder
from shiftboss.packs.mining.recoveries.steps import look_first, records, set_aside
from shiftboss.system.workbench import Workbench


async def reset_environment(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Stop miner, pool and daemon, and move chain, wallet and evidence aside as one snapshot; configurations stay.

    Raises:
        Failed: the daemon is the user's, or something does not stop or move.
    """
    if adopted(bench):
        raise Failed(FailureKind.EXTERNAL_DOWN, "the daemon is yours: shiftboss does not reset its data")
    if await look_first(order, bench) is None:
        return done(f"{order.component} does its job again")
    await stop_parts(bench, changes)
    need_folder(bench)
    why = f"reset after {order.failure} of {order.component} ({order.id})"
    snapshot = set_aside(order, bench, data_paths(bench), why)
    changes.append(f"moved chain, wallet and evidence of {order.environment} aside to snapshot {snapshot.id}")
    outcome = done(f"the environment is empty; `shiftboss restore {snapshot.id}` brings its data back")
    return outcome.but(special="environment_reset", evidence={"snapshot": snapshot.id})


async def stop_parts(bench: Workbench, changes: list[str]) -> None:
    """Stop what works on the environment's data, the last in the chain first; idempotent."""
    changes += (await peer.stop(bench)).changes  # it would give the old chain back
    changes += (await miner.stop(bench)).changes
    changes += (await pool.stop(bench)).changes
    changes += (await daemon.stop(bench)).changes
    for orphan in bench.processes.orphans(DAEMON):
        if await bench.processes.stop(orphan, grace=daemon.STOP_SECONDS, clock=bench.clock):
            changes.append(f"stopped our left-over process {orphan.pid}")


def data_paths(bench: Workbench) -> list[Path]:
    """Everything that belongs to one chain and its wallet, and the records of processes that worked on it."""
    places = layout(bench)
    notes = [places.wallet_note, places.wallet_backup, places.chain_note, places.proof, places.peer_data]
    return [*_chain(places), *notes, *(path for name in (DAEMON, POOL, MINER, PEER) for path in records(bench, name))]


def _chain(places: Layout) -> list[Path]:
    """The chain's folder; where that is the daemon's data folder itself (main), what is in it but the configuration."""
    if places.chain_data != places.data:
        return [places.chain_data]
    inside = places.data.iterdir() if places.data.is_dir() else ()
    return sorted(path for path in inside if not path.name.startswith(places.daemon_config.name))
