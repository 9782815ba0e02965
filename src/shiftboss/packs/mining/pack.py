"""The mining pack's table of contents: what the hub is told of it, apart from the agent files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shiftboss.contracts import Pack
from shiftboss.model.failure import FailureKind
from shiftboss.model.forecast import Limit
from shiftboss.packs.mining import peer, wallet
from shiftboss.packs.mining.binaries import versions
from shiftboss.packs.mining.configs import stratum_endpoint
from shiftboss.packs.mining.cycle import instances
from shiftboss.packs.mining.diagnosis_look import NEEDED_MB
from shiftboss.packs.mining.diagnosis_start import own_log
from shiftboss.packs.mining.layout import (
    DAEMON,
    HOST,
    MINER,
    PEER,
    POOL,
    WALLET,
    cookie_file,
    layout,
    log_file,
    read_json,
    rpc_url,
    zmq_endpoint,
)
from shiftboss.packs.mining.pool import is_ours
from shiftboss.packs.mining.profiles import OPTIONAL, PROFILES, parts
from shiftboss.packs.mining.recovery import STRATEGIES
from shiftboss.system.workbench import Workbench


async def endpoints(bench: Workbench) -> Mapping[str, Any]:
    """Where the parts are reached, for people and scripts."""
    here = parts(bench)
    found: dict[str, Any] = {"rpc": rpc_url(bench), "rpc_cookie_file": str(cookie_file(bench))}
    if here is None or WALLET in here:
        found |= {"wallet": wallet.name(bench), "address": wallet.address(bench)}
    if here is None or POOL in here:
        host, port = stratum_endpoint(bench)
        found["stratum"] = f"{host}:{port}"
        if is_ours(bench):
            found["pool_status"] = f"http://{HOST}:{bench.ports['pool_status']}/status"
    if zmq_endpoint(bench):
        found["zmq"] = zmq_endpoint(bench)
    if bench.settings.daemon.peer:
        found |= {"peer_rpc": peer.peer_url(bench), "peer_cookie_file": str(peer.peer_cookie(bench))}
    return found


def logs(bench: Workbench) -> Mapping[str, Path]:
    """The log file of each part that writes one."""
    found = {DAEMON: own_log(bench), POOL: log_file(bench, POOL), MINER: log_file(bench, MINER)}
    second = peer.own_log(bench)
    return {**found, PEER: second} if bench.settings.daemon.peer or second.is_file() else found


async def proof(bench: Workbench) -> Mapping[str, Any]:
    """The evidence of the last full cycle; empty when there is none, or when it is of other instances."""
    found = read_json(layout(bench).proof)
    return found if found.get("instances") == instances(bench) else {}


def advise(component: str, kind: FailureKind | None, bench: Workbench) -> Sequence[tuple[str, str]]:
    """Commands a person can try by hand, each marked safe or destructive."""
    from shiftboss.packs.mining.diagnosis_advice import commands  # only reports need them

    return commands(component, kind, bench)


LIMITS = (
    Limit(
        measure="tip_ahead",
        at=7200.0,  # a block more than two hours ahead of its clock is refused by every node (consensus)
        margin=3600.0,
        kind=FailureKind.CLOCK,
        what="seconds the newest block is ahead of this machine's clock",
    ),
    Limit(
        measure="free_mb",
        at=NEEDED_MB,
        falling=True,
        margin=40.0,
        kind=FailureKind.NO_SPACE,
        what="free disk space (MB)",
    ),
    Limit(measure="rss_mb", at=4000.0, margin=200.0, kind=FailureKind.LEAK, what="memory of the process (MB)"),
    Limit(measure="fds", at=0.9, margin=0.05, kind=FailureKind.LEAK, what="share of the open files it may have"),
    Limit(measure="reject_rate", at=0.5, margin=0.05, kind=FailureKind.REJECTED, what="share of refused work"),
    Limit(measure="template_age", at=15.0, margin=5.0, kind=FailureKind.DISCONNECTED, what="age of the template (s)"),
)
"""What is watched before it fails. Memory is generous: a daemon with a full cache takes 1 GB and is well."""


ACTS = {name: f"shiftboss.packs.mining.developer:{name}" for name in ("mine", "reorg", "send")}
"""What a developer can do to a running stack by hand."""


PACK = Pack(
    name="mining",
    folder=Path(__file__).parent,
    default_pipeline="intelligent-mining-infrastructure-setup",
    profiles=PROFILES,
    parts=parts,
    optional=OPTIONAL,
    acts=ACTS,
    strategies=STRATEGIES,
    advise=advise,
    endpoints=endpoints,
    proof=proof,
    limits=LIMITS,
    versions=versions,
    download="shiftboss.packs.mining.download:KNOTS",
    faults="shiftboss.packs.mining.faults.catalogue:FAULTS",
    logs=logs,
)
