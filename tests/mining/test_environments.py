"""Several environments of several chains at once, on real parts; and a private signet whose blocks our miner makes."""

import asyncio
import json
import os
import signal
import socket
import struct
import time
from pathlib import Path

import pytest
from stacks import Stack, touched

from helpers import eventually
from shiftboss.model.events import EnvironmentEnded
from shiftboss.packs.mining.handshake import talk
from shiftboss.packs.mining.stratum.target import target_of_bits
from shiftboss.system import proc
from shiftboss.system.instance import marks_of
from shiftboss.system.listeners import listeners
from shiftboss.system.rpc import Rpc, RpcError

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

FOUR = {"alice": "regtest", "bob": "regtest", "testnet4": "testnet4", "main": "main"}
NAMED = ",".join(f"{name}={profile}" for name, profile in FOUR.items())
CONVERGED, ESCALATED = "converged", "escalated"
LOOPBACK = socket.inet_aton("127.0.0.1")


def ports_with_room(count, slots):
    """Ports of which the tenth, twentieth ... above are free as well: one for each environment."""
    found = []
    for port in range(21001, 31000, 10 * slots):
        if len(found) < count and all(is_free(port + 10 * slot + len(found)) for slot in range(slots)):
            found.append(port + len(found))
    return found


def is_free(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


class Several(Stack):
    """A working directory with several environments."""

    def __init__(self, home, bitcoind, **settings):
        super().__init__(home, bitcoind, **settings)
        names = ("rpc", "p2p", "stratum", "pool_status", "zmq", "peer")
        self.settings |= {f"ports.{name}": port for name, port in zip(names, ports_with_room(6, 4), strict=True)}

    def ask(self, name, method, *params):
        found = self.run("status", "--env", name)["endpoints"][name]
        client = Rpc(found["rpc"], Path(found["rpc_cookie_file"]))
        return asyncio.run(client.call(method, *params))

    def pid_of(self, name, component):
        return json.loads((self.home / "env" / name / "run" / f"{component}.pid").read_text())["pid"]

    def end_of(self, name, component):
        """Kill a part of an environment."""
        pid = self.pid_of(name, component)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not proc.is_running(pid), what=f"the end of {name}'s {component}")

    def endings(self):
        """How the last run ended in each environment."""
        return {one.environment: one.ending for one in self.events() if isinstance(one, EnvironmentEnded)}

    def listening(self):
        """Port -> environment and component of ours that listens there, and on which address."""
        inodes = {inode: pid for pid in self.processes() for inode in proc.open_sockets(pid)}
        found = [(one, marks_of(inodes[one.inode])) for one in listeners() if one.inode in inodes]
        assert {one.address for one, _ in found} == {LOOPBACK}, "somebody listens to the outside"
        return {one.port: (marks.environment, marks.component) for one, marks in found}


@pytest.fixture(scope="module")
def several(bitcoind, tmp_path_factory):
    made = Several(tmp_path_factory.mktemp("several") / "work", bitcoind, **{"limits.parallel": 4})
    yield made
    made.end()


@pytest.fixture
def four(several):
    """All four are up, whatever the test before has left."""
    assert several.up("--env", NAMED)["ending"] == CONVERGED
    return several


def test_four_come_up_in_one_run_and_are_the_same_in_the_next(several):
    first = several.up("--env", NAMED)
    assert several.endings() == dict.fromkeys(FOUR, CONVERGED)
    parts = {
        name: {key.partition("/")[2] for key in first["components"] if key.startswith(f"{name}/")} for name in FOUR
    }
    assert "cycle" in parts["alice"] & parts["bob"]
    assert "pool" in parts["testnet4"]
    assert not parts["testnet4"] & {"miner", "cycle"}
    assert parts["main"] == {"daemon.binary", "daemon.config", "daemon"}
    assert {seen["health"] for seen in several.run("status")["components"].values()} == {"ready"}
    where = several.listening()
    served = sorted((name, part) for name in FOUR for part in ("daemon", "pool", "pool") if part in parts[name])
    assert sorted(where.values()) == served, "each daemon listens on one port, each pool on two, and all are different"
    notes = {name: (several.home / "env" / name / "environment.json").read_bytes() for name in FOUR}
    second = several.up()
    assert (second["mutations"], second["delegations"], several.endings()) == (0, [], dict.fromkeys(FOUR, CONVERGED))
    assert (second["endpoints"], several.listening()) == (first["endpoints"], where)
    assert notes == {name: (several.home / "env" / name / "environment.json").read_bytes() for name in FOUR}


def test_testnet4_serves_work_of_the_real_chain_and_makes_no_block(four):
    host, port = four.run("status", "--env", "testnet4")["endpoints"]["testnet4"]["stratum"].split(":")

    async def job():
        async with asyncio.timeout(10), talk((host, int(port)), "tester") as open_talk:
            return await open_talk.job()

    order = asyncio.run(job())
    assert order.work.prefix[4:36][::-1].hex() == four.ask("testnet4", "getbestblockhash")
    assert struct.unpack("<I", order.work.prefix[72:76]) == (0x1D00FFFF,), "the difficulty of the real chain"
    assert order.network == target_of_bits(0x1D00FFFF)
    assert four.ask("testnet4", "getblockcount") == 0
    assert four.ask("testnet4", "listwallets") == ["shiftboss"]


