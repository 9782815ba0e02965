"""The pool's common room: who is connected, what is being mined, what was found.

Sessions and the status page use it; `pool` builds it. It makes the one promise that keeps honest miners' shares valid:
a new job replaces the old ones in the same step in which it is sent, so a share is refused as stale only
on a connection that has already been sent the newer job.
"""

import asyncio
import json
import os
import time
from collections.abc import Coroutine
from typing import Any, Protocol

from shiftboss.packs.mining.stratum.config import PoolConfig
from shiftboss.packs.mining.stratum.job import JobBoard
from shiftboss.packs.mining.stratum.ledger import BlockNote, Ledger
from shiftboss.packs.mining.stratum.log import Log
from shiftboss.packs.mining.stratum.share import OTHER, Rejected, Share
from shiftboss.packs.mining.stratum.source import TemplateSource
from shiftboss.packs.mining.stratum.target import target_of_difficulty
from shiftboss.packs.mining.stratum.template import Template
from shiftboss.system.rpc import RpcFailure

#: The daemon's words for a valid block that came second; the share behind it was good.
SECOND = frozenset({"inconclusive", "duplicate", "duplicate-inconclusive"})


class Client(Protocol):
    """What the floor needs of a connection."""

    subscribed: bool

    def send(self, data: bytes) -> None:
        """Send bytes, or cut the connection if it does not take them."""
        ...

    def look(self, now: float) -> None:
        """Cut the connection if it has been silent for too long."""
        ...

    def cut(self, reason: str) -> None:
        """Close the connection at once."""
        ...


class Floor:
    """State shared by all connections of one pool."""

    def __init__(self, config: PoolConfig, log: Log) -> None:
        self.config = config
        self.log = log
        self.ledger = Ledger()
        self.target = target_of_difficulty(config.share_difficulty)
        self.source = TemplateSource(config, log, self.post)
        self.board = JobBoard(b"", config.coinbase_tag.encode())
        self.clients: set[Client] = set()
        self._next_extranonce = int.from_bytes(os.urandom(4))  # a restarted pool shall not repeat the last one's work
        self._submitting = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def pay_to(self, script: bytes) -> None:
        """Set the output script of whom to pay, before the first template."""
        self.board = JobBoard(script, self.config.coinbase_tag.encode())

    def new_extranonce(self) -> bytes:
        """An extranonce1 that no other connection has (it would take 2^32 connections to repeat)."""
        self._next_extranonce = (self._next_extranonce + 1) & 0xFFFFFFFF
        return self._next_extranonce.to_bytes(4, "big")

    def post(self, template: Template) -> None:
        """Make the template the current work and send it to every miner, in one step."""
        clean = self.board.post(template)
        line = self.notify_line(clean=clean)
        for client in tuple(self.clients):
            if client.subscribed:
                client.send(line)
        count = len(template.transactions)
        self.log.debug("job sent", height=template.height, clean=clean, transactions=count)

    def notify_line(self, *, clean: bool) -> bytes:
        """The mining.notify line of the newest job; empty when there is none yet."""
        job = self.board.newest
        if job is None:
            return b""
        params = job.notify_params(clean=clean)
        return json.dumps({"id": None, "method": "mining.notify", "params": params}).encode() + b"\n"

    def difficulty_line(self) -> bytes:
        """The mining.set_difficulty line."""
        params = [self.config.share_difficulty]
        return json.dumps({"id": None, "method": "mining.set_difficulty", "params": params}).encode() + b"\n"

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the connection that asked for it; kept until it ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self, share: Share, worker: str) -> None:
        """Hand a share that is a block to the daemon and wait for the job on top of it.

        A block that comes after ours on the same tip is not handed in: the share was good, the race is lost.

        Raises:
            Rejected: the daemon could not take the block.
        """
        async with self._submitting:
            if share.job.template.previous != self.source.tip:
                self.log.debug("block came second", hash=share.block_hash, worker=worker)
                return
            result = await self._submit(share)
            self._note(share, worker, result)
            if result == "accepted":
                self.source.tip = share.block_hash
        if result == "accepted":
            await self.source.refresh()
        elif result not in SECOND:
            await self.source.refresh()
            raise Rejected(OTHER, f"Block not accepted: {result}")

    async def sweep(self) -> None:
        """Cut off connections that stay silent, until cancelled."""
        while True:
            await asyncio.sleep(min(1.0, self.config.client_seconds / 4))
            now = time.monotonic()
            for client in tuple(self.clients):
                client.look(now)

    async def close(self) -> None:
        """Let blocks in flight reach the daemon, then close every connection."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2.0)
        for client in tuple(self.clients):
            client.cut("the pool stops")

    async def _submit(self, share: Share) -> str:
        try:
            word: Any = await self.source.work.call("submitblock", share.block())
        except RpcFailure as error:
            return f"{type(error).__name__}: {error}"
        return "accepted" if word is None else str(word)

    def _note(self, share: Share, worker: str, result: str) -> None:
        template = share.job.template
        note = BlockNote(
            height=template.height,
            hash=share.block_hash,
            worker=worker,
            transactions=1 + len(template.transactions),
            time=time.time(),
            result=result,
        )
        self.ledger.note_block(note)
        facts = {key: value for key, value in vars(note).items() if key != "time"}
        write = self.log.info if result == "accepted" else self.log.warning
        write("block handed to the daemon", **facts)
