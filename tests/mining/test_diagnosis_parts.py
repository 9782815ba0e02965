"""Pool and miner of a real stack: each fault gets its kind from their probes."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest

from helpers import eventually
from shiftboss.app import Request, open_session
from shiftboss.model.failure import FailureKind as Kind
from shiftboss.model.observation import Health
from shiftboss.packs.mining import miner, pool
from shiftboss.packs.mining.layout import layout
from shiftboss.packs.mining.pack import PACK
from shiftboss.system import net, proc

pytestmark = pytest.mark.real


@pytest.fixture
def bench(stack):
    stack.up()
    sets = [f"{key}={value}" for key, value in stack.settings.items()]
    return open_session(Request(workdir=stack.home, sets=sets, environ={})).benches["regtest"]


def look(bench, part):
    return asyncio.run(pool.probe_pool(bench) if part == "pool" else miner.probe_miner(bench))


def test_pool_and_miner_are_diagnosed(stack, bench):
    measures = look(bench, "pool").measures
    assert {"template_age", "shares", "rejects", "rss_mb", "fds"} <= measures.keys()
    assert {"reject_rate", "rss_mb", "fds"} <= look(bench, "miner").measures.keys()
    assert PACK.versions(bench)["bitcoind"]
    for part in ("pool", "miner"):
        pid = stack.pid(part)
        os.kill(pid, signal.SIGSTOP)
        eventually(lambda pid=pid: proc.state(pid) == "T", what="the stop")
        seen = look(bench, part)
        assert (seen.failure, seen.evidence["state"]) == (Kind.FROZEN, "T")
        os.kill(pid, signal.SIGCONT)
    eventually(lambda: look(bench, "miner").health is Health.READY, what="the miner")
    status = layout(bench).miner_status
    told = json.loads(status.read_text())
    status.write_text(json.dumps({**told, "accepted": 0, "rejected": 50}))
    assert look(bench, "miner").failure is Kind.REJECTED
    stack.kill("daemon")
    stale = eventually(lambda: _failing(look(bench, "pool")), what="the pool's complaint")
    assert stale.failure is Kind.DISCONNECTED, "its daemon is gone, whatever shares it still takes"
    stack.kill("pool")
    assert eventually(lambda: look(bench, "pool").failure, what="the pool's end") is Kind.DIED
    _taken(bench)


def _failing(seen):
    return seen if seen.failure else None


def _taken(bench):
    listener = f"import socket,time;s=socket.create_server(('127.0.0.1',{bench.ports['stratum']}));time.sleep(100)"
    marks = {**os.environ, **bench.processes.helper_variables("r", "d")}
    for environ, kind in ((dict(os.environ), Kind.PORT_FOREIGN), (marks, Kind.PORT_ORPHAN)):
        holder = subprocess.Popen([sys.executable, "-c", listener], env=environ)
        try:
            eventually(lambda: net.holder(bench.ports["stratum"]), what="the listener")
            seen = look(bench, "pool")
            assert (seen.failure, seen.evidence["holder"]) == (kind, holder.pid)
        finally:
            holder.kill()
            holder.wait()


def test_there_is_advice_for_each_kind_and_it_says_what_destroys(stack):
    sets = [f"{key}={value}" for key, value in stack.settings.items()]
    bench = open_session(Request(workdir=stack.home, sets=sets, environ={})).benches["regtest"]
    for kind in Kind:
        found = PACK.advise("daemon", kind, bench)
        assert found
        assert {risk for _, risk in found} <= {"safe", "destructive"}
        for command, risk in found:
            if any(word in command for word in ("-reindex", "rm -r", " restore ", "kill PID", "chown")):
                assert risk == "destructive", command
