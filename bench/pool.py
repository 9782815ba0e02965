"""What the pool sustains, and how soon it tells its miners of a new tip, beside a server that judges nothing.

One client (pool_client.py) asks both, in turn, with the same lines. Shares are solved before the clock starts, by the
tests' raw Stratum client (tests/mining/raw_stratum.py), which shares no code with the pool.
"""

import asyncio
import os
import resource
from pathlib import Path

import real
from measure import Figure, ratio
from pool_shares import Values, connections, shares
from pool_sides import both
from pool_tips import blocks, tips

CLIENTS, MANY = 500, 1800


def measure(*, quick: bool) -> list[Figure]:
    """All figures, each over several rounds."""
    os.environ["SHIFTBOSS_TEST_BITCOIND"] = str(real.bitcoind())
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with real.folder() as folder:
        found = asyncio.run(_testnet4(folder / "testnet4", rounds=2 if quick else 7, each=4 if quick else 20))
        found |= asyncio.run(_regtest(folder / "regtest", rounds=5 if quick else 21))
    return [*_share_figures(found), *_connection_figures(found), *_tip_figures(found)]


async def _testnet4(folder: Path, *, rounds: int, each: int) -> Values:
    async with both(folder, "testnet4") as servers:
        found = await shares(servers, CLIENTS, rounds=rounds, each=each)
        return found | await connections(servers, MANY, rounds=rounds)


async def _regtest(folder: Path, *, rounds: int) -> Values:
    async with both(folder, "regtest") as servers:
        found = await tips(servers, CLIENTS, rounds=rounds)
        return found | await blocks(servers, rounds=max(2, rounds // 3), each=100)


def _share_figures(found: Values) -> list[Figure]:
    ours, floor = f"{CLIENTS} miners", f"{CLIENTS} clients of a server that judges nothing"
    return [
        Figure(name=f"verified shares, {ours}", unit="/s", values=found["rate pool"], at_least=1000),
        Figure(name=f"answered lines, {floor}", unit="/s", values=found["rate floor"]),
        ratio("shares a second, pool / floor", found["rate pool"], found["rate floor"]),
        Figure(name=f"verified shares per core second, {ours}", unit="/s", values=found["core rate pool"]),
        Figure(name=f"answered lines per core second, {floor}", unit="/s", values=found["core rate floor"]),
        ratio("a share's core time, pool / floor", found["core rate floor"], found["core rate pool"]),
        Figure(name=f"the pool's memory, {ours}", unit="MB", values=found["memory pool"], at_most=60),
        Figure(name=f"memory, {floor}", unit="MB", values=found["memory floor"]),
        ratio("memory, pool / floor", found["memory pool"], found["memory floor"]),
    ]


def _connection_figures(found: Values) -> list[Figure]:
    pool, floor = found["connections pool"], found["connections floor"]
    return [
        Figure(name=f"new miners with a first job, {MANY} at once", unit="/s", values=pool),
        Figure(name=f"new connections with an answer, {MANY} at once, floor", unit="/s", values=floor),
        ratio("connections a second, pool / floor", pool, floor),
    ]


def _tip_figures(found: Values) -> list[Figure]:
    own = f"own block: handed in until told, {CLIENTS} miners"
    foreign = f"other tip: the daemon's answer until told, {CLIENTS} miners"
    return [
        Figure(name=f"{own}, the middle one", unit="ms", values=found["own middle"]),
        Figure(name=f"{own}, the last one", unit="ms", values=found["own last"]),
        Figure(name="floor: asked until told, the last one", unit="ms", values=found["floor last"]),
        ratio("own block until the last is told, pool / floor", found["own last"], found["floor last"]),
        Figure(name=f"{foreign}, the middle one", unit="ms", values=found["foreign middle"]),
        Figure(name=f"{foreign}, the last one", unit="ms", values=found["foreign last"]),
        Figure(name="blocks on regtest, one miner", unit="/s", values=found["blocks"]),
    ]
