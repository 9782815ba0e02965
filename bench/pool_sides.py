"""The two servers that are compared: our pool in front of a real daemon, and the floor under it (pool_floor.py)."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pool_floor
from pool_client import Client
from pool_parts import Daemon, Pool

ADDRESS = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
"""BIP173's example of a test address: nothing is ever paid to it here."""
POLL_SECONDS = 0.2
"""Between two looks at the daemon's tip: the pool's default."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """A server in a process of its own."""

    port: int
    pid: int
    subscribes: bool  #: whether a new miner is told of a job

    async def client(self) -> Client:
        """A new connection that has got all it gets at first."""
        client = await Client.connect(self.port)
        if self.subscribes:
            await client.subscribe()
        else:
            await client.hand_in([b"{}\n"])
        return client

    def cpu_seconds(self) -> float:
        """What the process has used of the processor so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """What the process holds of memory now."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024 / 1e6


class Both(NamedTuple):
    """The pool, the floor under it, and the pool's daemon."""

    pool: Side
    floor: Side
    daemon: Daemon


@asynccontextmanager
async def both(folder: Path, chain: str) -> AsyncIterator[Both]:
    """A daemon, a pool with its defaults in front of it, and a floor whose lines are as long."""
    daemon = Daemon(folder / "data", chain)
    try:
        await daemon.start()
        address = await daemon.fund() if chain == "regtest" else ADDRESS
        with Pool(folder / "pool", daemon, address, poll_seconds=POLL_SECONDS, log_level="info") as pool:
            await pool.ready()
            ours = Side(port=pool.port, pid=pool.process.pid, subscribes=True)
            with _floor(await _notify_bytes(ours)) as floor:
                yield Both(ours, floor, daemon)
    finally:
        daemon.stop()


async def _notify_bytes(side: Side) -> int:
    client = await side.client()
    client.transport.abort()
    return len(client.notify) + 1


@contextmanager
def _floor(size: int) -> Iterator[Side]:
    command = [sys.executable, pool_floor.__file__, str(size)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield Side(port=int(process.stdout.readline()), pid=process.pid, subscribes=False)
    finally:
        process.kill()
        process.communicate()
