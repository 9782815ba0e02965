"""The proof that the whole stack does its job: a block, followed from job to wallet (agent cycle_integration_tester).

The evidence is bound to the running instances: it is stale when a part was replaced, and kept when nothing was.
"""

import json

from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining import daemon, pool
from shiftboss.packs.mining.diagnosis_chain import remember
from shiftboss.packs.mining.layout import CYCLE, MINER, adopted, layout, observed, read_json, rpc
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
    """READY when there is proof of a block made by exactly the instances that run now, still in the best chain."""
    proof = read_json(layout(bench).proof)
    if not proof:
        return observed(bench, CYCLE, Health.ABSENT, "no block has been proven yet", unproven=True)
    now = instances(bench)
    replaced = sorted(name for name, one in proof["instances"].items() if now.get(name) != one)
    if replaced:
        summary = f"the last proof is of other instances ({', '.join(replaced)} replaced)"
        return observed(bench, CYCLE, Health.ABSENT, summary, unproven=True)
    try:
        header = await rpc(bench).call("getblockheader", proof["block_hash"])
    except RpcError:
        return observed(bench, CYCLE, Health.ABSENT, "the proven block is not known to the daemon", unproven=True)
    except RpcFailure as error:
        return observed(bench, CYCLE, Health.ABSENT, f"the daemon can't be asked: {error}", unproven=True)
    if header["confirmations"] < 1:
        return observed(bench, CYCLE, Health.ABSENT, "the proven block has left the best chain", unproven=True)
    evidence = {"block_hash": proof["block_hash"], "height": proof["height_after"], "instances": now}
    summary = f"block {proof['height_after']} came from the miner and pays the wallet"
    return observed(bench, CYCLE, Health.READY, summary, evidence=evidence)


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Prove the cycle; with valid evidence there is nothing to do."""
    if order.mode is Mode.REMOVE:
        return done("evidence is kept")
    if order.mode is Mode.ENSURE and (await probe_cycle(bench)).health is Health.READY:
        return done("the evidence is still good")
    from shiftboss.packs.mining.trial import prove

    proof, changes = await prove(bench)
    proof["instances"] = instances(bench)
    write_atomic(layout(bench).proof, json.dumps(proof, indent=1))
    if not adopted(bench):
        await remember(bench, rpc(bench))
    return done(f"block {proof['height_after']} is proven", *changes, "wrote the proof", **proof)
