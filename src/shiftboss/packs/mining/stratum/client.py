"""The miner's side of one Stratum connection, for one worker name.

Called by `dispatch`. It connects, subscribes, authorizes, keeps the newest job, and connects again with growing
pauses when the connection ends. It must not hash: it only says what to hash (`order`) and hands in what was found.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from shiftboss.packs.mining.stratum.hashing import Work, header_prefix, search
from shiftboss.packs.mining.stratum.log import Log
from shiftboss.packs.mining.stratum.merkle import double_sha256, root_of
from shiftboss.packs.mining.stratum.share import STALE
from shiftboss.packs.mining.stratum.target import target_of_bits, target_of_difficulty

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
ANSWER_SECONDS = 15.0
MAX_LINE = 1024 * 1024  #: bytes; foreign pools may send long coinbases


class PoolTrouble(Exception):
    """The connection is of no more use; the text says why."""


class PoolRefuses(PoolTrouble):
    """The pool answered a request with an error; the connection goes on."""

    def __init__(self, text: str, code: object = None) -> None:
        self.code = code
        super().__init__(text)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to hash, and what to tell the pool when it is found."""

    client: "PoolClient"
    job: list[Any]  #: the parameters of mining.notify
    job_id: str
    extranonce2: str
    time: str
    work: Work
    network: int  #: the target of a block

    def makes_block(self, nonce: int) -> bool:
        """Whether a nonce makes a block, and not just a share."""
        return search(replace(self.work, target=self.network), nonce, 1) is not None


@dataclass(kw_only=True)
class ClientFacts:
    """What is known of one connection, as the status file shows it."""

    connected: bool = False
    authorized: bool = False
    job_id: str | None = None
    job_time: float | None = None  #: Unix seconds at which the job came
    accepted: int = 0
    rejected: int = 0
    stale: int = 0  #: of the rejected: too late, because the pool had gone on to another job
    last_share: float | None = None
    last_error: str | None = None


