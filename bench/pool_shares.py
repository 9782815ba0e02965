"""Shares and connections, on testnet4: no share is a block there, so the tip and the jobs stay.

Ours and the floor under it take turns; both get the same lines, which were solved before.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from pool_client import Client
from pool_sides import Both, Side
from raw_stratum import Job, RawMiner

Values = dict[str, list[float]]


async def connections(servers: Both, count: int, rounds: int) -> Values:
    """So many miners at once: how fast all of them have a first job (at the floor: an answer)."""
    found: Values = {"connections pool": [], "connections floor": []}
    for _ in range(rounds):
        found["connections pool"].append(await _connect(servers.pool, count))
        found["connections floor"].append(await _connect(servers.floor, count))
    return found


async def _connect(side: Side, count: int) -> float:
    start = time.perf_counter()
    clients = await asyncio.gather(*(side.client() for _ in range(count)))
    passed = time.perf_counter() - start
    for client in clients:
        client.transport.abort()
    (await side.client()).transport.abort()  # served only after the others were seen to go
    return count / passed


async def shares(servers: Both, count: int, rounds: int, each: int) -> Values:
    """So many miners hand in shares, each the next one when the one before is answered."""
    names = [f"{what} {side}" for side in ("pool", "floor") for what in ("rate", "core rate", "memory")]
    found: Values = {name: [] for name in names}
    async with _miners(servers, count) as miners:
        for _ in range(rounds):
            lines = [one.lines(each) for one in miners]
            await _hand_in("pool", servers.pool, [one.client for one in miners], lines, found)
            await _hand_in("floor", servers.floor, [one.other for one in miners], lines, found)
    return found


async def _hand_in(
    name: str, side: Side, clients: Sequence[Client], lines: Sequence[Iterable[bytes]], found: Values
) -> None:
    total = sum(len(list(one)) for one in lines)
    before, start = side.cpu_seconds(), time.perf_counter()
    await asyncio.gather(*(one.hand_in(some) for one, some in zip(clients, lines, strict=True)))
    passed, busy = time.perf_counter() - start, side.cpu_seconds() - before
    found[f"rate {name}"].append(total / passed)
    found[f"core rate {name}"].append(total / max(busy, 0.01))
    found[f"memory {name}"].append(side.megabytes())


class _Miner:
    """A miner at the pool, and a client at the floor that sends the same."""

    def __init__(self, raw: RawMiner, other: Client) -> None:
        self.raw = raw
        self.client = Client()
        self.other = other
        self.client.take_over(raw.writer.transport)

    def lines(self, count: int) -> list[bytes]:
        """So many solved shares on the newest job, as they are sent."""
        if self.client.notify:
            *head, branch, version, bits, at, clean = json.loads(self.client.notify)["params"]
            self.raw.jobs.append(Job(*head, tuple(branch), version, bits, at, clean))
        solved = [self.raw.solve() for _ in range(count)]
        asked = [[self.raw.worker, one.job.id, one.extranonce2, one.time, one.nonce] for one in solved]
        return [json.dumps({"id": 1000, "method": "mining.submit", "params": one}).encode() + b"\n" for one in asked]


@asynccontextmanager
async def _miners(servers: Both, count: int) -> AsyncIterator[list[_Miner]]:
    raw = [await RawMiner.ready(servers.pool.port, f"raw.{number}") for number in range(count)]
    miners = [_Miner(one, await servers.floor.client()) for one in raw]
    try:
        yield miners
    finally:
        for one in miners:
            one.other.transport.abort()
        await asyncio.gather(*(one.close() for one in raw))
