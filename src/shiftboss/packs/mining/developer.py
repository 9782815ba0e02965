"""What a pool developer does to a running stack by hand: blocks at once, a reorganisation, payments.

Called by acting.py for the verbs mine, reorg and send. No part of any run and not journalled, as with bitcoin-cli; but
our note of the chain's tip stays true, so that nobody takes a reorganisation for a loss. Our miner may go on meanwhile.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health
from shiftboss.packs.mining import wallet
from shiftboss.packs.mining.chains import chain_of, everybody_mines
from shiftboss.packs.mining.daemon import probe_daemon
from shiftboss.packs.mining.diagnosis_chain import remember
from shiftboss.packs.mining.layout import adopted, layout, read_json, rpc
from shiftboss.packs.mining.recoveries.steps import telling
from shiftboss.system.rpc import Rpc, RpcError
from shiftboss.system.workbench import Workbench

Tips = Sequence[Mapping[str, Any]]
"""What getchaintips tells."""

CHUNK = 100
"""Blocks asked for at a time where they cost nothing."""

TRIES = 2**31 - 1
"""Hashes that the daemon may spend on a block; its default of a million is too few on signet."""

SECONDS = 300.0
"""What the daemon may take for one call: a signet block takes seconds, a deep reorganisation too."""

PER_COIN = 25
"""Payments that can hang on one confirmed coin: the mempool takes so many in a row (limitdescendantcount)."""

MOST = 450
"""Unconfirmed payments at a time: with more than 500 bitcoind's wallet can't choose coins ("map::at")."""

AMOUNT, FEE_RATE = 0.00001, 2
"""Of each payment, in coins; satoshis per virtual byte."""

LEAST = 0.001
"""A coin must hold so much to carry PER_COIN payments with their fees."""


async def mine(bench: Workbench, number: int) -> Mapping[str, object]:
    """Make blocks at once, paid to the wallet.

    Raises:
        Failed: the daemon is not ready, or blocks can't be made at will on its chain.
    """
    with telling([]):
        node, _ = await _partners(bench, blocks=True)
        before = int(await node.call("getblockcount"))
        newest = (await _generate(bench, node, number, wallet.address(bench)))[-1]
        after = int((await node.call("getblockheader", newest))["height"])
        await _keep(bench, node)
        return {"height_before": before, "height_after": after, "newest_block": newest}


async def reorg(bench: Workbench, number: int) -> Mapping[str, object]:
    """Replace the newest blocks by one more of others; once begun it is brought to its end, also when cancelled.

    Raises:
        Failed: as `mine`; or the chain is shorter than that.
    """
    with telling([]):
        node, purse = await _partners(bench, blocks=True)
        height = int(await node.call("getblockcount"))
        if number > height:
            raise _refusal(f"the chain has only {height} blocks", f"Give a number up to {height}")
        address = await purse.call("getnewaddress", "reorg", "bech32")  # other blocks than before, in the same second
        turning = asyncio.ensure_future(_turn(bench, node, height - number, address))
        try:
            return await asyncio.shield(turning)
        except asyncio.CancelledError:
            await asyncio.wait([turning])  # the daemon would go on with its half of it, and leave a shorter chain
            raise


async def _turn(bench: Workbench, node: Rpc, fork: int, address: str) -> Mapping[str, object]:
    """All of a reorganisation that must not be left half done, and what came of it."""
    old = await _replace(bench, node, fork, address)
    await _keep(bench, node)
    tip = await node.call("getbestblockhash")
    return {
        "fork_height": fork,
        "old_height": old["height"],
        "old_tip": old["hash"],
        "height": int((await node.call("getblockheader", tip))["height"]),
        "new_tip": tip,
        "proof": await _proof(bench, node),
    }


async def _replace(bench: Workbench, node: Rpc, fork: int, address: str) -> Mapping[str, Any]:
    """Make a longer branch beside the one that leaves block number `fork`; the tip of the replaced one."""
    before: Tips = await node.call("getchaintips")
    marked: list[str] = []
    try:
        await _go_back(node, fork, {tip["hash"] for tip in before}, marked)
        old = replaced(before, await node.call("getchaintips"))
        while (missing := old["height"] + 1 - int(await node.call("getblockcount"))) > 0:
            await _generate(bench, node, missing, address)
    finally:
        # They are shorter now, not bad: other nodes may build on them. And where that failed, the old one wins again.
        for block in marked:
            await node.call("reconsiderblock", block)
    return old


async def _go_back(node: Rpc, fork: int, known: Collection[str], marked: list[str]) -> None:
    """Make block number `fork` the tip: mark what follows it, and each older branch that then comes up instead.

    Stops at a tip that is not among the `known` ones: our miner has found it on top of that block just now.
    """
    base = await node.call("getblockhash", fork)
    while True:
        common = fork
        ancestor: Mapping[str, Any] = await node.call("getblockheader", base)
        while ancestor["confirmations"] < 1:  # the branch that came up leaves the chain further below
            common -= 1
            ancestor = await node.call("getblockheader", ancestor["previousblockhash"])
        tip = await node.call("getbestblockhash")
        if tip == base or (marked and common == fork and tip not in known):
            return
        marked.append(await node.call("getblockhash", common + 1))
        await node.call("invalidateblock", marked[-1])


def replaced(before: Tips, after: Tips) -> Mapping[str, Any]:
    """The tip that was replaced: the active one, or what had been found on it until its branch was marked."""
    active = next(tip for tip in before if tip["status"] == "active")
    bad_already = {tip["hash"] for tip in before if tip["status"] == "invalid"}
    now_bad = [tip for tip in after if tip["status"] == "invalid" and tip["hash"] not in bad_already]
    return max(now_bad, key=lambda tip: (tip["height"], tip["hash"] == active["hash"]))


async def _proof(bench: Workbench, node: Rpc) -> str:
    """What became of the proof of the cycle."""
    block = read_json(layout(bench).proof).get("block_hash")
    if not block:
        return "there was none"
    try:
        stands = (await node.call("getblockheader", block))["confirmations"] > 0
    except RpcError:
        stands = False
    return "still stands" if stands else "its block is out: shiftboss up proves again"


async def send(bench: Workbench, number: int) -> Mapping[str, object]:
    """Put payments of the wallet to itself into the mempool, each to another address, spread over its coins.

    Raises:
        Failed: the daemon is not ready, or its wallet has too few confirmed coins; then nothing is sent.
    """
    with telling([]):
        node, purse = await _partners(bench, blocks=False)
        listed: Sequence[Mapping[str, Any]] = await purse.call("listunspent", 1)
        coins = [coin for coin in listed if coin["spendable"] and coin["amount"] >= LEAST]
        waiting = int((await node.call("getmempoolinfo"))["size"])
        if number > room(len(coins), waiting):
            raise _too_many(number, len(coins), waiting)
        sent: list[str] = []
        for coin, count in zip(coins, spread(number, len(coins)), strict=True):
            sent += await _chain(purse, coin, count)
        size = (await node.call("getmempoolinfo"))["size"]
        return {"sent": len(sent), "coins_used": min(number, len(coins)), "mempool": size, "txids": sent}


def room(coins: int, waiting: int) -> int:
    """How many payments can be sent."""
    return max(0, min(PER_COIN * coins, MOST - waiting))


def spread(number: int, coins: int) -> list[int]:
    """How many payments hang on each coin, as evenly as can be."""
    least, more = divmod(number, coins)
    return [least + (index < more) for index in range(coins)]


async def _chain(purse: Rpc, coin: Mapping[str, Any], count: int) -> list[str]:
    """Payments in a row, each from the change of the one before."""
    source, sent = {"txid": coin["txid"], "vout": coin["vout"]}, list[str]()
    for _ in range(count):
        to = await purse.call("getnewaddress", "send", "bech32")
        options = {"inputs": [source], "add_inputs": False, "change_position": 1}
        paid = await purse.call("send", [{to: AMOUNT}], None, "unset", FEE_RATE, options)
        source = {"txid": paid["txid"], "vout": 1}
        sent.append(paid["txid"])
    return sent


def _too_many(number: int, coins: int, waiting: int) -> Failed:
    have = f"{coins} free and confirmed coins of at least {LEAST}; {waiting} wait in the mempool"
    what = f"{number} can't be sent now, only {room(coins, waiting)}: {have}"
    why = f"{PER_COIN} hang on a coin at most, {MOST} wait at a time"
    return _refusal(what, f"{why}; shiftboss mine 1 confirms them and ripens another coin")


async def _partners(bench: Workbench, *, blocks: bool) -> tuple[Rpc, Rpc]:
    """Clients for the daemon and its wallet, which both have to be ready; `blocks`: they are to be made at will."""
    chain = chain_of(bench)
    if not chain.wallet or (blocks and not everybody_mines(bench)):
        what = "blocks can't be made at will" if chain.wallet else "nothing is made or sent"
        raise _refusal(f"{what} on {chain.name}", "Name a regtest environment with --env")
    seen = await probe_daemon(bench)
    if seen.health is not Health.READY:
        raise Failed(seen.failure or FailureKind.DIED, f"the daemon is not ready: {seen.summary}")
    node = rpc(bench, timeout=SECONDS)
    name = wallet.name(bench)
    if not wallet.address(bench) or name not in await node.call("listwallets"):
        raise Failed(FailureKind.WALLET_NOT_LOADED, f"wallet {name} is not ready")
    return node, rpc(bench, name, timeout=SECONDS)


async def _generate(bench: Workbench, node: Rpc, number: int, address: str) -> list[str]:
    found: list[str] = []
    most = CHUNK if chain_of(bench).generates else 1
    while len(found) < number:
        found += await node.call("generatetoaddress", min(most, number - len(found)), address, TRIES)
    return found


async def _keep(bench: Workbench, node: Rpc) -> None:
    """The blocks survive a kill, and our note of the tip is the chain's."""
    await wallet.checkpoint(node)
    if not adopted(bench):
        await remember(bench, node)


def _refusal(what: str, remedy: str) -> Failed:
    return Failed(FailureKind.CONFIG, what, {"remedy": remedy})