class PoolClient:
    """One worker's connection to the pool."""

    def __init__(self, at: tuple[str, int], worker: str, log: Log, changed: Callable[[], None]) -> None:
        self._at = at
        self._log = log
        self._changed = changed
        self._writer: asyncio.StreamWriter | None = None
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._extranonce1 = b""
        self._extranonce2_size = 0
        self._next_extranonce2 = 0
        self._target = target_of_difficulty(1.0)
        self._job: list[Any] | None = None
        self._was_in = False  # the last connection got as far as an accepted log-in
        self._gave_up = False  # we ended the connection ourselves, and have said why
        self.worker = worker
        self.facts = ClientFacts()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        pause = FIRST_PAUSE
        while True:
            self._gave_up = False
            try:
                await self._one_connection()
            except (OSError, PoolTrouble) as error:
                self._lost(error)
            self._changed()
            await asyncio.sleep(pause)
            pause = FIRST_PAUSE if self._was_in else min(pause * 2, LONGEST_PAUSE)

    def order(self) -> Order | None:
        """A piece of work that nobody else has; None while there is no job."""
        if self._job is None or not self.facts.authorized:
            return None
        size = self._extranonce2_size
        extranonce2 = self._next_extranonce2.to_bytes(size, "big")
        self._next_extranonce2 = (self._next_extranonce2 + 1) % (1 << 8 * size)
        return self._order(self._job, extranonce2)

    def current(self, order: Order) -> bool:
        """Whether an order is on the newest job."""
        return self.facts.authorized and order.job is self._job

    async def submit(self, order: Order, nonce: int) -> bool:
        """Hand in a nonce; true when the pool takes it, false when it refuses or the connection ends."""
        params = [self.worker, order.job_id, order.extranonce2, order.time, f"{nonce:08x}"]
        try:
            await self._call("mining.submit", params)
        except PoolTrouble as error:
            if isinstance(error, PoolRefuses):
                self.facts.rejected += 1
                # Called stale while nothing newer is here, it is refused work: nobody can be faster than that.
                self.facts.stale += error.code == STALE and not self.current(order)
            self._note_error("share refused", error)
            return False
        self.facts.accepted += 1
        self.facts.last_error = None
        self.facts.last_share = time.time()
        self._log.debug("share accepted", worker=self.worker, job=order.job_id)
        self._changed()
        return True

    async def _one_connection(self) -> None:
        reader, self._writer = await asyncio.open_connection(*self._at, limit=MAX_LINE)
        self.facts.connected = True
        self._was_in = False
        hello = asyncio.create_task(self._hello())
        try:
            await self._read(reader)
        finally:
            hello.cancel()
            self._writer.transport.abort()
            self._forget()
            await asyncio.gather(hello, return_exceptions=True)

    def _forget(self) -> None:
        """Nothing of an ended connection is of use to the next one."""
        self._writer = self._job = None
        self.facts.connected = self.facts.authorized = False
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(PoolTrouble("the connection ended before the pool answered"))
        self._answers.clear()

    async def _hello(self) -> None:
        try:
            self._subscribed(await self._call("mining.subscribe", ["shiftboss-miner"]))
            await self._call("mining.authorize", [self.worker, "x"])
        except (PoolTrouble, TypeError, ValueError, LookupError) as error:
            self._note_error("pool log-in failed", error)
            self._hang_up()
            return
        self.facts.authorized = self._was_in = True
        self.facts.last_error = None
        self._log.info("connected to the pool", worker=self.worker, pool=f"{self._at[0]}:{self._at[1]}")
        self._changed()

    def _subscribed(self, session: Any) -> None:
        self._extranonce1, self._extranonce2_size = bytes.fromhex(session[1]), int(session[2])
        if not 1 <= self._extranonce2_size <= 16:
            raise PoolTrouble(f"the pool gives {self._extranonce2_size} bytes of extranonce2")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                raise PoolTrouble("the pool closed the connection") from None
            except asyncio.LimitOverrunError:
                raise PoolTrouble(f"the pool sent a line longer than {MAX_LINE} bytes") from None
            self._message(line)

    def _message(self, line: bytes) -> None:
        try:
            message: Any = json.loads(line)
            if message.get("method") is None:
                self._answer(message)
            elif message["method"] == "mining.notify":
                self._notify(message["params"])
            elif message["method"] == "mining.set_difficulty":
                self._target = target_of_difficulty(float(message["params"][0]))
            elif message["method"] == "client.reconnect":
                raise PoolTrouble("the pool asks to connect again")
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise PoolTrouble(f"the pool sent something unreadable ({type(error).__name__})") from None

    def _notify(self, params: list[Any]) -> None:
        order = self._order(params, bytes(self._extranonce2_size))  # an unreadable job is noticed here
        self._job = params
        self.facts.job_id = order.job_id
        self.facts.job_time = time.time()
        self._changed()

    def _answer(self, message: Any) -> None:
        answer = self._answers.pop(message.get("id"), None)
        if answer is None or answer.done():
            return
        error: Any = message.get("error")
        if error is not None or message.get("result") is False:
            code, text = cast("list[Any]", error)[:2] if isinstance(error, list) else (None, error or "refused")
            answer.set_exception(PoolRefuses(str(text) if code is None else f"{text} (code {code})", code))
        else:
            answer.set_result(message.get("result"))

    async def _call(self, method: str, params: list[Any]) -> Any:
        if self._writer is None:
            raise PoolTrouble("not connected")
        self._number += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[self._number] = answer
        message = {"id": self._number, "method": method, "params": params}
        self._writer.write(json.dumps(message).encode() + b"\n")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            self._hang_up()
            raise PoolTrouble(f"no answer to {method} within {ANSWER_SECONDS:g} s") from None

    def _order(self, job: list[Any], extranonce2: bytes) -> Order:
        job_id, previous, first, second, branch, version, bits, seconds = job[:8]
        coinbase = bytes.fromhex(first) + self._extranonce1 + extranonce2 + bytes.fromhex(second)
        root = root_of(double_sha256(coinbase), [bytes.fromhex(node) for node in cast("list[str]", branch)])
        prefix = header_prefix(version=version, previous=previous, root=root, time=seconds, bits=bits)
        return Order(
            client=self,
            job=job,
            job_id=job_id,
            extranonce2=extranonce2.hex(),
            time=seconds,
            work=Work(prefix=prefix, target=self._target),
            network=target_of_bits(int(bits, 16)),
        )

    def _hang_up(self) -> None:
        self._gave_up = True
        if self._writer is not None:
            self._writer.transport.abort()

    def _lost(self, error: Exception) -> None:
        if self._gave_up:
            return
        text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        self._note_error("no connection to the pool", PoolTrouble(text))

    def _note_error(self, event: str, error: Exception) -> None:
        text = f"{event}: {error}"
        if text != self.facts.last_error:
            self._log.warning(event, worker=self.worker, why=str(error))
        self.facts.last_error = text
        self._changed()
