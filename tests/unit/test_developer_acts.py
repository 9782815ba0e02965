"""Developer acts, second node and ZMQ without any process: what is decided before anything is asked or started."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from command import document, no_traceback, shiftboss
from shiftboss import acting
from shiftboss.app import Request, open_session
from shiftboss.environments import Place, enrol
from shiftboss.errors import BadInput
from shiftboss.frontends import failures, verbs_act
from shiftboss.handlers import python
from shiftboss.packs.mining import developer, maturity, miner, pool
from shiftboss.packs.mining.configs import daemon_text, peer_text
from shiftboss.packs.mining.developer import replaced, room, spread
from shiftboss.packs.mining.layout import daemon_ports
from shiftboss.packs.mining.stratum.client import PoolClient, PoolRefuses
from shiftboss.packs.mining.stratum.log import Log


def opened(home, *sets, environments=("regtest",)):
    return open_session(Request(workdir=home, sets=sets, environ={}, cwd=home, environments=environments))


def bench_of(home, *sets, name="regtest"):
    return opened(home, *sets, environments=(name,)).benches[name]


def tip(height, name, status):
    return {"height": height, "hash": name, "status": status}


def test_what_a_reorganisation_replaces_is_what_was_there_when_it_began():
    before = [
        tip(10, "best", "active"),
        tip(10, "lost the race", "valid-headers"),
        tip(9, "earlier", "valid-fork"),
        tip(12, "marked by hand", "invalid"),
    ]
    marked = [{**one, "status": "invalid"} for one in before]
    assert replaced(before, [tip(7, "fork", "active"), *marked[::-1]])["hash"] == "best"
    grown = [tip(8, "found on the fork", "active"), tip(11, "found on the best", "invalid"), *marked[1:]]
    assert replaced(before, grown)["hash"] == "found on the best"


@pytest.mark.parametrize(
    ("coins", "waiting", "most"),
    [(0, 0, 0), (1, 0, 25), (3, 400, 50), (3, 0, 75), (100, 3, 447), (9, 9999, 0)],
)
def test_no_more_is_sent_than_mempool_and_wallet_bear(coins, waiting, most):
    assert room(coins, waiting) == most


@pytest.mark.parametrize(("number", "coins", "each"), [(1, 1, [1]), (7, 3, [3, 2, 2]), (2, 4, [1, 1, 0, 0])])
def test_payments_are_spread_evenly_over_the_coins(number, coins, each):
    assert spread(number, coins) == each


def test_a_second_node_is_a_part_only_where_it_is_asked_for(tmp_path):
    for name in ("regtest", "testnet4", "main"):
        without, with_it = (opened(tmp_path, f"daemon.peer={on}", environments=(name,)) for on in ("no", "yes"))
        assert with_it.parts[name] - without.parts[name] == {"peer", "peer.config"}


def test_the_nodes_find_each_other_on_loopback_only(tmp_path):
    bench = bench_of(tmp_path, "daemon.peer=yes", name="signet")
    first, second = (text.splitlines() for text in (daemon_text(bench), peer_text(bench)))
    p2p = bench.ports["p2p"]
    assert {"listen=1", f"bind=127.0.0.1:{p2p}", "listenonion=0", "connect=0"} <= set(first)
    assert [line for line in second if "connect" in line or "listen" in line] == [
        "listen=0",
        f"connect=127.0.0.1:{p2p}",
    ]
    challenge = [line for line in first if line.startswith("signetchallenge=")]
    assert [line for line in second if line.startswith("signetchallenge=")] == challenge
    assert daemon_ports(bench) == ("rpc", "p2p")


def test_zmq_is_asked_of_the_daemon_and_handed_to_the_pool(tmp_path):
    bench = bench_of(tmp_path, "daemon.zmq=yes", 'pool.command=["mypool", "--hashblock={zmq}"]')
    assert f"zmqpubhashblock=tcp://127.0.0.1:{bench.ports['zmq']}" in daemon_text(bench).splitlines()
    assert pool._command(bench)[-1] == f"--hashblock=tcp://127.0.0.1:{bench.ports['zmq']}"
    assert daemon_ports(bench) == ("rpc", "zmq")


@pytest.mark.parametrize(
    ("sets", "what"),
    [
        (['pool.command=["p", "{zmq}"]'], "daemon.zmq is off"),
        (["daemon.zmq=yes", "daemon.rpc=127.0.0.1:9", "daemon.cookie_file=c"], "daemon.zmq is for a daemon"),
        (["daemon.peer=yes", "daemon.rpc=127.0.0.1:9", "daemon.cookie_file=c"], "daemon.peer is for a daemon"),
    ],
)
def test_what_can_not_be_is_said_before_anything_is_started(tmp_path, sets, what):
    with pytest.raises(BadInput, match=what):
        opened(tmp_path, *sets)


def test_maturity_is_asked_for_only_where_blocks_cost_nothing(tmp_path):
    names = ("regtest", "signet")
    asked = {name: maturity.asked_for(bench_of(tmp_path, "proof.until=maturity", name=name)) for name in names}
    assert asked == {"regtest": True, "signet": False}
    assert not maturity.asked_for(bench_of(tmp_path))


def places(home, **profiles):
    enrol(home / ".shiftboss", [Place(name=n, profile=p, slot=k) for k, (n, p) in enumerate(profiles.items())])


def said(result):
    no_traceback(result)
    return result.returncode, " ".join(result.stderr.split())


def test_an_act_is_done_where_it_can_only_be_meant(tmp_path):
    places(tmp_path, far="testnet4", near="regtest")
    code, text = said(shiftboss(tmp_path, "mine", "2"))
    assert (code, "mine in near: the daemon is not ready" in text) == (2, True), text
    places(tmp_path, far="testnet4", near="regtest", other="regtest")
    code, text = said(shiftboss(tmp_path, "reorg"))
    assert (code, "it is not said where: the environments here are far, near, other" in text) == (2, True), text
    code, text = said(shiftboss(tmp_path, "reorg", "--env", "far"))
    assert (code, "blocks can't be made at will on testnet4" in text) == (2, True), text


def test_nothing_is_sent_or_mined_on_main_and_nothing_is_made(tmp_path):
    for words in (("mine",), ("reorg", "3"), ("send", "3")):
        found = document(shiftboss(tmp_path, *words, "--env", "main", "--json"))
        assert "nothing is made or sent on main" in found["diagnostics"][0]["what"]
    assert list(tmp_path.iterdir()) == []


ACTS = """
import asyncio
from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind

