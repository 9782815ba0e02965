"""The proof's second half, where the settings ask for it: the proven block's reward becomes money.

A coinbase can be spent from 100 blocks after its own on (consensus). Called by cycle.py with a proof that stands.
"""

from typing import Any

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.packs.mining import wallet
from shiftboss.packs.mining.chains import chain_of
from shiftboss.packs.mining.layout import rpc
from shiftboss.system.rpc import RpcError
from shiftboss.system.workbench import Workbench

CONFIRMATIONS = 101
"""Of the reward's block: itself and 100 on top of it."""


def asked_for(bench: Workbench) -> bool:
    """Whether a proof has to go so far: only where the blocks it takes can be made at will."""
    return bench.settings.proof.until == "maturity" and chain_of(bench).generates


async def ripen(bench: Workbench, proof: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Bury the proven block and look whether the wallet can spend its reward; the longer proof, and the changes.

    Raises:
        Failed: the block left the best chain, or the wallet does not have its reward (kind REJECTED).
    """
    began = bench.clock.monotonic()
    node = rpc(bench, timeout=60.0)
    made = await _bury(bench, proof["block_hash"])
    block = await node.call("getblock", proof["block_hash"])
    credit = await _credit(bench, block["tx"][0])
    seconds = round(proof["checkpoints"][-1]["seconds"] + bench.clock.monotonic() - began, 4)
    passed = {"name": "reward can be spent", "seconds": seconds, "amount": credit["amount"]}
    changes = [f"made {made} blocks until the reward could be spent"] if made else []
    checkpoints = [*proof["checkpoints"], {**passed, "confirmations": block["confirmations"]}]
    return {**proof, "checkpoints": checkpoints, "maturity": True}, changes


async def _bury(bench: Workbench, block_hash: str) -> int:
    """Blocks on top until there are enough, paid to another address than the proven one; how many were made."""
    node, made = rpc(bench, timeout=60.0), 0
    address = await rpc(bench, wallet.name(bench)).call("getnewaddress", "maturity", "bech32")
    while True:
        confirmations = int((await node.call("getblockheader", block_hash))["confirmations"])
        if confirmations < 1:
            raise Failed(FailureKind.REJECTED, f"block {block_hash} has left the best chain")
        if confirmations >= CONFIRMATIONS:
            await wallet.checkpoint(node)
            return made
        made += len(await node.call("generatetoaddress", CONFIRMATIONS - confirmations, address))


async def _credit(bench: Workbench, reward: str) -> dict[str, Any]:
    """What the wallet says of the reward: category `generate` is what it can spend, `immature` what it can't yet."""
    try:
        told = await rpc(bench, wallet.name(bench), timeout=20.0).call("gettransaction", reward)
    except RpcError as error:
        raise Failed(FailureKind.REJECTED, f"the wallet does not know the reward {reward}: {error}") from error
    category = next((one["category"] for one in told["details"]), "none")
    if category != "generate":
        raise Failed(FailureKind.REJECTED, f"the wallet can't spend the reward {reward}: it calls it {category}")
    return told
