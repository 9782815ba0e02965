"""What the user runs himself: an adopted daemon, a pool by command or attached. Ours to use, not to touch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from stacks import Stack, touched

from helpers import eventually, free_ports

pytestmark = pytest.mark.real

POOL_PROGRAM = Path(__file__).with_name("own_pool.py")


@pytest.fixture
def own_daemon(bitcoind, tmp_path):
    """A daemon started by hand, as a user would."""
    folder = tmp_path / "own"
    folder.mkdir()
    port = free_ports(1)[0]
    arguments = [f"-datadir={folder}", "-regtest", "-listen=0", f"-rpcport={port}"]
    daemon = subprocess.Popen(
        [str(bitcoind), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    cookie = folder / "regtest" / ".cookie"
    eventually(cookie.exists, what="the daemon's cookie")
    yield daemon, {"daemon.rpc": f"127.0.0.1:{port}", "daemon.cookie_file": cookie}
    daemon.terminate()
    daemon.wait(60)


@pytest.fixture
def adopting(own_daemon, tmp_path):
    made = Stack(tmp_path / "work", None, **own_daemon[1])
    yield made
    made.end()


def test_an_adopted_daemon_is_used_and_survives_down(adopting, own_daemon):
    daemon = own_daemon[0]
    first = adopting.up()
    assert first["ending"] == "converged"
    assert first["components"]["regtest/daemon"]["evidence"]["pid"] == daemon.pid
    assert not touched(first) & {"daemon", "daemon.binary", "daemon.config"}
    assert not (adopting.folder / "daemon").exists(), "nothing of ours is written for a daemon that is not ours"
    assert adopting.up()["mutations"] == 0
    adopting.run("down")
    assert daemon.poll() is None
    assert adopting.processes() == []


def test_an_adopted_daemon_that_is_gone_is_a_human_s_business(adopting, own_daemon):
    adopting.up()
    daemon = own_daemon[0]
    daemon.terminate()
    daemon.wait(60)
    document = adopting.up(code=3)
    assert document["ending"] == "escalated"
    assert "daemon" not in touched(document)


def own_pool_settings():
    words = [sys.executable, str(POOL_PROGRAM), "{rpc}", "{rpc_cookie_file}", "{stratum_port}", "{address}"]
    return {"pool.command": json.dumps(words)}


def test_a_pool_of_the_user_s_own_takes_the_place_of_ours(stack, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(POOL_PROGRAM.parents[1]))
    stack.settings.update(own_pool_settings())
    document = stack.up()
    assert document["ending"] == "converged"
    assert "pool_status" not in document["endpoints"]["regtest"]
    assert stack.up()["mutations"] == 0
    stack.kill("pool")
    again = stack.up()
    assert touched(again) == {"pool", "cycle"}
    stack.run("down")
    assert stack.processes() == []


def test_a_pool_that_already_runs_is_attached_and_never_stopped(stack, monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(POOL_PROGRAM.parents[1]))
    wallet = stack.up("wallet")
    ends = wallet["endpoints"]["regtest"]
    port = free_ports(1)[0]
    pool = subprocess.Popen(
        [sys.executable, str(POOL_PROGRAM), ends["rpc"], ends["rpc_cookie_file"], str(port), ends["address"]],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        stack.settings["pool.attach"] = f"127.0.0.1:{port}"
        document = stack.up()
        assert document["ending"] == "converged"
        assert document["components"]["regtest/pool"]["evidence"]["attached"]
        assert "pool" not in touched(document)
        stack.run("down")
        assert pool.poll() is None
    finally:
        pool.terminate()
        pool.wait(20)


def test_an_attached_pool_that_is_gone_is_a_human_s_business(stack):
    stack.settings["pool.attach"] = f"127.0.0.1:{free_ports(1)[0]}"
    document = stack.up(code=3)
    assert document["ending"] == "escalated"
    assert "your pool at" in document["report"]["regtest"]["why"]
