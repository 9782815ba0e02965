"""The configurations of nodes, pool and miner: pure texts, compared with what lies there (agent config_generator)."""

import errno
import json
from collections.abc import Callable
from pathlib import Path

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining.chains import own_lines
from shiftboss.packs.mining.layout import (
    HOST,
    adopted,
    broken,
    cookie_file,
    digest,
    layout,
    observed,
    rpc_url,
    zmq_endpoint,
)
from shiftboss.system.files import ensure_private_folder, write_atomic
from shiftboss.system.workbench import Workbench

KEYPOOL = 10
"""Keys a new wallet makes at once: its default of 1000 per kind costs seconds, and a test stack needs few."""


def daemon_text(bench: Workbench) -> str:
    """bitcoin.conf: loopback only, RPC by cookie, no peers but a second node of ours."""
    daemon, port = bench.settings.daemon, bench.ports["p2p"]
    return _node_text(
        bench,
        *(("listen=1", f"bind={HOST}:{port}", "listenonion=0") if daemon.peer else ("listen=0",)),
        "dnsseed=0",
        *own_lines(bench),
        *_rpc_lines(bench.ports["rpc"]),
        "fallbackfee=0.0002",
        f"keypool={KEYPOOL}",
        *((f"zmqpubhashblock={zmq_endpoint(bench)}",) if daemon.zmq else ()),
    )


def peer_text(bench: Workbench) -> str:
    """The second node's bitcoin.conf: no wallet, and connected to the first node only."""
    return _node_text(
        bench,
        "listen=0",
        "dnsseed=0",
        f"connect={HOST}:{bench.ports['p2p']}",
        *(line for line in own_lines(bench) if line.startswith("signetchallenge=")),
        "disablewallet=1",
        *_rpc_lines(bench.ports["peer"]),
    )


def _node_text(bench: Workbench, *lines: str) -> str:
    chain = bench.environment.chain
    return "\n".join(
        (
            "# Written by shiftboss; a change made by hand is put back (use daemon.args in shiftboss.toml).",
            f"chain={chain}",
            f"[{chain}]",
            "server=1",
            *lines,
            "",
        )
    )


def _rpc_lines(port: int) -> tuple[str, ...]:
    return f"rpcbind={HOST}", f"rpcallowip={HOST}", f"rpcport={port}"


def pool_text(bench: Workbench) -> str:
    """The pool program's JSON; who is paid is given at its start."""
    ports = bench.ports
    config = {
        "rpc": {"url": rpc_url(bench), "cookie_file": str(cookie_file(bench))},
        "stratum": {"host": HOST, "port": ports["stratum"]},
        "status": {"host": HOST, "port": ports["pool_status"]},
        "share_difficulty": bench.settings.pool.share_difficulty,
        "template_seconds": 1.0,
    }
    return json.dumps(config, indent=1) + "\n"


def miner_text(bench: Workbench) -> str:
    """The miner program's JSON."""
    miner = bench.settings.miner
    host, port = stratum_endpoint(bench)
    config = {
        "stratum": {"host": host, "port": port},
        "workers": list(miner.workers),
        "threads": miner.threads,
        "block_interval": "off" if miner.block_interval is None else miner.block_interval,
        "status_file": str(layout(bench).miner_status),
    }
    return json.dumps(config, indent=1) + "\n"


def stratum_endpoint(bench: Workbench) -> tuple[str, int]:
    """Where miners connect."""
    attached = bench.settings.pool.attach
    if attached:
        host, _, port = attached.rpartition(":")
        return host, int(port)
    return HOST, bench.ports["stratum"]


_TEXTS: dict[str, Callable[[Workbench], str]] = {
    "daemon.config": daemon_text,
    "peer.config": peer_text,
    "pool.config": pool_text,
    "miner.config": miner_text,
}


def path_of(component: str, bench: Workbench) -> Path:
    """Where a configuration lies."""
    places = layout(bench)
    paths = {
        "daemon.config": places.daemon_config,
        "peer.config": places.peer_config,
        "pool.config": places.pool_config,
        "miner.config": places.miner_config,
    }
    return paths[component]


def _unneeded(component: str, bench: Workbench) -> str | None:
    pool, miner = bench.settings.pool, bench.settings.miner
    if component == "daemon.config" and adopted(bench):
        return "not needed: the daemon is yours"
    if component == "pool.config" and (pool.command or pool.attach):
        return "not needed: the pool is yours"
    if component == "miner.config" and (miner.command or miner.kind != "shiftboss"):
        return "not needed: that miner is told everything at its start"
    return None


async def probe_daemon_config(bench: Workbench) -> Observation:
    """READY when bitcoin.conf is what the settings ask for."""
    return _probe("daemon.config", bench)


async def probe_peer_config(bench: Workbench) -> Observation:
    """READY when the second node's bitcoin.conf is what the settings ask for."""
    return _probe("peer.config", bench)


async def probe_pool_config(bench: Workbench) -> Observation:
    """READY when the pool's configuration is what the settings ask for."""
    return _probe("pool.config", bench)


async def probe_miner_config(bench: Workbench) -> Observation:
    """READY when the miner's configuration is what the settings ask for."""
    return _probe("miner.config", bench)


def _probe(component: str, bench: Workbench) -> Observation:
    unneeded = _unneeded(component, bench)
    if unneeded:
        return observed(bench, component, Health.READY, unneeded)
    path = path_of(component, bench)
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return observed(bench, component, Health.ABSENT, f"{path.name} is not there")
    except OSError as error:
        summary = f"{path} can't be read: {error.strerror}"
        return broken(bench, component, FailureKind.PERMISSION, summary, evidence={"path": str(path)})
    evidence = {"path": str(path), "hash": digest(text)}
    if text != _TEXTS[component](bench):
        summary = f"{path.name} is not what the settings ask for"
        return observed(bench, component, Health.BROKEN, summary, evidence=evidence)
    return observed(bench, component, Health.READY, f"{path.name} is as asked for", evidence=evidence)


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Write the configuration."""
    if order.mode is Mode.REMOVE or _unneeded(order.component, bench):
        return done("nothing to do")
    changes = write_config(order.component, bench, force=order.mode is Mode.FORCE)
    return done(f"{order.component} is as asked for", *changes)


def write_config(component: str, bench: Workbench, *, force: bool = False) -> list[str]:
    """Bring one configuration to what the settings ask for; the changes made. The old text is kept as .bak."""
    if _unneeded(component, bench):
        return []
    path, text = path_of(component, bench), _TEXTS[component](bench)
    old = path.read_text(errors="replace") if path.is_file() else None
    if old == text and not force:
        return []
    try:
        ensure_private_folder(path.parent)
        if old is not None and old != text:
            write_atomic(path.with_name(f"{path.name}.bak"), old)
        write_atomic(path, text)
    except OSError as error:
        raise _unwritten(path, error) from error
    return [f"wrote {path}"]


def _unwritten(path: Path, error: OSError) -> Failed:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    evidence = {"path": str(path), "errno": error.errno}
    kind = FailureKind.NO_SPACE if full else FailureKind.PERMISSION
    return Failed(kind, f"{path} can't be written: {error.strerror}", evidence)
