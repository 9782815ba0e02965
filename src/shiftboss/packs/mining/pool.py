"""The Stratum pool: ours, the user's command, or one that already runs elsewhere (agent pool_server_manager)."""

import json
from typing import Any

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining import wallet
from shiftboss.packs.mining.binaries import absolute, own_program
from shiftboss.packs.mining.configs import stratum_endpoint
from shiftboss.packs.mining.diagnosis import Finding, port_taken, stopped
from shiftboss.packs.mining.diagnosis_look import bad, ending, in_between, port_holder, until_ended, vitals
from shiftboss.packs.mining.diagnosis_start import write_note
from shiftboss.packs.mining.layout import (
    CONFIG_MARK,
    DAEMON,
    HOST,
    POOL,
    age,
    broken,
    config_digest,
    cookie_file,
    counting,
    died,
    digest,
    just_back,
    layout,
    log_file,
    observed,
    outdated,
    rpc,
    rpc_url,
    unsettled,
    zmq_endpoint,
)
from shiftboss.packs.mining.readiness import failed, until_ready
from shiftboss.system import http, net, proc
from shiftboss.system.process import Instance, instance_of
from shiftboss.system.rpc import RpcFailure, RpcUnauthorized
from shiftboss.system.workbench import Workbench

START_SECONDS = 15.0
HANDSHAKE_SECONDS = 3.0
FIRST_TEMPLATE_SECONDS = 2.0
STOP_SECONDS = 10.0


def is_ours(bench: Workbench) -> bool:
    """Whether the pool is shiftboss's own program (and so has a status page)."""
    return not (bench.settings.pool.command or bench.settings.pool.attach)


async def probe_pool(bench: Workbench) -> Observation:
    """READY when it serves fresh jobs on the daemon's tip (its own status), or gives a job to a miner (others)."""
    if bench.settings.pool.attach:
        return await _probe_attached(bench)
    instance = bench.processes.find(POOL)
    if instance is None:
        return _not_running(bench)
    frozen = stopped(POOL, proc.state(instance.pid))
    if frozen:
        return bad(bench, POOL, frozen, evidence={"pid": instance.pid}, instance=instance.identity)
    if outdated(instance, _started_as(bench)):
        summary = f"process {instance.pid} runs with an older configuration"
        return observed(bench, POOL, Health.BROKEN, summary, instance=instance.identity)
    if is_ours(bench):
        return await _ask(bench, instance)
    return await _try(bench, instance)


def _not_running(bench: Workbench) -> Observation:
    if in_between(bench, POOL):
        return observed(bench, POOL, Health.STARTING, "the pool's process is just starting or ending")
    found = _port_taken(bench)
    if found:
        return bad(bench, POOL, found)
    if died(bench, POOL) is not None:
        summary = "the pool's process ended unexpectedly"
        return broken(bench, POOL, FailureKind.DIED, summary, evidence=ending(bench, POOL))
    return observed(bench, POOL, Health.ABSENT, f"no pool runs, Stratum port {bench.ports['stratum']} is free")


def _port_taken(bench: Workbench, pid: int | None = None) -> Finding | None:
    """Who holds one of the pool's ports, if it is not our pool itself."""
    labels = {"stratum": "Stratum", "pool_status": "pool status"} if is_ours(bench) else {"stratum": "Stratum"}
    for name, label in labels.items():
        holder = port_holder(bench, bench.ports[name], apart=pid)
        if holder:
            return port_taken(label, name, bench.ports[name], holder)
    return None


async def _ask(bench: Workbench, instance: Instance) -> Observation:
    """What our pool says of itself, checked against the daemon's tip."""
    try:
        told = await status(bench)
    except (http.HttpError, ValueError) as error:
        return _silent(bench, instance, str(error))
    facts: dict[str, Any] = {"pid": instance.pid, "why": str(told.get("why", ""))}
    if told.get("pid") != instance.pid:
        return _silent(bench, instance, "something else answers on its status port")
    facts |= {key: told.get(key) for key in ("template_age", "shares", "rejected")}
    try:
        tip = await rpc(bench).call("getbestblockhash")
    except RpcFailure as error:
        why = f"the daemon can't be asked: {error}"
        return _unwell(bench, instance, why, facts, credential=isinstance(error, RpcUnauthorized))
    if not told["ok"]:
        # We were let in with the log-in on disk: if the pool was not, its own is the wrong one.
        return _unwell(bench, instance, facts["why"], facts, credential=facts["why"].startswith("RpcUnauthorized"))
    if told["tip"] != tip:
        return observed(bench, POOL, Health.STARTING, "the pool is behind the daemon's tip", instance=instance.identity)
    return _serving(bench, instance, _counts(told))


def _counts(told: dict[str, Any]) -> dict[str, float]:
    """The numbers of the status page that are worth watching."""
    refused = sum(int(number) for number in told["rejected"].values())
    counts = {"template_age": float(told["template_age"]), "shares": float(told["shares"])}
    return {**counts, "rejects": float(refused)}


async def status(bench: Workbench) -> dict[str, Any]:
    """What our pool's status page says.

    Raises:
        http.HttpError: it can't be reached.
        ValueError: what answers is no JSON.
    """
    answer = await http.request("GET", f"http://{HOST}:{bench.ports['pool_status']}/status", timeout=2.0)
    return json.loads(answer.body)


def _serving(bench: Workbench, instance: Instance, measures: dict[str, float]) -> Observation:
    host, port = stratum_endpoint(bench)
    evidence = {"pid": instance.pid, "stratum": f"{host}:{port}"}
    summary = f"process {instance.pid} serves fresh jobs on {host}:{port}"
    return observed(
        bench,
        POOL,
        Health.READY,
        summary,
        evidence=evidence,
        instance=instance.identity,
        measures={**measures, **vitals(instance.pid)},
    )


