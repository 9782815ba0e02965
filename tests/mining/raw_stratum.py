"""A raw Stratum v1 client for tests, written from the protocol alone.

It shares no code with the pool or the miner on purpose: it builds coinbase, merkle root, header and the whole
block by itself, so that a mistake the programs make together is still seen.
"""

import asyncio
import json
import struct
from dataclasses import dataclass, field
from hashlib import sha256


def double(data: bytes) -> bytes:
    return sha256(sha256(data).digest()).digest()


@dataclass(frozen=True)
class Job:
    id: str
    previous: str
    first: str
    second: str
    branch: tuple
    version: str
    bits: str
    time: str
    clean: bool


@dataclass(frozen=True)
class Solved:
    job: Job
    extranonce2: str
    time: str
    nonce: str
    header: bytes
    coinbase: bytes

    @property
    def hash(self) -> str:
        return double(self.header)[::-1].hex()

    def block(self, transactions: list) -> str:
        """The block in hex, from the share and the raw transactions after the coinbase; witness form (BIP144)."""
        base = self.coinbase
        witnessed = base[:4] + bytes.fromhex("0001") + base[4:-4] + bytes.fromhex("0120") + bytes(32) + base[-4:]
        count = bytes([1 + len(transactions)])  # the tests use fewer than 253 transactions
        return self.header.hex() + count.hex() + witnessed.hex() + "".join(transactions)


@dataclass
class RawMiner:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    worker: str = "raw.1"
    jobs: list = field(default_factory=list)
    difficulty: float = 1.0
    extranonce1: str = ""
    extranonce2_size: int = 0
    closed: bool = False
    _waiting: dict = field(default_factory=dict)
    _number: int = 0
    _extranonce2: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task | None = None

    @classmethod
    async def connect(cls, port: int, worker: str = "raw.1") -> "RawMiner":
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        self = cls(reader, writer, worker)
        self._task = asyncio.create_task(self._listen())
        return self

    @classmethod
    async def ready(cls, port: int, worker: str = "raw.1") -> "RawMiner":
        """Connected, subscribed, authorized, with a job."""
        self = await cls.connect(port, worker)
        await self.subscribe()
        assert await self.call("mining.authorize", [worker, "x"]) == (True, None)
        await self.until(lambda: self.jobs)
        return self

    async def subscribe(self) -> None:
        result, error = await self.call("mining.subscribe", ["raw"])
        assert error is None
        _, self.extranonce1, self.extranonce2_size = result

    async def call(self, method: str, params: list) -> tuple:
        return await self.send(method, params)

    def send(self, method: str, params: list) -> asyncio.Future:
        """Send without waiting; the future holds (result, error)."""
        self._number += 1
        future = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = future
        self.writer.write(json.dumps({"id": self._number, "method": method, "params": params}).encode() + b"\n")
        return future

    async def until(self, condition, seconds: float = 20.0) -> None:
        """Wait for something to become true with the messages that come in."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def solve(self, job: Job | None = None, *, time: str | None = None, hard_enough: bool = True) -> Solved:
        """A share for a job, or (hard_enough=False) a nonce that misses the share target."""
        job = job or self.jobs[-1]
        self._extranonce2 += 1
        extranonce2 = self._extranonce2.to_bytes(self.extranonce2_size, "big").hex()
        time = time or job.time
        coinbase = bytes.fromhex(job.first + self.extranonce1 + extranonce2 + job.second)
        root = double(coinbase)
        for node in job.branch:
            root = double(root + bytes.fromhex(node))
        previous = struct.pack("<8I", *struct.unpack(">8I", bytes.fromhex(job.previous)))
        prefix = struct.pack("<I", int(job.version, 16)) + previous + root
        prefix += struct.pack("<II", int(time, 16), int(job.bits, 16))
        target = int(0xFFFF * 2**208 / self.difficulty)
        for nonce in range(1 << 32):
            header = prefix + struct.pack("<I", nonce)
            if (int.from_bytes(double(header), "little") <= target) is hard_enough:
                return Solved(job, extranonce2, time, f"{nonce:08x}", header, coinbase)
        raise AssertionError("no nonce found")

    def hand_in(self, solved: Solved, **other: str) -> asyncio.Future:
        """Submit a share; named fields replace its own."""
        fields = {
            "worker": self.worker,
            "job": solved.job.id,
            "extranonce2": solved.extranonce2,
            "time": solved.time,
            "nonce": solved.nonce,
        }
        return self.send("mining.submit", list({**fields, **other}.values()))

    async def close(self) -> None:
        self._task.cancel()
        self.writer.close()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        try:
            while line := await self.reader.readline():
                self._message(json.loads(line))
                self._news.set()
        except OSError:
            pass
        self.closed = True
        for future in self._waiting.values():
            if not future.done():
                future.set_result((None, "closed"))
        self._news.set()

    def _message(self, message: dict) -> None:
        method = message.get("method")
        if method == "mining.notify":
            *head, branch, version, bits, time, clean = message["params"]
            self.jobs.append(Job(*head, tuple(branch), version, bits, time, clean))
        elif method == "mining.set_difficulty":
            (self.difficulty,) = message["params"]
        else:
            self._waiting.pop(message["id"]).set_result((message["result"], message["error"]))
