"""Each fault of a real daemon gets its kind, from its probe and from what a start raises, with one signature."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from helpers import eventually
from shiftboss.app import Request, open_session
from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind as Kind
from shiftboss.model.failure import signature
from shiftboss.model.observation import Health
from shiftboss.packs.mining import daemon, wallet
from shiftboss.packs.mining.configs import write_config
from shiftboss.packs.mining.diagnosis_chain import accept
from shiftboss.packs.mining.diagnosis_look import free_mb
from shiftboss.packs.mining.layout import layout
from shiftboss.system import net, proc

pytestmark = pytest.mark.real


class Node:
    """The daemon of one environment, started and looked at directly."""

    def __init__(self, stack):
        sets = [f"{key}={value}" for key, value in stack.settings.items()]
        self.stack = stack
        self.bench = open_session(Request(workdir=stack.home, sets=sets, environ={})).benches["regtest"]
        write_config("daemon.config", self.bench)
        self.places = layout(self.bench)

    def start(self, *once):
        return asyncio.run(daemon.start(self.bench, once=once))

    def stop(self):
        asyncio.run(daemon.stop(self.bench))

    def look(self):
        return asyncio.run(daemon.probe_daemon(self.bench))

    def settled(self):
        """What is seen once a killed process has let go of all it held."""
        return eventually(lambda: _unless(self.look(), Health.STARTING), what="the end of the killed process")

    def look_at_wallet(self):
        return asyncio.run(wallet.probe_wallet(self.bench))

    def kill(self):
        return self.stack.kill("daemon")

    def rpc(self, *call, **more):
        return self.stack.rpc(*call, **more)

    def fails(self):
        """Start it in vain, twice: what the start raised and what the probe says, always with one signature."""
        signatures = set()
        for _ in range(2):
            with pytest.raises(Failed) as caught:
                self.start()
            seen = self.settled()
            assert (seen.health, seen.failure) == (Health.BROKEN, caught.value.kind), f"{caught.value}; {seen.summary}"
            signatures |= {signature("daemon", caught.value.kind, str(caught.value))}
            signatures |= {signature("daemon", seen.failure, seen.summary)}
        assert len(signatures) == 1
        return seen


def _unless(seen, health):
    return None if seen.health is health else seen


@pytest.fixture
def node(stack):
    return Node(stack)


def scribble(path, at, length):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\x11" * length)


def manifest(folder):
    return next(folder.glob("MANIFEST-*"))


DAMAGES = {
    "undo files": lambda data: scribble(data / "blocks" / "rev00000.dat", 0, 4000),
    "block files": lambda data: scribble(data / "blocks" / "blk00000.dat", 20_000, 6000),
    "chainstate": lambda data: scribble(manifest(data / "chainstate"), 0, 64),
    "block index": lambda data: scribble(manifest(data / "blocks" / "index"), 0, 64),
}


def test_damaged_data_is_told_by_its_part_and_mended_data_is_not_damaged(node):
    data = node.places.chain_data
    keep = data.with_name("keep")
    shutil.copytree(data, keep)
    for part, damage in DAMAGES.items():
        damage(data)
        seen = node.fails()
        assert (seen.failure, seen.evidence["part"]) == (Kind.DATA_DAMAGED, part)
        shutil.rmtree(data)
        shutil.copytree(keep, data)
    (data / "blocks" / "blk00000.dat").unlink()
    seen = node.fails()
    assert (seen.failure, seen.evidence["part"]) == (Kind.DATA_DAMAGED, "block files")
    shutil.rmtree(data)
    shutil.copytree(keep, data, copy_function=shutil.copy)  # as a person would: the files are new
    os.utime(data / "blocks", (time.time() + 5, time.time() + 5))
    assert (node.look().health, node.look().failure) == (Health.ABSENT, None)
    node.start()
    assert node.look().health is Health.READY


def test_wallet_files_are_told_from_chain_data(node):
    node.start()  # the golden data was made with the wallet loaded on start
    file = node.places.wallets / "shiftboss" / "wallet.dat"
    whole = file.read_bytes()
    assert node.places.wallet_backup.is_file()
    node.rpc("unloadwallet", "shiftboss")
    assert node.look_at_wallet().failure is Kind.WALLET_NOT_LOADED
    scribble(file, 4096, 12_000)  # the head is whole: only a try to load it can tell
    with pytest.raises(Failed) as caught:
        asyncio.run(wallet.load(node.bench))
    assert caught.value.kind is Kind.WALLET_DAMAGED
    assert node.look_at_wallet().failure is Kind.WALLET_DAMAGED
    scribble(file, 0, 4096)
    assert node.look_at_wallet().failure is Kind.WALLET_DAMAGED
    file.unlink()
    assert node.look_at_wallet().failure is Kind.WALLET_MISSING
    node.stop()
    settings = node.places.chain_data / "settings.json"
    settings.write_text(json.dumps({"wallet": ["shiftboss"]}))
    assert node.fails().failure is Kind.WALLET_MISSING
    file.write_bytes(b"\0" * 4096)
    seen = node.fails()
    assert seen.failure is Kind.WALLET_DAMAGED
    assert seen.evidence["wallet_path"] == str(file.parent)
    file.write_bytes(whole)


def test_a_configuration_that_the_daemon_refuses(stack):
    stack.settings["daemon.args"] = json.dumps(["-bogus=1"])
    node = Node(stack)
    assert node.fails().failure is Kind.CONFIG
    stack.settings["daemon.args"] = "[]"
    assert Node(stack).look().health is Health.ABSENT, "what it complained of has been corrected"


def test_broken_settings_of_the_daemon_itself(node):
    settings = node.places.chain_data / "settings.json"
    settings.write_text('{"wallet": ')
    assert node.fails().failure is Kind.CONFIG


def test_a_program_without_its_library(stack, bitcoind, tmp_path):
    prefix = tmp_path / "prefix"
    shutil.copytree(bitcoind.parent.parent, prefix, symlinks=True)
    stack.settings["daemon.binary"] = prefix / "bin" / "bitcoind"
    node = Node(stack)
    libraries = [(path, path.with_suffix(".gone")) for path in prefix.rglob("libstdc++.so.6*")]
    if not libraries:
        pytest.skip("this daemon was not installed by shiftboss")
    for path, gone in libraries:
        path.rename(gone)
    assert node.fails().failure is Kind.MISSING_BINARY


def test_ports_and_locks_are_held_by_somebody(node, bitcoind):
    port = node.bench.ports["rpc"]
    listener = f"import socket,time;s=socket.create_server(('127.0.0.1',{port}));time.sleep(100)"
    marks = {**os.environ, **node.bench.processes.helper_variables("r", "d")}
    for environ, kind in ((dict(os.environ), Kind.PORT_FOREIGN), (marks, Kind.PORT_ORPHAN)):
        holder = subprocess.Popen([sys.executable, "-c", listener], env=environ)
        try:
            eventually(lambda: net.holder(port), what="the listener")
            seen = node.fails()
            assert (seen.failure, seen.evidence["holder"]) == (kind, holder.pid)
        finally:
            holder.kill()
            holder.wait()
    argv = [str(bitcoind), f"-datadir={node.places.data}", "-server=0"]
    holder = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: node.look().failure is Kind.LOCKED, what="the lock")
        seen = node.fails()
        assert (seen.evidence["holder"], seen.evidence["ours"]) == (holder.pid, False)
    finally:
        holder.terminate()
        holder.wait(60)
    assert (node.places.chain_data / ".lock").exists()
    assert node.look().health is Health.ABSENT, "a lock file that nobody holds is no trouble"


def test_too_little_room_comes_before_everything_else(node, monkeypatch):
    DAMAGES["undo files"](node.places.chain_data)
    assert node.fails().failure is Kind.DATA_DAMAGED
    monkeypatch.setattr("shiftboss.packs.mining.diagnosis_look.NEEDED_MB", free_mb(node.bench) * 2)
    assert node.fails().failure is Kind.NO_SPACE
    for name in ("daemon.pid", "daemon-start.json"):
        (node.bench.environment.run_folder / name).unlink()
    seen = node.look()
    assert (seen.health, seen.failure) == (Health.ABSENT, Kind.NO_SPACE)


def test_a_running_daemon_that_is_frozen_or_refuses_us(node):
    node.start()
    seen = node.look()
    assert seen.health is Health.READY
    assert {"height", "free_mb", "rss_mb", "fds"} <= seen.measures.keys()
    with (node.places.chain_data / "debug.log").open("a") as log:
        log.write("2026-01-01T00:00:00Z [error] Fatal LevelDB error: Corruption: no space left on device\n")
    assert node.look().health is Health.READY, "frightening lines are no evidence"
    pid = node.stack.pid("daemon")
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: proc.state(pid) == "T", what="the stop")
    seen = node.look()
    assert (seen.failure, seen.evidence["state"]) == (Kind.FROZEN, "T")
    os.kill(pid, signal.SIGCONT)
    cookie = node.places.chain_data / ".cookie"
    right = cookie.read_text()
    cookie.write_text("__cookie__:wrong")
    assert eventually(lambda: node.look().failure, what="the refusal") is Kind.CREDENTIAL
    cookie.write_text(right)
    assert node.look().health is Health.READY
    node.kill()
    seen = node.settled()
    assert seen.failure is Kind.DIED
    assert seen.summary == "the daemon's process ended unexpectedly"


def test_a_chain_that_went_back_silently_is_seen_and_a_user_who_takes_blocks_back_is_not(node):
    node.start()
    assert node.rpc("getblockcount") == 101
    address = json.loads(node.places.wallet_note.read_text())["address"]
    node.rpc("generatetoaddress", 5, address)
    node.kill()
    with pytest.raises(Failed) as caught:
        node.start()
    assert caught.value.kind is Kind.DATA_LOST
    assert (caught.value.evidence["height_before"], caught.value.evidence["height_now"]) == (106, 101)
    assert node.look().failure is Kind.DATA_LOST
    node.stop()
    node.start("-reindex")
    assert node.rpc("getblockcount") == 106
    assert node.look().health is Health.READY
    node.rpc("invalidateblock", node.rpc("getblockhash", 104))
    assert node.look().health is Health.READY
    node.stop()
    node.start()
    assert node.rpc("getblockcount") == 103


def test_an_accepted_loss_is_none_any_more(node):
    node.start()
    address = json.loads(node.places.wallet_note.read_text())["address"]
    node.rpc("generatetoaddress", 2, address)
    node.kill()
    with pytest.raises(Failed):
        node.start()
    assert accept(node.bench, 101)
    assert node.look().health is Health.READY
    assert accept(node.bench, 101) is None
    node.stop()
    node.start()
