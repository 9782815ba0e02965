"""The bitcoin daemon: ours, or the user's own (agent bitcoin_daemon_manager)."""

from collections.abc import Sequence

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining import wallet
from shiftboss.packs.mining.binaries import daemon_program, fingerprint
from shiftboss.packs.mining.diagnosis import Finding, Silence, classify, classify_silence, obstacle, port_taken, stopped
from shiftboss.packs.mining.diagnosis_chain import accept, expected_height, judge
from shiftboss.packs.mining.diagnosis_look import (
    bad,
    free_mb,
    in_between,
    listens,
    port_holder,
    scene,
    until_ended,
    vitals,
)
from shiftboss.packs.mining.diagnosis_start import note_of, write_note
from shiftboss.packs.mining.layout import (
    CONFIG_MARK,
    DAEMON,
    PEER,
    adopted,
    age,
    broken,
    config_digest,
    counting,
    digest,
    layout,
    log_file,
    observed,
    outdated,
    rpc,
    rpc_port,
    rpc_url,
    unsettled,
)
from shiftboss.packs.mining.readiness import until_ready
from shiftboss.system import net, proc
from shiftboss.system.process import Instance, instance_of
from shiftboss.system.rpc import RpcError, RpcFailure, RpcUnreadable, RpcWarming
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
    frozen = stopped(DAEMON, proc.state(instance.pid))
    if frozen:
        return bad(bench, DAEMON, frozen, evidence={"pid": instance.pid}, instance=instance.identity)
    if outdated(instance, _started_as(bench)):
        summary = f"process {instance.pid} runs with an older configuration"
        return observed(bench, DAEMON, Health.BROKEN, summary, instance=instance.identity)
    return await _ask(bench, instance)


async def _ask(bench: Workbench, instance: Instance) -> Observation:
    """What the daemon says of itself."""
    try:
        info = await rpc(bench).call("getblockchaininfo")
    except RpcFailure as error:
        return _no_answer(bench, instance, error)
    if not listens(instance.pid, rpc_port(bench)):
        return _no_answer(bench, instance, RpcUnreadable("what answers on its port is not our daemon"))
    if info["chain"] != bench.environment.chain:
        summary = f"the daemon runs chain {info['chain']}, wanted is {bench.environment.chain}"
        return broken(bench, DAEMON, FailureKind.CONFIG, summary, instance=instance.identity)
    found = await _unannounced(bench, instance)
    if found:
        return bad(bench, DAEMON, found, evidence={"pid": instance.pid}, instance=instance.identity)
    return _answered(bench, instance, int(info["blocks"]), max(0.0, float(info["time"]) - bench.clock.now()))


async def _unannounced(bench: Workbench, instance: Instance) -> Finding | None:
    """Why nobody hears of blocks over ZMQ although the settings ask for it; it listens there before it answers RPC."""
    port = bench.ports["zmq"]
    if not bench.settings.daemon.zmq or listens(instance.pid, port):
        return None
    holder = port_holder(bench, port, apart=instance.pid)
    if holder:
        return port_taken("ZMQ", "zmq", port, holder)
    try:
        await rpc(bench).call("getzmqnotifications")
    except RpcError:
        message = "the daemon was built without ZMQ: set another daemon.binary, or daemon.zmq = no"
        return Finding(kind=FailureKind.CONFIG, message=message)
    return Finding(kind=FailureKind.DISCONNECTED, message=f"the daemon announces no blocks on ZMQ port {port}")


def _answered(bench: Workbench, instance: Instance, height: int, ahead: float) -> Observation:
    """READY, unless its chain is not what it was; `ahead` is how far its newest block is ahead of our clock."""
    identity, evidence = instance.identity, {"pid": instance.pid, "chain": bench.environment.chain}
    found, busy = judge(bench, height)
    if found:
        return bad(bench, DAEMON, found, evidence=evidence, instance=identity)
    if busy:
        return observed(bench, DAEMON, Health.STARTING, busy, evidence=evidence, instance=identity)
    summary = f"process {instance.pid} answers RPC on {rpc_url(bench)}"
    measures = {"height": float(height), "free_mb": round(free_mb(bench), 1), "tip_ahead": round(ahead, 1)}
    measures |= vitals(instance.pid)
    evidence["rpc"] = rpc_url(bench)
    return observed(bench, DAEMON, Health.READY, summary, evidence=evidence, instance=identity, measures=measures)


