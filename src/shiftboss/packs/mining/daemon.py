"""The bitcoin daemon: ours, or the user's own (agent bitcoin_daemon_manager)."""

from collections.abc import Sequence

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining import wallet
from shiftboss.packs.mining.binaries import daemon_program
from shiftboss.packs.mining.layout import (
    CONFIG_MARK,
    DAEMON,
    adopted,
    age,
    broken,
    config_digest,
    counting,
    died,
    digest,
    ended_unexpectedly,
    layout,
    log_file,
    observed,
    rpc,
    rpc_port,
    rpc_url,
    started_with,
)
from shiftboss.packs.mining.logs import daemon_complaints
from shiftboss.packs.mining.readiness import until_ready
from shiftboss.system import net
from shiftboss.system.process import Instance, instance_of
from shiftboss.system.rpc import RpcFailure, RpcRefused, RpcUnauthorized, RpcWarming
from shiftboss.system.workbench import Workbench

STOP_SECONDS = 60.0
"""A daemon flushes its data when it stops; killing it earlier loses blocks."""


async def probe_daemon(bench: Workbench) -> Observation:
    """READY when a daemon answers our RPC log-in on our chain."""
    if adopted(bench):
        return await _probe_adopted(bench)
    instance = bench.processes.find(DAEMON)
    if instance is None:
        return _not_running(bench)
    if started_with(instance) != _started_as(bench):
        summary = f"process {instance.pid} runs with an older configuration"
        return observed(bench, DAEMON, Health.BROKEN, summary, instance=instance.identity)
    return await _ask(bench, instance)


async def _ask(bench: Workbench, instance: Instance) -> Observation:
    """What the daemon says of itself."""
    try:
        info = await rpc(bench).call("getblockchaininfo")
    except RpcFailure as error:
        return _no_answer(bench, instance, error)
    if info["chain"] != bench.environment.chain:
        summary = f"the daemon runs chain {info['chain']}, wanted is {bench.environment.chain}"
        return broken(bench, DAEMON, FailureKind.CONFIG, summary, instance=instance.identity)
    evidence = {"pid": instance.pid, "chain": info["chain"], "rpc": rpc_url(bench)}
    return observed(
        bench,
        DAEMON,
        Health.READY,
        f"process {instance.pid} answers RPC on {rpc_url(bench)}",
        evidence=evidence,
        instance=instance.identity,
        measures={"height": float(info["blocks"])},
    )


def _no_answer(bench: Workbench, instance: Instance, error: RpcFailure) -> Observation:
    """Our process lives, but the call failed: starting, frozen, or somebody else answers on its port."""
    facts = {"pid": instance.pid, "rpc": str(error)}
    young = age(instance) < bench.settings.daemon.start_seconds
    if isinstance(error, RpcWarming) or (young and isinstance(error, RpcRefused | RpcUnauthorized)):
        holder = net.holder(rpc_port(bench)) if isinstance(error, RpcUnauthorized) else None
        if holder is None or holder.pid == instance.pid:
            return observed(
                bench, DAEMON, Health.STARTING, f"starting: {error}", evidence=facts, instance=instance.identity
            )
    holder = net.holder(rpc_port(bench))
    if holder is not None and holder.pid != instance.pid:
        summary = f"port {rpc_port(bench)} is held by another process ({holder.command or 'not visible'})"
        facts["holder"] = holder.pid or 0
        return broken(bench, DAEMON, FailureKind.PORT_FOREIGN, summary, evidence=facts, instance=instance.identity)
    kind = FailureKind.CREDENTIAL if isinstance(error, RpcUnauthorized) else FailureKind.FROZEN
    summary = f"the daemon's process lives, but: {error}"
    return broken(bench, DAEMON, kind, summary, evidence=facts, instance=instance.identity)


def _not_running(bench: Workbench) -> Observation:
    port = rpc_port(bench)
    holder = net.holder(port)
    if holder is not None:
        summary = f"RPC port {port} is held by another process ({holder.command or 'not visible'})"
        evidence = {"port": "rpc", "number": port, "holder": holder.pid, "command": holder.command}
        return broken(bench, DAEMON, FailureKind.PORT_FOREIGN, summary, evidence=evidence)
    last = died(bench, DAEMON)
    if last is not None:
        complaints = daemon_complaints(bench)
        evidence = {"pid": last.pid, "log": complaints}
        return broken(bench, DAEMON, FailureKind.DIED, ended_unexpectedly(bench, DAEMON), evidence=evidence)
    return observed(bench, DAEMON, Health.ABSENT, f"no daemon runs, RPC port {port} is free")


