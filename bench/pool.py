"""What the pool sustains: verified shares with 500 miners connected where a share is no block, and blocks on regtest.

The miners are the tests' raw Stratum client (tests/mining/raw_stratum.py), which shares no code with the pool. Shares
are solved before the clock starts; then the pool's one process verifies and answers them on its own core.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import NamedTuple

import real
from measure import Figure
from pool_parts import Daemon, Pool
from raw_stratum import RawMiner, Solved

CLIENTS = 500
ADDRESS = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
"""BIP173's example of a test address: nothing is ever paid to it here."""


class Work(NamedTuple):
    """How fast shares were taken, and what that took of the pool."""

    rate: float
    cores: float
    megabytes: float


def measure(*, quick: bool) -> list[Figure]:
    """All figures, each over several rounds on one pool."""
    os.environ["SHIFTBOSS_TEST_BITCOIND"] = str(real.bitcoind())
    with real.folder() as folder:
        shares = asyncio.run(_shares(folder / "testnet4", rounds=3 if quick else 7, each=4 if quick else 10))
        blocks = asyncio.run(_blocks(folder / "regtest", rounds=3 if quick else 7, each=50 if quick else 200))
    rates, cores, memory = zip(*shares, strict=True)
    name = f"{CLIENTS} miners"
    return [
        Figure(name=f"verified shares, {name}", unit="/s", values=rates, at_least=1000),
        Figure(name=f"verified shares per core second, {name}", unit="/s", values=cores),
        Figure(name=f"the pool's memory, {name}", unit="MB", values=memory, at_most=60),
        Figure(name="blocks on regtest, one miner", unit="/s", values=blocks),
    ]


async def _shares(folder: Path, *, rounds: int, each: int) -> list[Work]:
    daemon = Daemon(folder / "data", "testnet4")
    try:
        await daemon.start()
        with Pool(folder / "pool", daemon, ADDRESS) as pool:
            await pool.ready()
            miners = [await RawMiner.ready(pool.port, f"raw.{number}") for number in range(CLIENTS)]
            found = [await _round(miners, pool, each) for _ in range(rounds)]
            await asyncio.gather(*(one.close() for one in miners))
            return found
    finally:
        daemon.stop()


async def _round(miners: list[RawMiner], pool: Pool, each: int) -> Work:
    """Every miner hands in its shares, each when the one before is answered."""
    solved = [[one.solve() for _ in range(each)] for one in miners]
    before, start = _cpu_seconds(pool.process.pid), time.perf_counter()
    await asyncio.gather(*(_hand_in(*pair) for pair in zip(miners, solved, strict=True)))
    passed, busy = time.perf_counter() - start, _cpu_seconds(pool.process.pid) - before
    total = len(miners) * each
    return Work(total / passed, total / busy, _megabytes(pool.process.pid))


async def _hand_in(miner: RawMiner, shares: list[Solved]) -> None:
    for share in shares:
        answer = await miner.hand_in(share)
        if answer != (True, None):
            raise RuntimeError(f"a good share was refused: {answer}")


async def _blocks(folder: Path, *, rounds: int, each: int) -> list[float]:
    daemon = Daemon(folder / "data")
    try:
        await daemon.start()
        with Pool(folder / "pool", daemon, await daemon.fund()) as pool:
            await pool.ready()
            miner = await RawMiner.ready(pool.port)
            rates = [await _mine(miner, each) for _ in range(rounds)]
            await miner.close()
            return rates
    finally:
        daemon.stop()


async def _mine(miner: RawMiner, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        await _hand_in(miner, [miner.solve()])
    return count / (time.perf_counter() - start)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024 / 1e6
