"""What all recoveries share: look before acting, and say what was changed also when it ends badly."""

import errno
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from shiftboss.contracts import Probe
from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation
from shiftboss.model.observation import Health, Observation
from shiftboss.packs.mining import daemon, miner, peer, pool, wallet
from shiftboss.packs.mining.layout import DAEMON, MINER, PEER, POOL, WALLET
from shiftboss.packs.mining.recoveries.table import BY_NAME
from shiftboss.system.aside import Snapshot
from shiftboss.system.clock import file_stamp
from shiftboss.system.rpc import RpcError, RpcFailure, RpcTimeout, RpcUnauthorized
from shiftboss.system.workbench import Workbench

PROBES: dict[str, Probe] = {
    DAEMON: daemon.probe_daemon,
    WALLET: wallet.probe_wallet,
    POOL: pool.probe_pool,
    MINER: miner.probe_miner,
    PEER: peer.probe_peer,
}

FORESEEN = frozenset(
    {FailureKind.LEAK, FailureKind.NO_SPACE, FailureKind.CLOCK, FailureKind.REJECTED, FailureKind.DISCONNECTED}
)
"""Kinds that a forecast may name while the part still does its job."""

_UNCLEAR = frozenset({FailureKind.DIED, FailureKind.TIMEOUT, FailureKind.UNVERIFIED, FailureKind.CRASHED})
"""Kinds that say that something went wrong, but not what: they do not contradict the order."""


async def look_first(order: Delegation, bench: Workbench) -> Observation | None:
    """What is seen of the component now; None when there is nothing to recover any more.

    Raises:
        Failed: it has another failure by now, which this strategy does not treat.
    """
    probe = PROBES.get(order.component)
    if probe is None:
        return Observation(environment=order.environment, component=order.component, health=Health.UNKNOWN, summary="")
    seen = await probe(bench)
    if seen.health is Health.READY:
        return seen if order.failure in FORESEEN else None
    treated = BY_NAME[order.strategy or ""].treats
    known = seen.failure is None or seen.failure in treated or seen.failure in _UNCLEAR
    if known or seen.failure == order.failure:
        return seen
    message = f"{order.strategy} was for {order.failure}, but now: {seen.summary}"
    raise Failed(seen.failure or FailureKind.CRASHED, message, dict(seen.evidence))


def records(bench: Workbench, component: str) -> list[Path]:
    """What we noted about a part's process: which it is, and how it was started. Diagnosis rests on them."""
    return [bench.environment.run_folder / f"{component}{end}" for end in (".pid", "-start.json")]


def set_aside(order: Delegation, bench: Workbench, paths: Iterable[Path], why: str) -> Snapshot:
    """Move data of the environment aside; the way back is on disk before anything moves."""
    stamp = file_stamp(bench.clock.now())
    return bench.aside.keep(paths, why, stamp, before=lambda one: bench.undo.register_aside(order.id, one))


@contextmanager
def telling(changes: list[str]) -> Generator[None]:
    """Whatever ends a recovery badly is typed, and tells what had been changed before it."""
    try:
        yield
    except Failed as error:
        error.changes = [*changes, *error.changes]
        raise
    except (OSError, RpcFailure) as error:
        failed = Failed(_kind_of(error), str(error))
        failed.changes = [*changes]
        raise failed from error


_KINDS: tuple[tuple[type[Exception], FailureKind], ...] = (
    (RpcUnauthorized, FailureKind.CREDENTIAL),
    (RpcTimeout, FailureKind.TIMEOUT),
    (RpcError, FailureKind.CRASHED),
    (RpcFailure, FailureKind.DIED),
    (TimeoutError, FailureKind.TIMEOUT),
    (PermissionError, FailureKind.PERMISSION),
)
"""The first that fits counts."""


def _kind_of(error: OSError | RpcFailure) -> FailureKind:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return FailureKind.NO_SPACE
    return next((kind for one, kind in _KINDS if isinstance(error, one)), FailureKind.CRASHED)
