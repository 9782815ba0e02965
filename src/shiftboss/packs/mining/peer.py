"""The second node: a daemon of its own, connected to the first, for those who look at reorganisations and relaying.

It has no wallet and nothing of worth: what it knows it has from the first. Owned by agent bitcoin_daemon_manager.
"""

from pathlib import Path

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining.binaries import daemon_program
from shiftboss.packs.mining.diagnosis import port_taken, stopped
from shiftboss.packs.mining.diagnosis_look import bad, ending, in_between, listens, port_holder, until_ended, vitals
from shiftboss.packs.mining.diagnosis_start import write_note
from shiftboss.packs.mining.layout import (
    CONFIG_MARK,
    DAEMON,
    HOST,
    PEER,
    age,
    broken,
    config_digest,
    counting,
    died,
    just_back,
    layout,
    log_file,
    observed,
    outdated,
    rpc,
)
from shiftboss.packs.mining.readiness import failed, until_ready
from shiftboss.system import proc
from shiftboss.system.process import Instance
from shiftboss.system.rpc import Rpc, RpcError, RpcFailure, RpcWarming
from shiftboss.system.workbench import Workbench

STOP_SECONDS = 60.0
"""As the daemon: it writes its data when it stops."""

CONNECTS_SECONDS = 15.0
"""A node that lost its only peer tries again every few seconds, at first more often."""


def peer_url(bench: Workbench) -> str:
    """Its RPC address."""
    return f"http://{HOST}:{bench.ports['peer']}"


def peer_cookie(bench: Workbench) -> Path:
    """Where its RPC log-in is."""
    return layout(bench).peer_chain_data / ".cookie"


def own_log(bench: Workbench) -> Path:
    """Its debug.log."""
    return layout(bench).peer_chain_data / "debug.log"


def _client(bench: Workbench) -> Rpc:
    return Rpc(peer_url(bench), peer_cookie(bench), timeout=4.0)


async def probe_peer(bench: Workbench) -> Observation:
    """READY when it is connected to the first node and has its tip; STARTING while it catches up."""
    instance = bench.processes.find(PEER)
    if instance is None:
        return _not_running(bench)
    frozen = stopped("second node", proc.state(instance.pid))
    if frozen:
        return bad(bench, PEER, frozen, evidence={"pid": instance.pid}, instance=instance.identity)
    if outdated(instance, _started_as(bench)):
        summary = f"process {instance.pid} runs with an older configuration"
        return observed(bench, PEER, Health.BROKEN, summary, instance=instance.identity)
    try:
        tip = await rpc(bench).call("getbestblockhash")
    except RpcFailure as error:
        return _apart(bench, instance, f"the daemon can't be asked: {error}")
    try:
        return await _ask(bench, instance, tip)
    except RpcFailure as error:
        return _silent(bench, instance, error)


def _not_running(bench: Workbench) -> Observation:
    if in_between(bench, PEER):
        return observed(bench, PEER, Health.STARTING, "the second node's process is just starting or ending")
    port = bench.ports["peer"]
    holder = port_holder(bench, port)
    if holder:
        return bad(bench, PEER, port_taken("second node's RPC", "peer", port, holder))
    if died(bench, PEER) is not None:
        summary = "the second node's process ended unexpectedly"
        return broken(bench, PEER, FailureKind.DIED, summary, evidence=ending(bench, PEER))
    return observed(bench, PEER, Health.ABSENT, f"no second node runs, its RPC port {port} is free")


