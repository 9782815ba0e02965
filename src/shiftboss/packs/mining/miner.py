"""The miner: ours, or the user's minerd or command (agent miner_manager)."""

import json
from typing import Any

from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining.binaries import absolute, miner_program, own_program
from shiftboss.packs.mining.configs import stratum_endpoint
from shiftboss.packs.mining.diagnosis import stopped
from shiftboss.packs.mining.diagnosis_look import bad, ending, in_between, vitals
from shiftboss.packs.mining.diagnosis_start import output_since, write_note
from shiftboss.packs.mining.layout import (
    CONFIG_MARK,
    MINER,
    POOL,
    age,
    broken,
    config_digest,
    counting,
    died,
    digest,
    just_back,
    layout,
    log_file,
    observed,
    outdated,
    read_json,
)
from shiftboss.packs.mining.logs import complaints_in
from shiftboss.packs.mining.readiness import until_ready
from shiftboss.system import net, proc
from shiftboss.system.process import Instance
from shiftboss.system.workbench import Workbench

START_SECONDS = 15.0
STOP_SECONDS = 5.0
REJECTS = 5
"""So many refused shares without one accepted mean that its work is of no use."""
ENOUGH_SHARES = 20
"""Below so many a share or two refused at a change of blocks would look like a trend."""


def is_ours(bench: Workbench) -> bool:
    """Whether the miner is shiftboss's own program (and so writes a status file)."""
    return not miner_program(bench)


async def probe_miner(bench: Workbench) -> Observation:
    """READY when it is logged in at the pool and has a job (ours), or is connected to it (others)."""
    instance = bench.processes.find(MINER)
    if instance is None:
        if in_between(bench, MINER):
            return observed(bench, MINER, Health.STARTING, "the miner's process is just starting or ending")
        if died(bench, MINER) is None:
            return observed(bench, MINER, Health.ABSENT, "no miner runs")
        summary = "the miner's process ended unexpectedly"
        return broken(bench, MINER, FailureKind.DIED, summary, evidence=ending(bench, MINER))
    frozen = stopped(MINER, proc.state(instance.pid))
    if frozen:
        return bad(bench, MINER, frozen, evidence={"pid": instance.pid}, instance=instance.identity)
    if outdated(instance, _started_as(bench)):
        summary = f"process {instance.pid} runs with an older configuration"
        return observed(bench, MINER, Health.BROKEN, summary, instance=instance.identity)
    return _read_status(bench, instance) if is_ours(bench) else _look_at_connection(bench, instance)


def _read_status(bench: Workbench, instance: Instance) -> Observation:
    status: dict[str, Any] = read_json(layout(bench).miner_status)
    if status.get("pid") != instance.pid or not (status.get("authorized") and status.get("job_id")):
        return _not_working(bench, instance, str(status.get("last_error") or "not logged in at the pool"))
    accepted, rejected = int(status.get("accepted", 0)), int(status.get("rejected", 0))
    if not accepted and rejected >= REJECTS:
        evidence = {"pid": instance.pid, "accepted": accepted, "rejected": rejected, "said": status.get("last_error")}
        summary = f"all {rejected} shares were refused"
        return broken(bench, MINER, FailureKind.REJECTED, summary, evidence=evidence, instance=instance.identity)
    return _working(bench, instance, _rates(accepted, rejected, int(status.get("stale", 0))))


def _rates(accepted: int, rejected: int, stale: int) -> dict[str, float]:
    """The share counts, and what part was refused once there are enough of them to tell.

    Work that somebody's block made stale is nobody's fault: mining by hand must not look like a miner going bad.
    """
    refused = rejected - stale
    judged = accepted + refused
    rate = round(refused / judged, 4) if judged >= ENOUGH_SHARES else 0.0
    return {"accepted": float(accepted), "rejected": float(rejected), "reject_rate": rate}


def _working(bench: Workbench, instance: Instance, measures: dict[str, float]) -> Observation:
    host, port = stratum_endpoint(bench)
    evidence: dict[str, Any] = {"pid": instance.pid, "pool": f"{host}:{port}"}
    if is_ours(bench):
        evidence["workers"] = list(bench.settings.miner.workers)
    measures = {**measures, **vitals(instance.pid)}
    summary = f"process {instance.pid} works for the pool at {host}:{port}"
    return observed(
        bench, MINER, Health.READY, summary, evidence=evidence, instance=instance.identity, measures=measures
    )


def _not_working(bench: Workbench, instance: Instance, why: str) -> Observation:
    facts = {"pid": instance.pid, "why": why}
    if age(instance) < START_SECONDS:
        return observed(bench, MINER, Health.STARTING, f"the miner is starting: {why}", evidence=facts)
    if just_back(bench, POOL):
        summary = "the miner is finding its way back to the pool"
        return observed(bench, MINER, Health.STARTING, summary, evidence=facts, instance=instance.identity)
    summary = f"the miner's process lives, but: {why}"
    return broken(bench, MINER, FailureKind.DISCONNECTED, summary, evidence=facts, instance=instance.identity)


def _look_at_connection(bench: Workbench, instance: Instance) -> Observation:
    if net.connected_to(instance.pid, stratum_endpoint(bench)[1]):
        return _working(bench, instance, {})
    said = complaints_in(output_since(bench, MINER), 1)
    return _not_working(bench, instance, said[0] if said else "not connected to the pool")


def _started_as(bench: Workbench) -> str:
    return config_digest(layout(bench).miner_config) if is_ours(bench) else digest(json.dumps(_command(bench)))


def _command(bench: Workbench) -> list[str]:
    if is_ours(bench):
        return [*own_program("miner"), "--config", str(layout(bench).miner_config)]
    program = miner_program(bench)
    if bench.settings.miner.command:
        return absolute(program)
    host, port = stratum_endpoint(bench)
    worker = bench.settings.miner.workers[0]
    threads = ["-t", str(bench.settings.miner.threads)] if bench.settings.miner.threads else []
    # -R 2: try again after 2 s; minerd's own default of 30 s would look like a dead miner.
    return [
        *program,
        "-a",
        "sha256d",
        "-o",
        f"stratum+tcp://{host}:{port}",
        "-u",
        worker,
        "-p",
        "x",
        "-R",
        "2",
        *threads,
    ]


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Bring the miner up, or take it down."""
    if order.mode is Mode.REMOVE:
        return await stop(bench)
    return await start(bench, again=order.mode is Mode.FORCE)


async def stop(bench: Workbench) -> Outcome:
    """Stop our miner; idempotent."""
    stopped = await bench.processes.stop(MINER, grace=STOP_SECONDS, clock=bench.clock)
    return done("the miner is stopped", *(["stopped the miner"] if stopped else []))


async def start(bench: Workbench, *, again: bool = False) -> Outcome:
    """Start the miner and wait until it works; a running one is only restarted if it must be."""
    changes: list[str] = []
    instance = bench.processes.find(MINER)
    if instance is not None and (again or outdated(instance, _started_as(bench))):
        changes += (await stop(bench)).changes
        instance = None
    if instance is None:
        layout(bench).miner_status.unlink(missing_ok=True)
        write_note(bench, MINER)
        instance = await bench.processes.spawn(
            MINER,
            _command(bench),
            run=bench.run,
            delegation=bench.delegation,
            log=log_file(bench, MINER),
            cwd=bench.environment.folder,
            env={CONFIG_MARK: _started_as(bench)},
        )
        changes.append(f"started the miner (process {instance.pid})")
    with counting(changes):
        await until_ready(bench, probe_miner, START_SECONDS)
    return done("the miner works", *changes, pid=instance.pid)
