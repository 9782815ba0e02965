"""The document's scenarios on real parts, through the command line: fresh, partly there, port taken, killed parts."""

import signal
import subprocess
import sys

import pytest
from stacks import collapsed, keywords, touched

from helpers import eventually
from shiftboss.system import net

pytestmark = pytest.mark.real

DOCUMENT_ORDER = [
    "delegate_dependency_check",
    "delegate_config_generation",
    "delegate_daemon_setup",
    "delegate_pool_setup",
    "delegate_miner_setup",
    "delegate_validation",
    "infrastructure_complete",
]


def test_from_nothing_to_a_proven_block_and_then_nothing_more_to_do(fresh):
    first = fresh.up()
    assert (first["ending"], first["exit_code"]) == ("converged", 0)
    assert keywords(first) == DOCUMENT_ORDER
    proof = first["proof"]["regtest"]
    block = fresh.rpc("getblock", proof["block_hash"], 2)
    assert block["confirmations"] >= 1
    assert len(block["tx"]) == proof["transactions"] >= 2
    assert block["tx"][0]["vout"][0]["scriptPubKey"]["address"] == proof["coinbase_address"]
    assert fresh.rpc("getaddressinfo", proof["coinbase_address"], wallet="shiftboss")["ismine"]
    assert [one["name"] for one in proof["checkpoints"]] == [
        "handshake",
        "job",
        "payments sent",
        "share accepted",
        "miner's block",
        "in the best chain and paid to the wallet",
        "made by the miner's worker",
    ]
    before = fresh.processes(), fresh.height()
    second = fresh.up()
    assert (second["mutations"], second["delegations"]) == (0, [])
    assert second["proof"] == first["proof"]
    assert (fresh.processes(), fresh.height()) == before
    fresh.run("down")
    assert fresh.processes() == []


def test_one_lane_follows_the_document_step_by_step(fresh):
    document = fresh.up(**{"limits.parallel": 1})
    assert collapsed(document) == DOCUMENT_ORDER


def test_with_the_daemon_already_running_it_goes_straight_to_the_pool(stack):
    stack.up("wallet")
    daemon, height = stack.pid("daemon"), stack.height()
    document = stack.up()
    assert keywords(document) == ["delegate_config_generation", *DOCUMENT_ORDER[3:]] or (
        keywords(document) == DOCUMENT_ORDER[3:]
    )
    assert stack.pid("daemon") == daemon
    assert document["proof"]["regtest"]["height_before"] >= height
    assert not touched(document) & {"daemon", "wallet", "daemon.binary", "daemon.config"}


def test_a_killed_pool_costs_only_the_pool_and_what_depends_on_it(stack):
    stack.up()
    daemon, miner, blocks = stack.pid("daemon"), stack.pid("miner"), stack.height()
    stack.kill("pool")
    document = stack.up()
    assert touched(document) == {"pool", "cycle"}
    assert keywords(document) == ["delegate_recovery", "delegate_validation", "infrastructure_complete"]
    assert (stack.pid("daemon"), stack.pid("miner")) == (daemon, miner)
    assert not any("blocks" in change for one in document["delegations"] for change in one["changes"])
    assert stack.height() <= blocks + 4  # the tester's share, the miner's block, and the miner's first block again


@pytest.mark.parametrize("part", ["daemon", "miner"])
def test_a_killed_part_is_brought_back_by_recovery(stack, part):
    stack.up()
    funded = stack.rpc("getblockhash", 101)
    others = {name: stack.pid(name) for name in ("daemon", "pool", "miner") if name != part}
    stack.kill(part)
    document = stack.up()
    assert document["ending"] == "converged"
    assert keywords(document)[0] == "delegate_recovery"
    assert stack.rpc("getblockhash", 101) == funded
    assert {name: stack.pid(name) for name in others} == others
    assert not any("to fund" in change for one in document["delegations"] for change in one["changes"])


def test_a_frozen_pool_goes_on_and_nothing_is_restarted(stack):
    stack.up()
    frozen = stack.kill("pool", signal.SIGSTOP)
    document = stack.up()
    assert document["ending"] == "converged"
    assert [one["strategy"] for one in document["delegations"]] == ["thaw"]
    assert stack.pid("pool") == frozen


