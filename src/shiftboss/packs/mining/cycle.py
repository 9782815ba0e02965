"""The proof that the whole stack does its job: a block, followed from job to wallet (agent cycle_integration_tester).

The evidence is bound to the running instances: it is stale when a part was replaced, and kept when nothing was.
"""

import json
from collections.abc import Mapping
from typing import Any

from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining import daemon, maturity, pool
from shiftboss.packs.mining.diagnosis_chain import remember
from shiftboss.packs.mining.layout import CYCLE, MINER, adopted, counting, layout, observed, read_json, rpc
from shiftboss.system.files import write_atomic
from shiftboss.system.rpc import RpcError, RpcFailure
from shiftboss.system.workbench import Workbench


def instances(bench: Workbench) -> dict[str, str]:
    """What the evidence is bound to."""
    found = bench.processes.find(MINER)
    return {
        "daemon": daemon.identity(bench),
        "pool": pool.identity(bench),
        "miner": found.identity if found else "",
    }


async def probe_cycle(bench: Workbench) -> Observation:
    """READY when there is proof of a block made by exactly the instances that run now, still in the best chain.

    Where the settings ask for it, also of its reward.
    """
    proof, now = read_json(layout(bench).proof), instances(bench)
    flaw = await _flaw(bench, proof, now) or _too_short(bench, proof)
    if flaw:
        return observed(bench, CYCLE, Health.ABSENT, flaw, unproven=True)
    evidence = {"block_hash": proof["block_hash"], "height": proof["height_after"], "instances": now}
    end = ", who can spend it" if proof.get("maturity") else ""
    summary = f"block {proof['height_after']} came from the miner and pays the wallet{end}"
    return observed(bench, CYCLE, Health.READY, summary, evidence=evidence)


async def _flaw(bench: Workbench, proof: Mapping[str, Any], now: Mapping[str, str]) -> str:
    """Why a proof's block does not count; empty when it does."""
    if not proof:
        return "no block has been proven yet"
    replaced = sorted(name for name, one in proof["instances"].items() if now.get(name) != one)
    if replaced:
        return f"the last proof is of other instances ({', '.join(replaced)} replaced)"
    try:
        header = await rpc(bench).call("getblockheader", proof["block_hash"])
    except RpcError:
        return "the proven block is not known to the daemon"
    except RpcFailure as error:
        return f"the daemon can't be asked: {error}"
    return "" if header["confirmations"] > 0 else "the proven block has left the best chain"


def _too_short(bench: Workbench, proof: Mapping[str, Any]) -> str:
    lacking = maturity.asked_for(bench) and not proof.get("maturity")
    return "the proof ends with the block: its reward was not followed until it could be spent" if lacking else ""


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Prove the cycle; what is proven already is not proven again."""
    if order.mode is Mode.REMOVE:
        return done("evidence is kept")
    proof, changes = read_json(layout(bench).proof), list[str]()
    stands = order.mode is Mode.ENSURE and not await _flaw(bench, proof, instances(bench))
    if stands and not _too_short(bench, proof):
        return done("the evidence is still good")
    if not stands:
        proof, changes = await _prove(bench)
    with counting(changes):
        if maturity.asked_for(bench):
            proof, more = await maturity.ripen(bench, proof)
            changes += more
            await _keep(bench, proof)
    if bench.settings.proof.until == "maturity" and not maturity.asked_for(bench):
        bench.warn(f"proof.until = maturity is for regtest: on {bench.environment.chain} the proof ends with the block")
    return done(f"block {proof['height_after']} is proven", *changes, "wrote the proof", **proof)


async def _prove(bench: Workbench) -> tuple[dict[str, Any], list[str]]:
    """A new proof, kept at once, and the changes made for it."""
    from shiftboss.packs.mining.trial import prove

    proof, changes = await prove(bench)
    proof["instances"] = instances(bench)
    await _keep(bench, proof)
    return proof, changes


async def _keep(bench: Workbench, proof: Mapping[str, Any]) -> None:
    write_atomic(layout(bench).proof, json.dumps(proof, indent=1))
    if not adopted(bench):
        await remember(bench, rpc(bench))