def _silent(bench: Workbench, instance: Instance, why: str) -> Observation:
    if unsettled(instance):
        return _starting(bench, instance, {"pid": instance.pid, "why": "its process is just starting or ending"})
    facts = {"pid": instance.pid, "why": why, "state": proc.state(instance.pid)}
    taken = _port_taken(bench, instance.pid)
    if taken:
        return bad(bench, POOL, taken, evidence=facts, instance=instance.identity)
    if age(instance) < START_SECONDS:
        return _starting(bench, instance, facts)
    summary = f"the pool's process lives, but: {why}"
    return broken(bench, POOL, FailureKind.FROZEN, summary, evidence=facts, instance=instance.identity)


def _starting(bench: Workbench, instance: Instance, facts: dict[str, Any]) -> Observation:
    summary = "the pool is starting"
    return observed(bench, POOL, Health.STARTING, summary, evidence=facts, instance=instance.identity)


def _unwell(bench: Workbench, instance: Instance, why: str, facts: dict[str, Any], *, credential: bool) -> Observation:
    """The pool can't do its job, by its own word or because the daemon is gone under it; it may still take shares."""
    if age(instance) < FIRST_TEMPLATE_SECONDS:
        return _starting(bench, instance, facts)
    if just_back(bench, DAEMON):
        summary = "the pool is finding its way back to the daemon"
        return observed(bench, POOL, Health.STARTING, summary, evidence=facts, instance=instance.identity)
    kind = FailureKind.CREDENTIAL if credential else FailureKind.DISCONNECTED
    return broken(bench, POOL, kind, f"the pool has no fresh work: {why}", evidence=facts, instance=instance.identity)


async def _try(bench: Workbench, instance: Instance) -> Observation:
    """The user's own pool: judged by what a miner gets."""
    from shiftboss.packs.mining.handshake import gives_job

    if await gives_job(stratum_endpoint(bench), HANDSHAKE_SECONDS):
        return _serving(bench, instance, {})
    return _silent(bench, instance, "it gives a miner no job")


async def _probe_attached(bench: Workbench) -> Observation:
    from shiftboss.packs.mining.handshake import gives_job

    host, port = stratum_endpoint(bench)
    if not await gives_job((host, port), HANDSHAKE_SECONDS):
        summary = f"your pool at {host}:{port} gives a miner no job"
        return broken(bench, POOL, FailureKind.EXTERNAL_DOWN, summary)
    holder = net.holder(port)
    evidence = {"pid": holder.pid if holder else None, "stratum": f"{host}:{port}", "attached": True}
    return observed(bench, POOL, Health.READY, f"your own pool serves jobs on {host}:{port}", evidence=evidence)


def identity(bench: Workbench) -> str:
    """What tells this running pool from any other."""
    instance = bench.processes.find(POOL)
    if instance is None:
        holder = net.holder(stratum_endpoint(bench)[1])
        instance = instance_of(holder.pid) if holder and holder.pid else None
    return instance.identity if instance else ":".join(map(str, stratum_endpoint(bench)))


def _started_as(bench: Workbench) -> str:
    """The configuration a running pool must have been started with, as one hash."""
    if not is_ours(bench):
        return digest(json.dumps(_command(bench)))
    return digest(config_digest(layout(bench).pool_config) + wallet.address(bench))


def _command(bench: Workbench) -> list[str]:
    if is_ours(bench):
        config = str(layout(bench).pool_config)
        return [*own_program("pool"), "--config", config, "--address", wallet.address(bench)]
    values = {
        "{rpc}": rpc_url(bench),
        "{rpc_cookie_file}": str(cookie_file(bench)),
        "{stratum_port}": str(bench.ports["stratum"]),
        "{address}": wallet.address(bench),
        "{zmq}": zmq_endpoint(bench),
    }
    return [_fill(word, values) for word in absolute(bench.settings.pool.command)]


def _fill(word: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        word = word.replace(placeholder, value)
    return word


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Bring the pool up, or take it down."""
    if bench.settings.pool.attach:
        if order.mode is Mode.ENSURE:
            host, port = stratum_endpoint(bench)
            raise Failed(FailureKind.EXTERNAL_DOWN, f"your pool at {host}:{port} is not ready: start it yourself")
        return done("your own pool is left as it is")
    if order.mode is Mode.REMOVE:
        return await stop(bench)
    return await start(bench, again=order.mode is Mode.FORCE)


async def stop(bench: Workbench) -> Outcome:
    """Stop our pool; idempotent."""
    stopped = await bench.processes.stop(POOL, grace=STOP_SECONDS, clock=bench.clock)
    return done("the pool is stopped", *(["stopped the pool"] if stopped else []))


async def start(bench: Workbench, *, again: bool = False) -> Outcome:
    """Start the pool and wait until it serves jobs; a running one is only restarted if it must be."""
    changes: list[str] = []
    instance = bench.processes.find(POOL)
    if instance is not None and (again or outdated(instance, _started_as(bench))):
        changes += (await stop(bench)).changes
        instance = None
    if instance is None:
        await until_ended(bench, POOL)
        seen = _not_running(bench)
        if seen.failure and seen.failure is not FailureKind.DIED:
            raise failed(seen)
        write_note(bench, POOL)
        instance = await bench.processes.spawn(
            POOL,
            _command(bench),
            run=bench.run,
            delegation=bench.delegation,
            log=log_file(bench, POOL),
            cwd=bench.environment.folder,
            env={CONFIG_MARK: _started_as(bench)},
        )
        changes.append(f"started the pool (process {instance.pid})")
    with counting(changes):
        await until_ready(bench, probe_pool, START_SECONDS)
    return done("the pool serves jobs", *changes, pid=instance.pid)
