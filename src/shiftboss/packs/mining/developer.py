"""What a pool developer does to a running stack by hand: blocks at once, a reorganisation, payments.

Called by acting.py for the verbs mine, reorg and send. No part of any run and not journalled, as with bitcoin-cli; but
our note of the chain's tip stays true, so that nobody takes a reorganisation for a loss. Our miner may go on meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health
from shiftboss.model.value import Value
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

CHUNK = 50
"""Blocks asked for at a time where they cost nothing: an interrupt waits for no more than these."""

MOST_BLOCKS = 100_000
"""Blocks made by one call: more is a slip of the finger."""

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


class Deed(Value):
    """A contracts.Act, and what finds out beforehand whether it is possible at all; both raise Failed."""

    check: Callable[[Workbench, int], Awaitable[None]]
    do: Callable[[Workbench, int], Awaitable[Mapping[str, object]]]

    async def __call__(self, bench: Workbench, number: int) -> Mapping[str, object]:
        """Do it; when it is cut short, the error's notes (cancelled) or changes (failed) say what was done."""
        return await self.do(bench, number)


async def _can_mine(bench: Workbench, number: int) -> None:
    with telling([]):
        await _partners(bench, blocks=True)
    if number > MOST_BLOCKS:
        raise _refusal(f"{number} blocks are too many at once", f"Give a number up to {MOST_BLOCKS}")


async def _mine(bench: Workbench, number: int) -> Mapping[str, object]:
    """Make blocks at once, paid to the wallet."""
    found: list[str] = []
    with _owning_up(lambda: f"{len(found)} of {number} blocks were made"):
        node, _ = await _partners(bench, blocks=True)
        before = int(await node.call("getblockcount"))
        try:
            await _generate(bench, node, number, wallet.address(bench), found)
        except asyncio.CancelledError:
            await _keep(bench, node)
            raise
        await _keep(bench, node)
        after = int((await node.call("getblockheader", found[-1]))["height"])
        return {"height_before": before, "height_after": after, "newest_block": found[-1]}


async def _can_reorg(bench: Workbench, number: int) -> None:
    with telling([]):
        node, _ = await _partners(bench, blocks=True)
        height = int(await node.call("getblockcount"))
    if number > height:
        raise _refusal(f"the chain has only {height} blocks", f"Give a number up to {height}")


async def _reorg(bench: Workbench, number: int) -> Mapping[str, object]:
    """Replace the newest blocks by one more of others; once begun it is brought to its end, also when cancelled."""
    done: list[Mapping[str, object]] = []  # else the daemon would go on with its half of it, and leave a shorter chain
    with _owning_up(lambda: _turned(done)):
        node, purse = await _partners(bench, blocks=True)
        height = int(await node.call("getblockcount"))
        address = await purse.call("getnewaddress", "reorg", "bech32")  # other blocks than before, in the same second
        await _to_the_end(_noted(done, _turn(bench, node, height - number, address)))
        return done[0]


def _turned(done: Sequence[Mapping[str, object]]) -> str:
    if not done:
        return "the reorganisation was not brought to its end"
    return f"the reorganisation was brought to its end: the new height is {done[0]['height']}"


