"""One miner's connection to the pool.

An asyncio.Protocol rather than streams: a share is judged and answered within one callback, without a task
switch, and 500 connections stay small. It must never let one client hold up another: everything here is short, and
a client that sends nonsense, too much, or does not read is cut off.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, ClassVar, cast

from shiftboss.packs.mining.stratum import share as shares
from shiftboss.packs.mining.stratum.coinbase import EXTRANONCE2_SIZE
from shiftboss.packs.mining.stratum.floor import Floor
from shiftboss.packs.mining.stratum.protocol import (
    BadLine,
    LineBuffer,
    Request,
    error_line,
    read_request,
    result_line,
)

MAX_UNREAD = 256 * 1024  #: bytes a client may leave unread in our buffer
MAX_FAULTS = 100  #: requests we can make nothing of, before the connection is cut
MAX_NAME = 128
MAX_NAMES = 64  #: worker names on one connection


class Session(asyncio.Protocol):
    """State of one connection: its extranonce, its workers, its unfinished line."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._buffer = LineBuffer()
        self._transport: asyncio.Transport | None = None
        self._deadline: float | None = time.monotonic() + floor.config.client_seconds
        self._workers: set[str] = set()
        self._faults = 0
        self._extranonce1 = floor.new_extranonce()
        self.subscribed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        self._transport = cast("asyncio.Transport", transport)  # what create_server passes
        self._transport.set_write_buffer_limits(high=MAX_UNREAD)
        self._floor.clients.add(self)
        if len(self._floor.clients) > self._floor.config.max_clients:
            self.cut("too many connections")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        del exc  # how it ended makes no difference
        self._floor.clients.discard(self)
        self._transport = None

    def pause_writing(self) -> None:
        """The client does not read what we send."""
        self.cut("it does not read")

    def data_received(self, data: bytes) -> None:
        """Answer each completed line."""
        try:
            for line in self._buffer.feed(data):
                self._line(line)
        except BadLine as error:
            self.cut(str(error))
            return
        if not self._buffer.partial:
            self._deadline = None
        elif self._deadline is None:
            self._deadline = time.monotonic() + self._floor.config.client_seconds

    def send(self, data: bytes) -> None:
        """Send bytes to the client; nothing happens on a closed connection."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def look(self, now: float) -> None:
        """Cut the connection if a request is overdue."""
        if self._deadline is not None and now > self._deadline:
            self.cut("no complete request in time")

    def cut(self, reason: str) -> None:
        """Close the connection at once, dropping what was not sent."""
        if self._transport is None or self._transport.is_closing():
            return
        peer: Any = self._transport.get_extra_info("peername")
        self._floor.log.info("client cut off", peer=peer, why=reason)
        self._transport.abort()

    def _line(self, line: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        request = read_request(line)
        if request is None:
            return
        handler = self._METHODS.get(request.method)
        if handler is None:
            self._fault(request.id, f"Unknown method {request.method[:40]!r}")
        else:
            handler(self, request)

    def _fault(self, request_id: Any, text: str) -> None:
        self._faults += 1
        if self._faults > MAX_FAULTS:
            raise BadLine("too many requests that make no sense")
        self.send(error_line(request_id, shares.OTHER, text))

    def _subscribe(self, request: Request) -> None:
        self.subscribed = True
        name = self._extranonce1.hex()
        methods = [["mining.set_difficulty", name], ["mining.notify", name]]
        answer = result_line(request.id, [methods, name, EXTRANONCE2_SIZE])
        # One write: the client has a job together with its extranonce.
        self.send(answer + self._floor.difficulty_line() + self._floor.notify_line(clean=True))

    def _authorize(self, request: Request) -> None:
        name: Any = request.params[0] if request.params else None
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or len(self._workers) >= MAX_NAMES:
            self._fault(request.id, f"A worker name of 1 to {MAX_NAME} characters is needed")
            return
        self._workers.add(name)
        self.send(result_line(request.id, True))
        self._floor.log.debug("worker authorized", worker=name)

    def _configure(self, request: Request) -> None:
        wanted: Any = request.params[0] if request.params else []
        names = cast("list[Any]", wanted) if isinstance(wanted, list) else []
        self.send(result_line(request.id, {str(name): False for name in names}))

    def _tolerate(self, request: Request) -> None:
        # Extranonces and the difficulty never change here, so there is nothing to subscribe to or to heed.
        self.send(result_line(request.id, True))

    def _submit(self, request: Request) -> None:
        worker: Any = request.params[0] if request.params else None
        known = isinstance(worker, str) and worker in self._workers
        try:
            share = self._judge(request.params, known=known)
        except shares.Rejected as rejected:
            self._reject(request.id, worker if known else "", rejected)
            return
        if share.is_block:
            self._floor.spawn(self._block(request.id, worker, share))
        else:
            self._accept(request.id, worker)

    def _judge(self, params: list[Any], *, known: bool) -> shares.Share:
        if not self.subscribed:
            raise shares.Rejected(shares.NOT_SUBSCRIBED, "Not subscribed")
        if not known:
            raise shares.Rejected(shares.UNAUTHORIZED, "Unauthorized worker")
        if not self._floor.source.usable():
            raise shares.Rejected(shares.OTHER, "No fresh template: the pool has lost its daemon")
        return shares.judge(self._floor.board, self._extranonce1, params, self._floor.target)

    async def _block(self, request_id: Any, worker: str, share: shares.Share) -> None:
        try:
            await self._floor.settle(share, worker)
        except shares.Rejected as rejected:
            self._reject(request_id, worker, rejected)
        else:
            # Only now: the next job went out just before, so this miner's next share is not on the old one.
            self._accept(request_id, worker)

    def _accept(self, request_id: Any, worker: str) -> None:
        self._floor.ledger.accept(worker, time.time())
        self.send(result_line(request_id, True))
        if self._floor.log.debugging:
            self._floor.log.debug("share accepted", worker=worker)

    def _reject(self, request_id: Any, worker: str, rejected: shares.Rejected) -> None:
        self._floor.ledger.reject(worker, rejected.code)
        self.send(error_line(request_id, rejected.code, rejected.text))
        if self._floor.log.debugging:
            self._floor.log.debug("share refused", worker=worker, code=rejected.code, why=rejected.text)

    _METHODS: ClassVar[dict[str, Callable[["Session", Request], None]]] = {
        "mining.submit": _submit,
        "mining.subscribe": _subscribe,
        "mining.authorize": _authorize,
        "mining.configure": _configure,
        "mining.extranonce.subscribe": _tolerate,
        "mining.suggest_difficulty": _tolerate,
        "mining.suggest_target": _tolerate,
    }