async def _ask(bench: Workbench, instance: Instance, tip: str) -> Observation:
    """What it says of itself; `tip` is the first node's."""
    client = _client(bench)
    height = int(await client.call("getblockcount"))
    if not int(await client.call("getconnectioncount")):
        return _apart(bench, instance, "not connected to the first node")
    try:
        has_it = int((await client.call("getblockheader", tip))["confirmations"]) > 0
    except RpcError:
        has_it = False  # it has not heard of that block yet
    evidence = {"pid": instance.pid, "rpc": peer_url(bench), "height": height}
    if not has_it:
        summary = f"it is catching up with the first node, now at block {height}"
        return observed(bench, PEER, Health.STARTING, summary, evidence=evidence, instance=instance.identity)
    summary = f"process {instance.pid} is connected and has the first node's tip"
    measures = vitals(instance.pid)
    return observed(
        bench, PEER, Health.READY, summary, evidence=evidence, instance=instance.identity, measures=measures
    )


def _apart(bench: Workbench, instance: Instance, why: str) -> Observation:
    """It runs without the first node, which may just have been started itself."""
    facts = {"pid": instance.pid, "why": why}
    if age(instance) < CONNECTS_SECONDS or just_back(bench, DAEMON, CONNECTS_SECONDS):
        return observed(bench, PEER, Health.STARTING, why, evidence=facts, instance=instance.identity)
    summary = f"the second node's process lives, but: {why}"
    return broken(bench, PEER, FailureKind.DISCONNECTED, summary, evidence=facts, instance=instance.identity)


def _silent(bench: Workbench, instance: Instance, error: RpcFailure) -> Observation:
    """It lives but does not answer: starting, or somebody else has its port, or it hangs."""
    facts = {"pid": instance.pid, "rpc": str(error)}
    port = bench.ports["peer"]
    holder = None if listens(instance.pid, port) else port_holder(bench, port, apart=instance.pid)
    if holder:
        found = port_taken("second node's RPC", "peer", port, holder)
        return bad(bench, PEER, found, evidence=facts, instance=instance.identity)
    if isinstance(error, RpcWarming) or age(instance) < bench.settings.daemon.start_seconds:
        return observed(bench, PEER, Health.STARTING, f"starting: {error}", evidence=facts, instance=instance.identity)
    summary = f"the second node's process lives, but: {error}"
    return broken(bench, PEER, FailureKind.FROZEN, summary, evidence=facts, instance=instance.identity)


def _started_as(bench: Workbench) -> str:
    return config_digest(layout(bench).peer_config)


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Bring it up, or take it down."""
    if order.mode is Mode.REMOVE:
        return await stop(bench)
    return await start(bench, again=order.mode is Mode.FORCE)


async def stop(bench: Workbench) -> Outcome:
    """Stop it; idempotent."""
    ended = await bench.processes.stop(PEER, grace=STOP_SECONDS, clock=bench.clock)
    return done("the second node is stopped", *(["stopped the second node"] if ended else []))


async def start(bench: Workbench, *, again: bool = False) -> Outcome:
    """Start it and wait until it has the first node's tip; a running one is only restarted if it must be."""
    changes: list[str] = []
    instance = bench.processes.find(PEER)
    if instance is not None and (again or outdated(instance, _started_as(bench))):
        changes += (await stop(bench)).changes
        instance = None
    if instance is None:
        instance = await _spawn(bench)
        changes.append(f"started the second node (process {instance.pid})")
    with counting(changes):
        await until_ready(bench, probe_peer, bench.settings.daemon.start_seconds)
    return done("the second node has the first one's tip", *changes, pid=instance.pid)


async def _spawn(bench: Workbench) -> Instance:
    program = daemon_program(bench)
    if program is None:
        raise Failed(FailureKind.MISSING_BINARY, "the daemon's program is gone")
    await until_ended(bench, PEER)
    seen = _not_running(bench)
    if seen.failure and seen.failure is not FailureKind.DIED:
        raise failed(seen)
    write_note(bench, PEER)
    places = layout(bench)
    return await bench.processes.spawn(
        PEER,
        [str(program), f"-datadir={places.peer_data}", f"-conf={places.peer_config}", "-printtoconsole=0"],
        run=bench.run,
        delegation=bench.delegation,
        log=log_file(bench, PEER),
        cwd=places.peer_data,
        env={CONFIG_MARK: _started_as(bench)},
    )
