"""Keeps the newest block template: asks the daemon, notices a new tip, says honestly when it can't.

One refresh runs at a time, and only a template that differs in what it mines is passed on; an earlier pool without
these two rules sent several jobs per tip and refused shares for jobs it had just sent. It never raises for trouble with
the daemon: the trouble becomes `why`, and the loop goes on until the daemon is back.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from shiftboss.packs.mining.stratum.config import PoolConfig
from shiftboss.packs.mining.stratum.log import Log
from shiftboss.packs.mining.stratum.template import BadTemplate, Template, read_template
from shiftboss.system.rpc import Rpc, RpcError, RpcFailure, RpcUnreadable

POLL_TIMEOUT = 3.0  #: seconds for a question a healthy daemon answers in a millisecond
WORK_TIMEOUT = 30.0  #: seconds for building or checking a whole block
MAX_JOB_AGE = 30.0  #: after so many seconds a job is sent again with the new time


class NobodyToPay(Exception):
    """The daemon says that the payout address is none of its chain."""


class TemplateSource:
    """The current template, the best known tip, and how sure we are of both."""

    def __init__(self, config: PoolConfig, log: Log, post: Callable[[Template], None]) -> None:
        self._config = config
        self._log = log
        self._post = post
        self._lock = asyncio.Lock()
        self._poll = Rpc(config.rpc_url, config.rpc_cookie_file, timeout=POLL_TIMEOUT)
        self._news = Rpc(config.rpc_url, config.rpc_cookie_file, timeout=config.poll_seconds + POLL_TIMEOUT)
        self._rules: list[str] = []
        self._fetched = 0.0
        self.work = Rpc(config.rpc_url, config.rpc_cookie_file, timeout=WORK_TIMEOUT)
        self.template: Template | None = None
        self.tip = ""  #: hash of the best block we know of; the template may lag behind it for a moment
        self.why = "the daemon has not been asked yet"  #: what is wrong; empty when nothing is

    @property
    def age(self) -> float | None:
        """Seconds since the daemon last confirmed the template."""
        return None if self.template is None else time.monotonic() - self._fetched

    def usable(self) -> bool:
        """Whether shares on the current template are worth taking."""
        age = self.age
        behind = bool(self.why) and self.template is not None and self.template.previous != self.tip
        return age is not None and age <= self._config.stale_seconds and not behind

    async def prepare(self) -> bytes:
        """Wait for the daemon; return the output script that pays the configured address.

        Raises:
            NobodyToPay: the address is none of the daemon's chain.
        """
        while True:
            try:
                return await self._payout()
            except RpcFailure as error:
                self._trouble(error)
                await asyncio.sleep(self._config.poll_seconds)

    async def _payout(self) -> bytes:
        info: Any = await self._poll.call("getblockchaininfo")
        paid: Any = await self._poll.call("validateaddress", self._config.address)
        try:
            chain = str(info["chain"])
            script = bytes.fromhex(paid["scriptPubKey"]) if paid["isvalid"] else b""
        except (LookupError, TypeError, ValueError):
            raise RpcUnreadable(f"{self._config.rpc_url} does not answer like a bitcoind") from None
        self._rules = ["segwit", "signet"] if chain == "signet" else ["segwit"]  # BIP325
        if not script:
            raise NobodyToPay(f"{self._config.address} is no address of the daemon's chain, {chain}")
        return script

    async def run(self) -> None:
        """Follow the daemon until cancelled."""
        while True:
            if await self._due():
                await self.refresh()
            await self._pause()

    async def _pause(self) -> None:
        """Until the daemon has another block, or it is time to ask again."""
        began = time.monotonic()
        if not await self._hears_of_a_block():
            await asyncio.sleep(max(0.0, self._config.poll_seconds - (time.monotonic() - began)))

    async def _hears_of_a_block(self) -> bool:
        """Wait for the block that the template is meant to become, for one pause at most.

        Who only asks hears of it half a pause late. A chain that goes back is left to the asking.
        """
        if self.why or self.template is None:
            return False
        pause = round(self._config.poll_seconds * 1000)
        try:
            best: Any = await self._news.call("waitforblockheight", self.template.height, pause)
            return best["hash"] != self.template.previous
        except (RpcError, LookupError, TypeError):
            return False  # such a daemon is asked from time to time
        except RpcFailure as error:
            self._trouble(error)
            return False

    async def refresh(self) -> None:
        """Fetch a template; post it if it asks for other work than the last one."""
        async with self._lock:
            asked_at = self.tip
            known: Mapping[str, str] = {} if self.template is None else self.template.transactions
            try:
                reply = await self.work.call("getblocktemplate", {"rules": self._rules})
                template = read_template(reply, known)
            except (RpcFailure, BadTemplate) as error:
                self._trouble(error)
                return
            if self.tip in {template.previous, asked_at}:
                self._take(template)
            # Otherwise the daemon took a block of ours while it answered, and whoever handed it in asks again.

    def _take(self, template: Template) -> None:
        self._fetched = time.monotonic()
        self.tip = template.previous
        if self.why:
            self._log.info("the daemon gives templates", height=template.height, tip=self.tip)
            self.why = ""
        last = self.template
        if last is not None and last.identity == template.identity and template.time - last.time < MAX_JOB_AGE:
            return
        self.template = template
        self._post(template)

    async def _due(self) -> bool:
        if self.why or self.template is None or (self.age or 0.0) >= self._config.template_seconds:
            return True
        try:
            best: Any = await self._poll.call("getbestblockhash")
        except RpcFailure as error:
            self._trouble(error)
            return False
        return best != self.template.previous

    def _trouble(self, error: Exception) -> None:
        why = f"{type(error).__name__}: {error}"
        if why != self.why:
            self._log.warning("the daemon gives no template", why=why)
        self.why = why
