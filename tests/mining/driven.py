"""One environment of a real stack, and orders given directly to its recovery agent."""

import asyncio
import hashlib
import itertools
import re

import pytest

from shiftboss.app import Request, open_session
from shiftboss.errors import Failed
from shiftboss.model.move import Delegation, Mode
from shiftboss.packs.mining import daemon, wallet
from shiftboss.packs.mining.configs import write_config
from shiftboss.packs.mining.recovery import handle

CHAIN = ("daemon", "regtest")
MAGIC = rb"\xfa\xbf\xb5\xda"
"""What each regtest block starts with in its file (chainparams)."""


class Driven:
    """One environment, and orders to its recovery agent."""

    def __init__(self, stack):
        self.stack = stack
        sets = [f"{key}={value}" for key, value in stack.settings.items()]
        self.session = open_session(Request(workdir=stack.home, sets=sets, environ={}))
        self.warnings = []
        self.bench = self.session.benches["regtest"].but(run="r", delegation="r/1/0", warn=self.warnings.append)
        for config in ("daemon.config", "pool.config", "miner.config"):
            write_config(config, self.bench)
        self.chain = stack.folder.joinpath(*CHAIN)

    def order(self, strategy, component="daemon", kind=None, *, mode=Mode.RECOVER, undoes=None, attempt=1):
        return Delegation(
            id="r/2/0" if mode is Mode.UNDO else "r/1/0",
            run="r",
            environment="regtest",
            component=component,
            agent="error_recovery_agent",
            mode=mode,
            strategy=strategy,
            keyword="delegate_recovery",
            attempt=attempt,
            deadline=60.0,
            failure=kind,
            undoes=undoes,
        )

    def do(self, *words, **more):
        return asyncio.run(handle(self.order(*words, **more), self.bench))

    def undo(self):
        return self.do(None, mode=Mode.UNDO, undoes="r/1/0")

    def start(self):
        return asyncio.run(daemon.start(self.bench))

    def start_wallet(self):
        self.start()
        asyncio.run(wallet.load(self.bench))

    def seen(self):
        return asyncio.run(daemon.probe_daemon(self.bench))

    def stop(self):
        return asyncio.run(daemon.stop(self.bench))

    def balance(self):
        return self.stack.rpc("getbalances", wallet="shiftboss")["mine"]["trusted"]


def fingerprints(folder):
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def scribble(path, start, length):
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\x00\xff" * (length // 2))


def lose_blocks(driven, above):
    """Overwrite the last blocks, from one height on: those a daemon looks at when it starts are among them."""
    blocks = driven.chain / "blocks"
    key = itertools.cycle((blocks / "xor.dat").read_bytes())
    plain = bytes(one ^ other for one, other in zip((blocks / "blk00000.dat").read_bytes(), key, strict=False))
    starts = [found.start() for found in re.finditer(MAGIC, plain)]
    scribble(blocks / "blk00000.dat", starts[above + 1], starts[-1] - starts[above + 1])


def lock(driven):
    """Make the daemon's probe fail at a start, as it does in a run, so that its words are on record."""
    with pytest.raises(Failed) as failed:
        driven.start()
    return failed.value.kind