@pytest.mark.parametrize("name", ["testnet4", "main"])
def test_nobody_out_there_is_called(four, name):
    found = four.ask(name, "getnetworkinfo")
    assert (found["connections"], found["localaddresses"]) == (0, [])
    assert "connect=0" in (four.home / "env" / name / "daemon" / "bitcoin.conf").read_text()


def test_main_has_no_wallet_and_its_log_is_found(four):
    with pytest.raises(RpcError, match="Method not found"):
        four.ask("main", "listwallets")
    assert four.ask("main", "getblockchaininfo")["chain"] == "main"
    assert set(four.run("status", "--env", "main")["endpoints"]["main"]) == {"rpc", "rpc_cookie_file"}
    assert "Done loading" in json.dumps(four.run("logs", "daemon", "--env", "main", "-n", "400"))


def test_one_that_can_not_be_mended_holds_up_no_other(four):
    kept = {name: four.pid_of(name, "daemon") for name in ("alice", "testnet4", "main")}
    for name, part in (("alice", "miner"), ("testnet4", "pool"), ("bob", "pool")):
        four.end_of(name, part)
    broken = four.up(code=3, **{"env.bob.daemon.args": '["-bogus"]'})
    assert four.endings() == {"alice": CONVERGED, "testnet4": CONVERGED, "main": CONVERGED, "bob": ESCALATED}
    assert broken["ending"] == ESCALATED
    assert list(broken["report"]) == ["bob"]
    assert "-bogus" in json.dumps(broken["report"]["bob"])
    mended = {
        f"{one['environment']}/{one['component']}" for one in broken["delegations"] if one["environment"] != "bob"
    }
    assert mended >= {"alice/miner", "alice/cycle", "testnet4/pool"}
    assert kept == {name: four.pid_of(name, "daemon") for name in kept}
    assert four.up()["ending"] == CONVERGED, "without the bad argument bob comes up again"
    assert kept == {name: four.pid_of(name, "daemon") for name in kept}


def test_damage_on_main_is_told_and_not_treated(four):
    four.run("down", "--env", "main")
    data = four.home / "env" / "main" / "daemon"
    (manifest,) = (data / "blocks" / "index").glob("MANIFEST-*")
    good = manifest.read_bytes()
    manifest.write_bytes(bytes(64) + good[64:])
    try:
        told = four.up("--env", "main", code=3)
        assert "consent to what could help is denied" in told["report"]["main"]["why"]
        assert not [one for one in told["delegations"] if one["mode"] == "recover"]
        refused = four.run("down", "--purge", "--env", "main", code=2)
        assert "denied" in refused["diagnostics"][0]["what"]
        assert manifest.read_bytes()[:64] == bytes(64), "nothing of it was touched"
        assert not (four.home / "aside").exists()
    finally:
        manifest.write_bytes(good)
        later = time.time() + 2.0  # a person is not that quick: what changes within a second may be the daemon's own
        os.utime(manifest, (later, later))
    assert four.up("--env", "main")["ending"] == CONVERGED, "its data was put back by hand"


def test_one_is_stopped_and_the_others_run_on_and_then_all(four):
    before = set(four.processes())
    bobs = {four.pid_of("bob", part) for part in ("daemon", "pool", "miner")}
    four.run("down", "--env", "bob")
    assert set(four.processes()) == before - bobs
    four.run("down")
    assert four.processes() == []
    assert touched(four.run("down")) == set()


def test_a_private_signet_is_mined_by_everybody_unless_its_challenge_says_otherwise(bitcoind, tmp_path):
    """About five million hashes are a block: ten seconds for our miner on a quiet machine."""
    stack = Several(tmp_path / "work", bitcoind, **{"env.closed.daemon.signet_challenge": "5121" + "02" * 33 + "51ae"})
    try:
        found = stack.up("--env", "signet,closed=signet", timeout=280)
        proof = found["proof"]["signet"]
        assert not [key for key in found["components"] if key in ("closed/miner", "closed/cycle")]
        assert found["components"]["closed/pool"]["health"] == "ready"
        assert any("no payments" in one["name"] for one in proof["checkpoints"])
        block = stack.ask("signet", "getblock", proof["block_hash"], 2)
        assert (block["height"], block["confirmations"]) == (proof["height_after"], 1)
        assert block["bits"] == "1e0377ae"
        paid, commitment = (out["scriptPubKey"] for out in block["tx"][0]["vout"])
        assert paid["address"] == found["endpoints"]["signet"]["address"]
        assert "ecc7daa2" not in commitment["hex"], "OP_TRUE wants no solution (BIP325)"
        assert stack.up()["mutations"] == 0
    finally:
        stack.end()
