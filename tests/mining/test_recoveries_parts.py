"""Recoveries of processes, ports, space and programs on real parts, driven directly."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest
from driven import Driven, fingerprints, lock

from helpers import eventually, free_ports, put_script
from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health
from shiftboss.packs.mining import wallet
from shiftboss.system import proc

pytestmark = pytest.mark.real


@pytest.fixture
def driven(stack):
    return Driven(stack)


def test_a_stopped_daemon_is_let_go_on(driven):
    driven.start()
    pid = driven.stack.kill("daemon", signal.SIGSTOP)
    eventually(lambda: proc.state(pid) == "T", what="the stop")
    outcome = driven.do("thaw", kind=FailureKind.FROZEN)
    assert len(outcome.changes) == 1
    assert driven.seen().health is Health.READY
    assert driven.stack.pid("daemon") == pid
    assert driven.do("thaw", kind=FailureKind.FROZEN).changes == (), "nothing more to do"


def test_what_no_signal_has_stopped_is_not_thawed(driven):
    with pytest.raises(Failed) as failed:
        driven.do("thaw", "miner", FailureKind.FROZEN)
    assert failed.value.kind is FailureKind.FROZEN


HOLDER = """
import os, signal, socket, sys
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
held = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(flush=True)
signal.pause()
"""


@pytest.fixture
def holder():
    """Starts foreign processes that hold a port."""
    started = []

    def start(port, how="meek", **environ):
        words = [sys.executable, "-c", HOLDER, str(port), how]
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, **environ}))
        started[-1].stdout.readline()
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait()
        one.stdout.close()


@pytest.mark.parametrize("how", ["meek", "stubborn"])
def test_the_foreign_holder_of_our_port_is_ended_and_only_that(driven, holder, how, monkeypatch):
    monkeypatch.setattr("shiftboss.packs.mining.recoveries.holders.DAEMON_GRACE_SECONDS", 0.3)
    ours, other = holder(driven.bench.ports["rpc"], how), holder(free_ports(1)[0])
    outcome = driven.do("stop_holder", kind=FailureKind.PORT_FOREIGN)
    assert ours.wait(5) == (-signal.SIGTERM if how == "meek" else -signal.SIGKILL)
    assert other.poll() is None
    assert len(outcome.changes) == 1
    assert driven.do("stop_holder", kind=FailureKind.PORT_FOREIGN).changes == ()


def test_a_left_over_of_ours_is_stopped_but_a_foreign_process_is_not(driven, holder):
    marks = driven.bench.processes.helper_variables("r", "r/0/0")
    left_over = holder(driven.bench.ports["stratum"], **{**marks, "SHIFTBOSS_COMPONENT": "pool-left"})
    foreign = holder(driven.bench.ports["pool_status"])
    with pytest.raises(Failed) as failed:
        driven.do("stop_orphan", "pool", FailureKind.PORT_ORPHAN)
    assert failed.value.kind is FailureKind.PORT_FOREIGN
    assert left_over.wait(5) == -signal.SIGTERM
    assert foreign.poll() is None
    assert len(failed.value.changes) == 1


def test_a_data_folder_locked_by_a_foreign_daemon_is_freed_by_ending_it(driven, bitcoind):
    words = [str(bitcoind), f"-datadir={driven.stack.folder / 'daemon'}", f"-rpcport={free_ports(1)[0]}"]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    foreign = subprocess.Popen(words, **streams)
    try:
        eventually(lambda: driven.seen().failure is FailureKind.LOCKED, what="the lock")
        purse = asyncio.run(wallet.probe_wallet(driven.bench))
        assert (purse.health, purse.summary) == (Health.ABSENT, "our daemon does not run")
        with pytest.raises(Failed) as failed:
            driven.do("stop_orphan", kind=FailureKind.LOCKED)
        assert (failed.value.kind, foreign.poll()) == (FailureKind.LOCKED, None), "it is not ours: left alone"
        driven.do("stop_holder", kind=FailureKind.LOCKED)
        assert foreign.wait(10) == 0
        driven.start()
    finally:
        foreign.kill()
        foreign.wait()


def test_space_is_freed_from_old_logs_before_anything_else(driven, monkeypatch):
    logs = driven.stack.folder / "logs"
    logs.mkdir(exist_ok=True)
    for name in ("pool.log", "pool.log.1", "pool.log.2", "notes.txt"):
        (logs / name).write_text("x" * 1000)
    room = iter([0, 0, 10**12, 10**12, 10**12, 10**12])
    monkeypatch.setattr("shiftboss.packs.mining.recoveries.space.free_bytes", lambda _path: next(room))
    outcome = driven.do("free_space", kind=FailureKind.NO_SPACE)
    assert sorted(path.name for path in logs.iterdir() if path.stat().st_size == 1000) == ["notes.txt", "pool.log"]
    assert all("1000 bytes" in change for change in outcome.changes)


def test_our_own_downloads_go_last_and_what_does_not_suffice_is_said(stack, monkeypatch, tmp_path):
    store = tmp_path / "cache" / "debian" / "amd64" / "sid" / "bitcoin-knots"
    store.mkdir(parents=True)
    for name in ("manifest.json", "one.deb", "foreign.txt"):
        (store / name).write_text("x" * 1000)
    (tmp_path / "cache" / "other").write_text("not ours")
    stack.settings["cache.folder"] = tmp_path / "cache"
    driven = Driven(stack)
    monkeypatch.setattr("shiftboss.packs.mining.recoveries.space.free_bytes", lambda _path: 1000)
    with pytest.raises(Failed) as failed:
        driven.do("free_space", kind=FailureKind.NO_SPACE)
    assert failed.value.kind is FailureKind.NO_SPACE
    assert len(failed.value.changes) == 2
    assert [path.name for path in store.iterdir()] == ["foreign.txt"]
    assert (tmp_path / "cache" / "other").exists()


def test_a_port_that_moved_in_vain_moves_back(driven, holder):
    before = dict(driven.bench.ports)
    texts = [(driven.stack.folder / name).read_text() for name in ("pool/pool.json", "miner/miner.json")]
    holder(before["stratum"])
    driven.do("relocate_port", "pool", FailureKind.PORT_FOREIGN)
    assert driven.bench.ports["stratum"] != before["stratum"]
    driven.undo()
    assert driven.bench.ports == before
    assert [(driven.stack.folder / name).read_text() for name in ("pool/pool.json", "miner/miner.json")] == texts


def test_pool_and_miner_are_started_again_and_the_daemon_is_left_alone(stack):
    stack.up()
    driven = Driven(stack)
    before = {part: stack.pid(part) for part in ("daemon", "pool", "miner")}
    driven.do("restart_rest", "pool", FailureKind.REJECTED)
    after = {part: stack.pid(part) for part in before}
    assert {part for part in before if before[part] != after[part]} == {"pool", "miner"}


def test_another_failure_than_the_one_ordered_is_not_treated(driven, holder):
    holder(driven.bench.ports["rpc"])
    before = fingerprints(driven.chain)
    for strategy in ("reindex", "reset_environment", "restore_wallet"):
        with pytest.raises(Failed) as failed:
            driven.do(strategy, kind=FailureKind.DATA_DAMAGED)
        assert failed.value.kind is FailureKind.PORT_FOREIGN
    assert fingerprints(driven.chain) == before


def test_what_is_well_is_left_alone(driven):
    driven.start_wallet()
    pid = driven.stack.pid("daemon")
    for strategy in ("reindex", "reset_environment", "restart_one", "stop_holder", "relocate_rpc_port", "reinstall"):
        assert driven.do(strategy, kind=FailureKind.DIED).changes == ()
    assert driven.stack.pid("daemon") == pid


def test_a_program_of_the_user_s_own_is_not_installed_again(driven):
    with pytest.raises(Failed) as failed:
        driven.do("reinstall", kind=FailureKind.MISSING_BINARY)
    assert failed.value.kind is FailureKind.NO_PROVIDER


def test_an_unknown_strategy_is_named(driven):
    with pytest.raises(Failed, match="no strategy 'wishing'"):
        driven.do("wishing")


def test_our_own_program_is_installed_again_and_the_broken_one_lies_aside(stack):
    del stack.settings["daemon.binary"]
    if os.environ.get("SHIFTBOSS_CACHE"):
        stack.settings["cache.folder"] = os.environ["SHIFTBOSS_CACHE"]
    driven = Driven(stack)
    prefix = stack.home / "prefix" / "bitcoin-knots"
    (prefix / "bin").mkdir(parents=True)
    put_script(prefix / "bin", "bitcoind", "echo 'error while loading shared libraries: libevent.so' >&2; exit 127\n")
    assert lock(driven) is FailureKind.MISSING_BINARY
    driven.do("reinstall", kind=FailureKind.MISSING_BINARY)
    driven.start()
    assert stack.height() == 101
    [snapshot] = driven.bench.aside.list()
    assert snapshot.paths == ("prefix/bitcoin-knots",)
    driven.undo()
    assert "libevent" in (prefix / "bin" / "bitcoind").read_text()
    assert stack.processes() == []