async def _to_the_end(work: Awaitable[None]) -> None:
    """Wait for something that must not be left half done; a cancellation goes on after it."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # looked at: the cancellation goes before it
        raise


async def _noted(where: list[Any], work: Awaitable[Any]) -> None:
    where.append(await work)


@contextmanager
def _owning_up(so_far: Callable[[], str]) -> Generator[None]:
    """Whatever cuts an act short is typed, and tells what was done before."""
    try:
        with telling([]):
            yield
    except asyncio.CancelledError as stop:
        stop.add_note(so_far())
        raise
    except Failed as error:
        error.changes.append(so_far())
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
            await _generate(bench, node, missing, address, [])
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


async def _can_send(bench: Workbench, number: int) -> None:
    with telling([]):
        _, purse = await _partners(bench, blocks=False)
        coins, tied = await _coins(purse)
        node = rpc(bench, timeout=SECONDS)
        waiting = int((await node.call("getmempoolinfo"))["size"])
    if number > room(len(coins), waiting):
        advice = _how_to_send(room(len(coins), waiting)) if everybody_mines(bench) else _ELSEWHERE
        raise _refusal(_too_many(number, len(coins), waiting, tied=tied), advice)


async def _coins(purse: Rpc) -> tuple[list[Mapping[str, Any]], bool]:
    """The confirmed coins that can carry payments, and whether others wait for a block."""
    listed: Sequence[Mapping[str, Any]] = await purse.call("listunspent", 0)
    good = [coin for coin in listed if coin["spendable"] and coin["amount"] >= LEAST and coin["confirmations"]]
    return good, any(not coin["confirmations"] for coin in listed)


async def _send(bench: Workbench, number: int) -> Mapping[str, object]:
    """Put payments of the wallet to itself into the mempool, each to another address, spread over its coins."""
    sent: list[str] = []
    with _owning_up(lambda: f"{len(sent)} of {number} payments were sent"):
        node, purse = await _partners(bench, blocks=False)
        coins, _ = await _coins(purse)
        if not coins:  # somebody has spent them since they were looked at
            raise Failed(FailureKind.CONFIG, "the wallet has no confirmed coin any more")
        for coin, count in zip(coins, spread(number, len(coins)), strict=True):
            await _chain(purse, coin, count, sent)
        size = (await node.call("getmempoolinfo"))["size"]
        return {"sent": len(sent), "coins_used": min(number, len(coins)), "mempool": size, "txids": sent}


def room(coins: int, waiting: int) -> int:
    """How many payments can be sent."""
    return max(0, min(PER_COIN * coins, MOST - waiting))


def spread(number: int, coins: int) -> list[int]:
    """How many payments hang on each coin, as evenly as can be."""
    least, more = divmod(number, coins)
    return [least + (index < more) for index in range(coins)]


async def _chain(purse: Rpc, coin: Mapping[str, Any], count: int, sent: list[str]) -> None:
    """Payments in a row, each from the change of the one before."""
    source = {"txid": coin["txid"], "vout": coin["vout"]}
    for _ in range(count):
        to = await purse.call("getnewaddress", "send", "bech32")
        await _to_the_end(_pay(purse, to, source, sent))
        source = {"txid": sent[-1], "vout": 1}


async def _pay(purse: Rpc, to: str, source: Mapping[str, Any], sent: list[str]) -> None:
    options = {"inputs": [source], "add_inputs": False, "change_position": 1}
    sent.append(await wallet.pay(purse, to, AMOUNT, FEE_RATE, **options))


_ELSEWHERE = "Blocks can't be made here, and no others come: name a regtest environment with --env"


def _how_to_send(most: int) -> str:
    """What to do where blocks are made at will."""
    first = f"shiftboss send {most}, then " if most else ""
    return f"{first}shiftboss mine 1 (it confirms what waits and ripens another coin), then the rest"


def _too_many(number: int, coins: int, waiting: int, *, tied: bool) -> str:
    """Why so many can't be sent; `tied`: the wallet has coins that wait for a block."""
    if not coins and tied:
        return f"{number} can't be sent now: the wallet's coins are tied up by payments that wait for a block"
    have = f"{coins} free and confirmed coins of at least {LEAST}, {PER_COIN} payments on each at most"
    limit = f"{waiting} payments wait in the mempool, {MOST} may at a time"
    return f"{number} can't be sent now, only {room(coins, waiting)}: {have}; {limit}"


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


async def _generate(bench: Workbench, node: Rpc, number: int, address: str, found: list[str]) -> None:
    """Make blocks in batches, and note them as `found`; a batch is brought to its end."""
    most = CHUNK if chain_of(bench).generates else 1

    async def batch() -> None:
        found.extend(await node.call("generatetoaddress", min(most, number - len(found)), address, TRIES))

    while len(found) < number:
        await _to_the_end(batch())


async def _keep(bench: Workbench, node: Rpc) -> None:
    """The blocks survive a kill, and our note of the tip is the chain's."""
    await wallet.checkpoint(node)
    if not adopted(bench):
        await remember(bench, node)


def _refusal(what: str, remedy: str) -> Failed:
    return Failed(FailureKind.CONFIG, what, {"remedy": remedy})


mine = Deed(check=_can_mine, do=_mine)
reorg = Deed(check=_can_reorg, do=_reorg)
send = Deed(check=_can_send, do=_send)