async def _probe_adopted(bench: Workbench) -> Observation:
    try:
        info = await rpc(bench).call("getblockchaininfo")
    except RpcWarming as error:
        return observed(bench, DAEMON, Health.STARTING, f"your daemon is starting: {error}")
    except RpcFailure as error:
        summary = f"your daemon at {rpc_url(bench)} does not answer: {error}"
        return broken(bench, DAEMON, FailureKind.EXTERNAL_DOWN, summary)
    if info["chain"] != bench.environment.chain:
        summary = f"your daemon runs chain {info['chain']}, wanted is {bench.environment.chain}"
        return broken(bench, DAEMON, FailureKind.EXTERNAL_DOWN, summary)
    holder = net.holder(rpc_port(bench))
    pid = holder.pid if holder else None
    evidence = {"pid": pid, "adopted": True, "chain": info["chain"], "rpc": rpc_url(bench)}
    summary = f"your own daemon answers RPC on {rpc_url(bench)}"
    measures = {"height": float(info["blocks"])}
    return observed(bench, DAEMON, Health.READY, summary, evidence=evidence, measures=measures)


def identity(bench: Workbench) -> str:
    """What tells this running daemon from any other, for evidence that is bound to it."""
    instance = bench.processes.find(DAEMON)
    if instance is None:
        holder = net.holder(rpc_port(bench))
        instance = instance_of(holder.pid) if holder and holder.pid else None
    return instance.identity if instance else rpc_url(bench)


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Daemon and wallet are brought up by the same agent."""
    if order.component == wallet.WALLET:
        return await wallet.handle(order, bench)
    if adopted(bench):
        if order.mode is Mode.ENSURE:
            raise Failed(FailureKind.EXTERNAL_DOWN, f"your daemon at {rpc_url(bench)} is not ready: start it yourself")
        return done("your own daemon is left as it is")
    if order.mode is Mode.REMOVE:
        return await stop(bench)
    return await start(bench, again=order.mode is Mode.FORCE)


def _started_as(bench: Workbench) -> str:
    """What a running daemon must have been started with, as one hash."""
    return digest("\n".join((config_digest(layout(bench).daemon_config), *bench.settings.daemon.args)))


async def stop(bench: Workbench) -> Outcome:
    """Stop our daemon and give it time to write its data; idempotent."""
    stopped = await bench.processes.stop(DAEMON, grace=STOP_SECONDS, clock=bench.clock)
    return done("the daemon is stopped", *(["stopped the daemon"] if stopped else []))


async def start(bench: Workbench, *, again: bool = False, once: Sequence[str] = ()) -> Outcome:
    """Start the daemon and wait until it answers; a running one is only restarted if it must be.

    `once` are arguments for this start only, such as -reindex.
    """
    changes: list[str] = []
    instance = bench.processes.find(DAEMON)
    config = _started_as(bench)
    if instance is not None and (again or started_with(instance) != config):
        changes += (await stop(bench)).changes
        instance = None
    if instance is None:
        program = daemon_program(bench)
        if program is None:
            raise Failed(FailureKind.MISSING_BINARY, "the daemon's program is gone")
        places = layout(bench)
        argv = [str(program), f"-datadir={places.data}", f"-conf={places.daemon_config}", "-printtoconsole=0"]
        instance = await bench.processes.spawn(
            DAEMON,
            [*argv, *bench.settings.daemon.args, *once],
            run=bench.run,
            delegation=bench.delegation,
            log=log_file(bench, DAEMON),
            cwd=places.data,
            env={CONFIG_MARK: config},
        )
        changes.append(f"started the daemon (process {instance.pid})")
    with counting(changes):
        await until_ready(
            bench, probe_daemon, bench.settings.daemon.start_seconds, lambda: daemon_complaints(bench)[-3:]
        )
    return done("the daemon answers", *changes, pid=instance.pid)
