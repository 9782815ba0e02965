"""What pool developers do to a real stack: blocks, reorganisations, traffic, ZMQ, a second node, a ripened reward."""

import asyncio
import json
import signal
import socket
import urllib.request

import pytest
from stacks import touched
from zmtp import Subscriber

from helpers import eventually, free_ports
from shiftboss.system import net
from shiftboss.system.rpc import Rpc

pytestmark = pytest.mark.real


def act(stack, *words, code=0):
    """What a developer's act says of the only environment."""
    return stack.run(*words, code=code).get("regtest")


def second(stack, method, *params):
    """Ask the second node."""
    cookie = stack.folder / "peer" / "regtest" / ".cookie"
    client = Rpc(f"http://127.0.0.1:{stack.settings['ports.peer']}", cookie)
    return asyncio.run(client.call(method, *params))


def pool_tip(stack):
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.ports['pool_status']}/status", timeout=5) as answer:
        return json.load(answer)["tip"]


def together(stack, tip):
    """Daemon, second node and pool are all on a tip, soon."""
    assert stack.rpc("getbestblockhash") == tip
    eventually(lambda: second(stack, "getbestblockhash") == tip, seconds=10, what="the tip at the second node")
    eventually(lambda: pool_tip(stack) == tip, seconds=5, what="the tip at the pool")


def an_interrupt_ends_it_soon(stack):
    """Ctrl-C while blocks are made: the answer says how many there are."""
    height = stack.height()
    mining = stack.start("mine", "100000", "--json")
    eventually(lambda: stack.height() > height, seconds=20, what="the first blocks")
    mining.send_signal(signal.SIGINT)
    assert mining.wait(timeout=20) == 130
    said = json.loads(stack.printed.read_text())["regtest"]
    assert said == {"interrupted": f"{stack.height() - height} of 100000 blocks were made"}


@pytest.fixture
def developer(stack):
    """A stack with a second node and ZMQ, whose miner leaves the blocks to us."""
    stack.ports = dict(zip((*stack.ports, "zmq", "peer"), free_ports(6), strict=True))  # at once: all are different
    stack.settings |= {f"ports.{name}": port for name, port in stack.ports.items()}
    stack.settings |= {"daemon.zmq": "yes", "daemon.peer": "yes", "miner.block_interval": "off"}
    return stack


def test_blocks_reorganisations_and_traffic_over_two_nodes(developer):
    refused = developer.run("mine", code=2)
    assert "the daemon is not ready" in str(refused)

    first = developer.up()
    endpoints = first["endpoints"]["regtest"]
    assert endpoints["peer_rpc"].endswith(f":{developer.settings['ports.peer']}")
    assert second(developer, "getconnectioncount") == 1
    hearing = Subscriber(int(endpoints["zmq"].rpartition(":")[2]), b"hashblock")

    # Blocks: announced over ZMQ, and everybody follows.
    before = developer.height()
    made = act(developer, "mine", "2")
    assert (made["height_before"], made["height_after"], developer.height()) == (before, before + 2, before + 2)
    topic, announced, _ = [hearing.message() for _ in range(2)][-1]
    assert (topic, announced.hex()) == (b"hashblock", made["newest_block"])
    hearing.close()
    together(developer, made["newest_block"])

    # Payments: as many as were asked for, or none.
    sent = act(developer, "send", "30")
    assert (sent["sent"], sent["mempool"], len(set(sent["txids"]))) == (30, 30, 30)
    assert set(developer.rpc("getrawmempool")) == set(sent["txids"])
    assert {developer.rpc("getrawtransaction", txid, True)["locktime"] for txid in sent["txids"]} == {0}
    assert "tied up by payments that wait" in str(developer.run("send", "100000", code=2))
    assert developer.rpc("getmempoolinfo")["size"] == 30

    # A reorganisation below the proven block: nobody needs help but the proof.
    height, depth = developer.height(), developer.height() - first["proof"]["regtest"]["height_after"] + 1
    turned = act(developer, "reorg", str(depth))
    assert (turned["fork_height"], turned["height"]) == (height - depth, height + 1)
    assert developer.rpc("getblockheader", turned["old_tip"])["confirmations"] == -1
    assert "up proves again" in turned["proof"]
    together(developer, turned["new_tip"])
    tips = {tip["hash"]: tip["status"] for tip in developer.rpc("getchaintips")}
    assert tips[turned["old_tip"]] == "valid-fork", "left behind, not marked as bad: another node may build on it"
    noted = json.loads((developer.folder / "chain.json").read_text())
    assert noted == {"height": turned["height"], "hash": turned["new_tip"]}
    again = developer.up()
    assert touched(again) == {"cycle"}

    # One after the other, each as deep or deeper: what was left behind does not come up again.
    seen = {turned["old_tip"], turned["new_tip"]}
    for depth in (2, 2, 4):
        next_one, height = act(developer, "reorg", str(depth)), developer.height()
        assert (next_one["fork_height"], next_one["height"]) == (height - 1 - depth, height)
        newest = {developer.rpc("getblockhash", height - n) for n in range(depth + 1)}
        assert not newest & seen
        seen |= newest
    together(developer, next_one["new_tip"])
    assert "invalid" not in {tip["status"] for tip in developer.rpc("getchaintips")}

    an_interrupt_ends_it_soon(developer)

    # The same tip after a kill: nobody takes the reorganisation for a loss.
    height = developer.height()
    developer.kill("daemon")
    healed = developer.up()
    assert "data_lost" not in str(healed)
    assert developer.height() >= height
    assert second(developer, "getconnectioncount") == 1


def test_a_zmq_port_that_is_taken_moves_and_the_second_node_can_be_killed(developer):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", developer.settings["ports.zmq"]))
        squatter.listen()
        up = developer.up("daemon", "peer")
        assert [one["strategy"] for one in up["delegations"] if one["strategy"]] == ["relocate_rpc_port"]
    port = developer.moved()["zmq"]
    assert port != developer.settings["ports.zmq"]
    assert net.holder(port).pid == developer.pid("daemon")
    assert net.holder(developer.moved()["rpc"]).pid == developer.pid("daemon")

    developer.kill("peer")
    again = developer.up("peer")
    assert touched(again) == {"peer"}
    assert second(developer, "getbestblockhash") == developer.rpc("getbestblockhash")
    assert developer.up("peer")["delegations"] == []
    developer.run("down")
    assert developer.processes() == []


def test_a_proof_to_maturity_goes_on_from_the_block_to_the_money(stack):
    block = stack.up(**{"miner.block_interval": "off"})["proof"]["regtest"]
    assert "maturity" not in block
    stack.settings["miner.block_interval"] = "off"
    ripe = stack.up("--prove", "maturity")["proof"]["regtest"]
    assert (ripe["block_hash"], ripe["maturity"]) == (block["block_hash"], True)
    last = ripe["checkpoints"][-1]
    assert (last["name"], last["confirmations"]) == ("reward can be spent", 101)
    reward = stack.rpc("getblock", ripe["block_hash"])["tx"][0]
    spendable = {coin["txid"]: coin for coin in stack.rpc("listunspent", 101, wallet="shiftboss")}
    assert spendable[reward]["spendable"]
    assert float(spendable[reward]["amount"]) == last["amount"]
    height = stack.height()
    assert stack.up("--prove", "maturity")["delegations"] == stack.up()["delegations"] == []
    assert stack.height() == height
