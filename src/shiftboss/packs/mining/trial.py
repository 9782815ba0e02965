"""One run of the proof: a share of the tester, payments, and the miner's block, each checkpoint timed."""

import time
from dataclasses import dataclass, field
from typing import Any

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.packs.mining import miner, pool, wallet
from shiftboss.packs.mining.chains import chain_of
from shiftboss.packs.mining.configs import stratum_endpoint
from shiftboss.packs.mining.handshake import Talk, talk
from shiftboss.packs.mining.layout import MINER, layout, read_json, rpc
from shiftboss.system.rpc import Rpc
from shiftboss.system.workbench import Workbench

PAYMENTS = 3
"""Transactions sent first: an empty mempool would test neither merkle branch nor witness commitment."""

AMOUNT = 0.1
"""Of each of them, in coins."""

FEE_RATE = 2
"""Satoshis per virtual byte."""

TESTER = "shiftboss.tester"
POLL_SECONDS = 0.05


@dataclass(kw_only=True)
class Trial:
    """One run of the proof and when each checkpoint was passed."""

    bench: Workbench
    node: Rpc
    purse: Rpc
    pays: bool  #: the wallet has coins to put payments into the mempool with
    accepted_before: int = 0  #: shares of our miner, by its own account
    began: float = field(default_factory=time.monotonic)
    checkpoints: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    changes: list[str] = field(default_factory=list[str])

    def passed(self, name: str, **facts: Any) -> None:
        """Note a checkpoint with its time in seconds since the beginning."""
        at = round(time.monotonic() - self.began, 4)
        self.checkpoints.append({"name": name, "seconds": at, **facts})


async def prove(bench: Workbench) -> tuple[dict[str, Any], list[str]]:
    """The proof of a block followed from job to wallet, and the changes made for it.

    Raises:
        Failed: a checkpoint was not passed (kind REJECTED).
    """
    purse = rpc(bench, wallet.name(bench), timeout=20.0)
    trial = Trial(bench=bench, node=rpc(bench), purse=purse, pays=await _can_pay(bench, purse))
    before = int(await trial.node.call("getblockcount"))
    async with talk(stratum_endpoint(bench), TESTER) as open_talk:
        await _share(trial, open_talk)
    proof = await _check(trial, await _miners_block(trial))
    await wallet.checkpoint(trial.node)
    return {"height_before": before, **proof}, trial.changes


async def _can_pay(bench: Workbench, purse: Rpc) -> bool:
    """Whether payments are part of the proof: always where the wallet is funded first, else if it has coins by now."""
    if chain_of(bench).generates:
        return True
    return float((await purse.call("getbalances"))["mine"]["trusted"]) >= (PAYMENTS + 1) * AMOUNT


async def _share(trial: Trial, open_talk: Talk) -> None:
    """Handshake, job, share: what any miner would see. The payments go out between job and share.

    On regtest (and sometimes on signet) the tester's own share is a block. It was made for a job from before the
    payments, so they stay in the mempool for the miner's block.
    """
    order = await open_talk.job()
    trial.passed("handshake", after=open_talk.seconds["handshake"])
    trial.passed("job", job=order.job_id)
    await _pay(trial)
    if not await open_talk.share(order):
        why = open_talk.client.facts.last_error
        raise Failed(FailureKind.REJECTED, f"the pool refused the tester's share: {why}")
    trial.passed("share accepted")


async def _pay(trial: Trial) -> None:
    """Put real transactions into the mempool, if there is anything to pay with."""
    if not trial.pays:
        trial.passed("no payments: the wallet has no mature coins")
        return
    address = wallet.address(trial.bench)
    # The fee is given: a daemon that is not ours may know no fallback fee.
    sent = [await wallet.pay(trial.purse, address, AMOUNT, FEE_RATE) for _ in range(PAYMENTS)]
    trial.changes.append(f"sent {len(sent)} payments from the wallet to itself")
    trial.passed("payments sent", transactions=len(sent))


async def _miners_block(trial: Trial) -> dict[str, Any]:
    """The next block that is not the tester's and carries transactions (any, where none could be sent)."""
    height = int(await trial.node.call("getblockcount"))
    trial.accepted_before = int(read_json(layout(trial.bench).miner_status).get("accepted", 0))
    _hurry(trial.bench)
    while True:
        now = int(await trial.node.call("getblockcount"))
        while height < now:
            height += 1
            block = await trial.node.call("getblock", await trial.node.call("getblockhash", height), 2)
            if len(block["tx"]) > 1 or not trial.pays:
                trial.passed("miner's block", height=height)
                return block
            await _pay(trial)
            _hurry(trial.bench)
        await trial.bench.clock.sleep(POLL_SECONDS)


def _hurry(bench: Workbench) -> None:
    """Ask our own miner for its next block now instead of at the end of its pause."""
    if miner.is_ours(bench):
        bench.processes.nudge(MINER)


async def _check(trial: Trial, block: dict[str, Any]) -> dict[str, Any]:
    """In the best chain, paid to the wallet, with the witness commitment of its transactions."""
    header = await trial.node.call("getblockheader", block["hash"])
    if header["confirmations"] < 1:
        raise Failed(FailureKind.REJECTED, f"block {block['hash']} is not in the best chain")
    coinbase = block["tx"][0]
    paid = [out["scriptPubKey"] for out in coinbase["vout"] if out["value"] > 0]
    address = paid[0].get("address", "")
    ours = (await trial.purse.call("getaddressinfo", address))["ismine"]
    if not ours and not trial.bench.settings.pool.attach:
        raise Failed(FailureKind.REJECTED, f"the block pays {address}, which is not the wallet's")
    # A pool that already ran pays whom its own configuration says: noted, not held against it.
    trial.passed(f"in the best chain and paid to {'the wallet' if ours else 'the address of your pool'}")
    worker, shares = await _worker_of(trial, block["hash"])
    return {
        "block_hash": block["hash"],
        "height_after": block["height"],
        "transactions": len(block["tx"]),
        "coinbase_address": address,
        "worker": worker,
        "shares_accepted": shares,
        "checkpoints": trial.checkpoints,
    }


async def _worker_of(trial: Trial, block_hash: str) -> tuple[str, int]:
    """Whose share the block was, and how many shares the pool has taken."""
    if not pool.is_ours(trial.bench):
        return await _worker_by_miner(trial)
    status = await pool.status(trial.bench)
    workers = {entry["hash"]: entry["worker"] for entry in status["blocks"]}
    worker = str(workers.get(block_hash, ""))
    if worker not in trial.bench.settings.miner.workers:
        raise Failed(FailureKind.REJECTED, f"block {block_hash} came from {worker or 'nobody known'}, not the miner")
    trial.passed("made by the miner's worker", worker=worker)
    return worker, int(status["shares"])


async def _worker_by_miner(trial: Trial) -> tuple[str, int]:
    """Another's pool has no status page: our miner's own account of accepted shares has to do (minerd has none)."""
    if not miner.is_ours(trial.bench):
        return "", 1
    while not int(read_json(layout(trial.bench).miner_status).get("accepted", 0)) > trial.accepted_before:
        await trial.bench.clock.sleep(POLL_SECONDS)
    accepted = int(read_json(layout(trial.bench).miner_status)["accepted"])
    worker = trial.bench.settings.miner.workers[0]
    trial.passed("the miner's share was accepted", worker=worker)
    return worker, accepted + 1
