"""A real daemon and our two programs as processes, for the tests beside this file. Each ends what it started."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shiftboss.system import http
from shiftboss.system.rpc import Rpc, RpcError, RpcFailure

CHAIN_FOLDER = {"regtest": "regtest", "testnet4": "testnet4"}


def bitcoind() -> str:
    path = os.environ.get("SHIFTBOSS_TEST_BITCOIND")
    if not path:
        pytest.skip("no bitcoind: set SHIFTBOSS_TEST_BITCOIND to its path")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def eventually(condition, seconds: float = 20.0):
    """The first true value of a condition (a function or a coroutine function); fails after the deadline."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < end, "did not happen in time"
        await asyncio.sleep(0.02)


class Program:
    """A child process with its stderr in a file."""

    def __init__(self, module: str, arguments: list, log: Path) -> None:
        self.log = log
        command = [sys.executable, "-m", f"shiftboss.packs.mining.stratum.{module}", *map(str, arguments)]
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)

    def events(self) -> list:
        text = self.log.read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]

    def event(self, name: str):
        return next((event for event in self.events() if event["event"] == name), None)

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Daemon:
    """A bitcoind without peers."""

    def __init__(self, folder: Path, chain: str = "regtest") -> None:
        self.folder = folder
        self.chain = chain
        self.port = free_port()
        self.cookie = folder / CHAIN_FOLDER[chain] / ".cookie"
        self.url = f"http://127.0.0.1:{self.port}"
        self.rpc = Rpc(self.url, self.cookie, timeout=30)
        self.process = None
        folder.mkdir(parents=True, exist_ok=True)

    async def start(self) -> None:
        options = [f"-chain={self.chain}", "-server", "-listen=0", "-connect=0", "-dnsseed=0", "-fallbackfee=0.0002"]
        options += [f"-rpcport={self.port}", f"-datadir={self.folder}", "-printtoconsole=0"]
        nowhere = subprocess.DEVNULL
        self.process = subprocess.Popen([bitcoind(), *options], stdin=nowhere, stdout=nowhere, stderr=nowhere)
        await eventually(self.answers)

    async def answers(self) -> bool:
        try:
            await self.rpc.call("getblockcount")
        except RpcFailure:
            return False
        return True

    async def fund(self) -> str:
        """A wallet `w` with spendable coins; returns an address of it."""
        await self.rpc.call("createwallet", "w")
        address = await self.rpc.for_wallet("w").call("getnewaddress", "", "bech32")
        await self.rpc.call("generatetoaddress", 101, address)
        return address

    async def wallet(self) -> Rpc:
        try:
            await self.rpc.call("loadwallet", "w")
        except RpcError as error:
            if error.code != -35:  # loaded already
                raise
        return self.rpc.for_wallet("w")

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None


class Pool(Program):
    """Our pool in front of a daemon."""

    def __init__(self, folder: Path, daemon: Daemon, address: str, **settings) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "rpc": {"url": daemon.url, "cookie_file": str(daemon.cookie)},
            "stratum": {"port": 0},
            "status": {"port": 0},
            "share_difficulty": 1e-9,
            "poll_seconds": 0.05,
            "log_level": "debug",
            **settings,
        }
        path = folder / "pool.json"
        path.write_text(json.dumps(config))
        super().__init__("pool", ["--config", path, "--address", address], folder / "pool.log")
        self.port = self.status_port = 0

    async def up(self) -> "Pool":
        """Wait until it listens."""
        event = await eventually(lambda: self.event("pool listens"))
        self.port = int(event["stratum"].rpartition(":")[2])
        self.status_port = int(event["status"].rpartition(":")[2])
        return self

    async def ready(self) -> "Pool":
        """Wait until it claims health."""
        await self.up()
        await eventually(self.ok)
        return self

    async def status(self) -> dict:
        response = await http.request("GET", f"http://127.0.0.1:{self.status_port}/status")
        assert response.status == 200
        return json.loads(response.body)

    async def ok(self) -> bool:
        return (await self.status())["ok"]


def golden(folder: Path) -> str:
    """Make a funded chain, stopped cleanly, to copy from; returns the wallet's address."""
    bitcoind()  # skips before anything is made

    async def make() -> str:
        daemon = Daemon(folder)
        try:
            await daemon.start()
            return await daemon.fund()
        finally:
            daemon.stop()

    return asyncio.run(make())


def copy_of(golden_folder: Path, folder: Path) -> Daemon:
    shutil.copytree(golden_folder, folder)
    return Daemon(folder)