DONE = []

class Act:
    async def check(self, bench, number):
        if number == 7 and bench.environment.name == "second":
            raise Failed(FailureKind.CONFIG, "not here")

    async def __call__(self, bench, number):
        name = bench.environment.name
        if name == "second" and number == 8:
            error = Failed(FailureKind.DIED, "it went away")
            error.changes.append("3 of 8 were made")
            raise error
        if name == "second":
            asyncio.current_task().cancel()
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError as stop:
                stop.add_note("4 of 9 were made")
                raise
        DONE.append(name)
        return {"made": number}

act = Act()
"""


def played(home):
    """A session of two environments whose pack can do what the text above says, and what was done."""
    file = home / "acts.py"
    file.write_text(ACTS)
    places(home, first="regtest", second="regtest")
    session = opened(home / ".shiftboss", environments=("first", "second"))
    acts = {"mine": f"{file}:act"}
    session = session.but(pack=session.pack.but(acts=acts))
    return session, python.load(f"{file}:DONE", "")


def test_an_act_is_done_nowhere_if_it_is_impossible_somewhere(tmp_path):
    session, done = played(tmp_path)
    with pytest.raises(BadInput, match="mine in second: not here"):
        asyncio.run(acting.act(session, "mine", 7))
    assert done == []


def test_an_act_cut_short_says_what_was_done_in_each_environment(tmp_path, monkeypatch, capsys):
    session, _ = played(tmp_path)
    monkeypatch.setattr(verbs_act, "session_of", lambda _call: session)

    def answer(number):
        call = SimpleNamespace(verb="mine", json=True, quiet=False, more={"number": number})
        return verbs_act.mine(call), json.loads(capsys.readouterr().out)

    failed = {"error": "it went away", "done": "3 of 8 were made"}
    assert answer(8) == (3, {"first": {"made": 8}, "second": failed})
    assert answer(9) == (130, {"first": {"made": 9}, "second": {"interrupted": "4 of 9 were made"}})


class Node:
    """A daemon that takes its time for each batch of blocks."""

    def __init__(self):
        self.height = 0
        self.asked = asyncio.Event()

    async def call(self, _method, number, *_rest):
        self.asked.set()
        await asyncio.sleep(0.01)
        self.height += number
        return [f"{self.height - number + n}" for n in range(number)]


def test_an_interrupt_ends_the_making_of_blocks_after_a_batch_and_counts_right(tmp_path):
    async def run():
        node, found = Node(), []
        making = asyncio.create_task(developer._generate(bench_of(tmp_path), node, 1000, "address", found))
        await node.asked.wait()
        making.cancel()
        await asyncio.wait([making])
        assert making.cancelled()
        assert (len(found), node.height) == (developer.CHUNK, developer.CHUNK)

    asyncio.run(run())


def test_the_advice_to_send_less_can_be_followed():
    assert "shiftboss send 450, then shiftboss mine 1" in developer._how_to_send(450)
    assert developer._how_to_send(0).startswith("shiftboss mine 1")
    assert "tied up by payments that wait" in developer._too_many(1000, 0, 450, tied=True)
    assert "0 free and confirmed" in developer._too_many(1, 0, 0, tied=False)


def test_work_made_stale_by_a_block_is_not_refused_work():
    assert miner._rates(10, 30, 30)["reject_rate"] == 0.0
    assert miner._rates(10, 30, 0)["reject_rate"] == 0.75


@pytest.mark.parametrize(("code", "newer", "stale"), [(21, True, 1), (21, False, 0), (23, True, 0)])
def test_only_what_a_newer_job_overtook_counts_as_stale(code, newer, stale):
    async def run():
        client = PoolClient(("127.0.0.1", 1), "a.1", Log("error"), lambda: None)
        client.facts.authorized = True
        order = SimpleNamespace(job=[], job_id="1", extranonce2="00", time="0")
        client._job = ["newer"] if newer else order.job

        async def refuse(*_request):
            raise PoolRefuses("no", code)

        client._call = refuse
        assert not await client.submit(order, 0)
        assert (client.facts.rejected, client.facts.stale) == (1, stale)

    asyncio.run(run())


@pytest.mark.parametrize("words", [("compare", "a", "b"), ("--json", "mine", "3"), ("up",)])
def test_only_what_left_the_stack_alone_says_so_when_interrupted(words, capsys):
    assert failures.tell(KeyboardInterrupt(), words) == 130
    said = " ".join("".join(capsys.readouterr()).split())
    assert ("the stack was left as it is" in said) == (words == ("up",))
    assert ("the throw-away stacks are stopped" in said) == (words[0] == "compare")
