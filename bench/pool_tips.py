"""New tips, on regtest: how soon each of many miners is told, whether the block is ours or came from elsewhere."""

import asyncio
import statistics
import time
from collections.abc import Sequence

from pool_client import Client, told
from pool_floor import TIP
from pool_parts import Daemon
from pool_shares import Values
from pool_sides import POLL_SECONDS, Both
from raw_stratum import RawMiner

GOLDEN = 0.618


async def tips(servers: Both, count: int, rounds: int) -> Values:
    """In milliseconds: the miner in the middle and the last one, for each kind of tip and for the floor."""
    found: Values = {}
    miner = await RawMiner.ready(servers.pool.port)
    ours = [await servers.pool.client() for _ in range(count)]
    theirs = [await servers.floor.client() for _ in range(count)]
    for number in range(rounds):
        _note(found, "own", await _own_block(miner, ours))
        _note(found, "floor", await _floor_tip(theirs))
        await asyncio.sleep(number * GOLDEN % 1 * POLL_SECONDS)  # anywhere between two looks of the pool
        known = len(miner.jobs)
        _note(found, "foreign", await _foreign_block(servers.daemon, ours))
        await miner.until(lambda known=known: len(miner.jobs) > known)
    for client in (*ours, *theirs):
        client.transport.abort()
    await miner.close()
    return found


async def blocks(servers: Both, rounds: int, each: int) -> Values:
    """Blocks a second that one miner brings to the chain."""
    miner = await RawMiner.ready(servers.pool.port)
    rates = [await _mine(miner, each) for _ in range(rounds)]
    await miner.close()
    return {"blocks": rates}


def _note(found: Values, name: str, seconds: Sequence[float]) -> None:
    found.setdefault(f"{name} middle", []).append(statistics.median(seconds) * 1000)
    found.setdefault(f"{name} last", []).append(max(seconds) * 1000)


async def _own_block(miner: RawMiner, clients: Sequence[Client]) -> list[float]:
    """From handing in a share that is a block until each miner is told of the next one."""
    share = miner.solve()
    _forget(clients)
    start = time.perf_counter()
    answer = miner.hand_in(share)
    seconds = await told(clients, start)
    _must_be_good(await answer)
    return seconds


async def _floor_tip(clients: Sequence[Client]) -> list[float]:
    _forget(clients)
    start = time.perf_counter()
    clients[0].transport.write(TIP)
    return await told(clients, start)


async def _foreign_block(daemon: Daemon, clients: Sequence[Client]) -> list[float]:
    """From the daemon's answer to `generatetoaddress` until each miner is told."""
    address = await daemon.rpc.for_wallet("w").call("getnewaddress")
    _forget(clients)
    await daemon.rpc.call("generatetoaddress", 1, address)
    return await told(clients, time.perf_counter())


def _forget(clients: Sequence[Client]) -> None:
    for client in clients:
        client.told.clear()


async def _mine(miner: RawMiner, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        _must_be_good(await miner.hand_in(miner.solve()))
    return count / (time.perf_counter() - start)


def _must_be_good(answer: tuple[object, object]) -> None:
    if answer != (True, None):
        raise RuntimeError(f"a good share was refused: {answer}")