def _no_answer(bench: Workbench, instance: Instance, error: RpcFailure) -> Observation:
    """Our process lives, but the call failed: starting, frozen, or somebody else answers on its port."""
    if unsettled(instance):
        return _not_running(bench)
    port = rpc_port(bench)
    found = classify_silence(
        Silence(
            state=proc.state(instance.pid) or "",
            age=age(instance),
            patience=bench.settings.daemon.start_seconds,
            error=type(error).__name__,
            text=str(error),
            listens=listens(instance.pid, port),
            holder=port_holder(bench, port, apart=instance.pid),
            number=port,
        )
    )
    facts = {"pid": instance.pid, "rpc": str(error)}
    if found is None:
        summary = f"starting: {error}"
        return observed(bench, DAEMON, Health.STARTING, summary, evidence=facts, instance=instance.identity)
    return bad(bench, DAEMON, found, evidence=facts, instance=instance.identity)


def _not_running(bench: Workbench) -> Observation:
    if in_between(bench, DAEMON):
        return observed(bench, DAEMON, Health.STARTING, "the daemon's process is just starting or ending")
    now = scene(bench, changed=_changed_since_start(bench))
    measures = {"free_mb": round(now.free_mb, 1)}
    found = classify(now)
    if found is None:
        summary = f"no daemon runs, RPC port {rpc_port(bench)} is free"
        return observed(bench, DAEMON, Health.ABSENT, summary, evidence=now.evidence, measures=measures)
    seen = bad(bench, DAEMON, found, measures=measures)
    # Nothing is broken yet where there is no room to begin with: first room, then the daemon.
    return seen.but(health=Health.ABSENT) if found.kind is FailureKind.NO_SPACE and not now.ended else seen


def _changed_since_start(bench: Workbench) -> bool:
    """Whether what a start would use is not what the last one used."""
    note = note_of(bench, DAEMON)
    return bool(note) and (note.get("config"), note.get("program")) != (_started_as(bench), _program_mark(bench))


def _program_mark(bench: Workbench) -> str:
    program = daemon_program(bench)
    return f"{program} {fingerprint(program)}" if program else ""


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
    """Daemon, wallet and second node are brought up by the same agent."""
    if order.component == PEER:
        from shiftboss.packs.mining import peer  # few have one

        return await peer.handle(order, bench)
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
    if instance is not None and (again or outdated(instance, config)):
        changes += (await stop(bench)).changes
        instance = None
    if instance is None:
        instance = await _spawn(bench, config, once)
        changes.append(f"started the daemon (process {instance.pid})")
    with counting(changes):
        await until_ready(bench, probe_daemon, bench.settings.daemon.start_seconds)
    return done("the daemon answers", *changes, pid=instance.pid)


async def _spawn(bench: Workbench, config: str, once: Sequence[str]) -> Instance:
    """Start the process, unless something that can be seen now would end it at once."""
    program = daemon_program(bench)
    if program is None:
        raise Failed(FailureKind.MISSING_BINARY, "the daemon's program is gone")
    await until_ended(bench, DAEMON)
    found = obstacle(scene(bench))
    if found:
        raise Failed(found.kind, found.message, found.evidence)
    places, expected = layout(bench), expected_height(bench)
    if not (places.chain_data / "blocks").is_dir():
        accept(bench, 0)  # its data is not there at all: the chain begins anew
    mark = _program_mark(bench)
    write_note(bench, DAEMON, config=config, program=mark, expected=expected, once=list(once))
    argv = [str(program), f"-datadir={places.data}", f"-conf={places.daemon_config}", "-printtoconsole=0"]
    return await bench.processes.spawn(
        DAEMON,
        [*argv, *bench.settings.daemon.args, *once],
        run=bench.run,
        delegation=bench.delegation,
        log=log_file(bench, DAEMON),
        cwd=places.data,
        env={CONFIG_MARK: config},
    )