def test_a_foreign_process_on_the_stratum_port_lives_on_and_our_pool_moves(stack):
    port = stack.ports["stratum"]
    foreign = subprocess.Popen(
        [sys.executable, "-c", f"import socket,time;s=socket.create_server(('127.0.0.1',{port}));time.sleep(300)"]
    )
    try:
        eventually(lambda: net.holder(port), what="the foreign process to listen")
        stack.up("wallet")
        daemon, height = stack.pid("daemon"), stack.height()
        document = stack.up()
        assert document["ending"] == "converged"
        words = keywords(document)
        assert words.index("delegate_recovery") < words.index("delegate_pool_setup")
        assert foreign.poll() is None
        assert net.holder(port).pid == foreign.pid
        assert document["endpoints"]["regtest"]["stratum"] == f"127.0.0.1:{stack.moved()['stratum']}"
        assert stack.moved()["stratum"] != port
        assert stack.pid("daemon") == daemon
        assert stack.rpc("getblockhash", 101)
        assert document["proof"]["regtest"]["height_before"] <= height + 1
        assert not {"daemon", "wallet"} & touched(document)
    finally:
        foreign.kill()
        foreign.wait()


def test_a_foreign_process_on_the_rpc_port_lives_on_and_our_daemon_moves(stack):
    port = stack.ports["rpc"]
    foreign = subprocess.Popen(
        [sys.executable, "-c", f"import socket,time;s=socket.create_server(('127.0.0.1',{port}));time.sleep(300)"]
    )
    try:
        eventually(lambda: net.holder(port), what="the foreign process to listen")
        document = stack.up()
        assert document["ending"] == "converged"
        assert document["endpoints"]["regtest"]["rpc"] == f"http://127.0.0.1:{stack.moved()['rpc']}"
        assert stack.moved()["rpc"] != port
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_a_process_of_ours_without_its_pid_file_is_adopted_not_doubled(stack):
    stack.up()
    pid_file = stack.folder / "run" / "pool.pid"
    orphan = stack.pid("pool")
    pid_file.unlink()
    document = stack.up()
    assert document["ending"] == "converged"
    assert stack.pid("pool") == orphan, "found by its marks: adopted, not doubled"
    assert document["mutations"] == 0


def test_a_wallet_that_is_not_loaded_is_loaded_not_made_again(stack):
    stack.up()
    stack.rpc("unloadwallet", "shiftboss", False)
    height = stack.height()
    document = stack.up()
    assert document["ending"] == "converged"
    assert ("wallet", "load_wallet") in {(one["component"], one["strategy"]) for one in document["delegations"]}
    assert stack.height() <= height + 1


def test_a_replaced_cookie_is_no_trouble(stack):
    stack.up()
    stack.kill("daemon", signal.SIGTERM)
    eventually(lambda: not (stack.folder / "daemon" / "regtest" / ".cookie").exists(), what="the cookie's end")
    document = stack.up()
    assert document["ending"] == "converged"
    assert "pool.config" not in touched(document)


def test_down_keeps_data_and_purge_moves_it_aside(stack):
    stack.up("wallet")
    stack.run("down")
    assert stack.processes() == []
    assert (stack.folder / "daemon" / "regtest" / "blocks").is_dir()
    document = stack.run("down", "--purge")
    assert not stack.folder.exists()
    aside = next(stack.home.glob("aside/regtest-*/data/env/regtest"))
    assert (aside / "daemon" / "regtest" / "blocks").is_dir()
    assert document["mutations"] == 1


def test_restart_replaces_one_process_and_proves_again(stack):
    stack.up()
    pool, daemon, miner = (stack.pid(name) for name in ("pool", "daemon", "miner"))
    document = stack.run("restart", "pool")
    assert document["ending"] == "converged"
    assert stack.pid("pool") != pool
    assert (stack.pid("daemon"), stack.pid("miner")) == (daemon, miner)
    assert touched(document) == {"pool", "cycle"}


def test_an_idle_miner_still_proves_the_cycle(stack):
    document = stack.up(**{"miner.block_interval": "off"})
    assert document["ending"] == "converged"
    assert document["proof"]["regtest"]["worker"] == "shiftboss.1"
    height = stack.height()
    assert document["proof"]["regtest"]["height_after"] <= height


def test_both_pipelines_reach_the_same_end_state(stack):
    hub = stack.up()
    scripted = stack.run("up", "mining", "--pipeline", "mining-infrastructure-setup")
    assert (hub["ending"], scripted["ending"]) == ("converged", "converged")
    health = {key: one["health"] for key, one in hub["components"].items()}
    assert {key: one["health"] for key, one in scripted["components"].items()} == health
    assert set(health.values()) == {"ready"}
    assert scripted["endpoints"] == hub["endpoints"]
    forced = {one["component"] for one in scripted["delegations"] if one["mode"] == "force"}
    assert {"daemon", "wallet", "pool", "miner"} <= forced, "the script does it all again"
    assert stack.run("status")["components"].keys() == health.keys()
