"""Each recovery on real parts, driven directly: it helps, or says that it did not, and never leaves it worse."""

import asyncio
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from helpers import eventually, free_ports, put_script
from shiftboss import restoring
from shiftboss.app import Request, open_session
from shiftboss.errors import BadInput, Failed, Refused
from shiftboss.frontends import verbs_restore
from shiftboss.frontends.arguments import Call
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health
from shiftboss.packs.mining import daemon, wallet
from shiftboss.packs.mining.configs import write_config
from shiftboss.packs.mining.recovery import handle
from shiftboss.system import net, proc
from shiftboss.system.files import copy_durably
from shiftboss.system.lock import EnvironmentLock

pytestmark = pytest.mark.real

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


@pytest.fixture
def driven(stack):
    return Driven(stack)


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


def test_a_damaged_undo_file_is_repaired_and_all_blocks_are_there_again(driven):
    scribble(driven.chain / "blocks" / "rev00000.dat", 0, 4000)
    lock(driven)
    outcome = driven.do("reindex", kind=FailureKind.DATA_DAMAGED)
    assert driven.stack.height() == 101
    assert outcome.evidence["height_before"] == outcome.evidence["height_after"] == 101
    assert any("copied" in change for change in outcome.changes)
    assert driven.bench.undo.open() == ["r/1/0"]
    driven.bench.undo.keep("r/1/0")
    assert list((driven.stack.folder / "undo").iterdir()) == [], "the copy is dropped when it was of use to nobody"


def test_a_damaged_chainstate_is_rebuilt(driven):
    manifest = next((driven.chain / "chainstate").glob("MANIFEST-*"))
    scribble(manifest, 0, 64)
    lock(driven)
    outcome = driven.do("reindex", kind=FailureKind.DATA_DAMAGED)
    assert driven.stack.height() == 101
    assert outcome.evidence["repair"] == "-reindex-chainstate"


def test_lost_blocks_are_no_success_and_the_damaged_folder_is_put_back_byte_for_byte(driven):
    lose_blocks(driven, above=75)
    lock(driven)
    before = fingerprints(driven.chain)
    with pytest.raises(Failed, match=r"height \d+ after the repair \(-reindex\), 101 before") as failed:
        driven.do("reindex", kind=FailureKind.DATA_DAMAGED)
    assert failed.value.kind is FailureKind.DATA_LOST
    assert any("started the daemon" in change for change in failed.value.changes)
    undone = driven.undo()
    assert fingerprints(driven.chain) == before
    assert driven.stack.processes() == []
    assert undone.changes[0] == "stopped the daemon"
    assert driven.seen().failure is FailureKind.DATA_DAMAGED, "it is as broken as before, and as clearly"
    assert len(driven.bench.aside.list()) == 1, "what the repair left is kept too"
    assert driven.undo().changes == (), "a second time there is nothing to take back"


def test_a_chain_that_went_back_silently_comes_back_from_its_blocks(driven):
    driven.start_wallet()
    driven.stack.rpc("generatetoaddress", 9, wallet.address(driven.bench))
    driven.stack.kill("daemon")
    eventually(lambda: net.holder(driven.bench.ports["rpc"]) is None, what="the end of its last thread")
    with pytest.raises(Failed) as lost:
        driven.start()
    assert lost.value.kind is FailureKind.DATA_LOST
    assert driven.stack.height() == 101
    driven.do("reindex", kind=FailureKind.DATA_LOST)
    assert driven.stack.height() == 110


def test_a_repair_without_room_is_not_begun(driven, monkeypatch):
    scribble(driven.chain / "blocks" / "rev00000.dat", 0, 4000)
    lock(driven)
    before = fingerprints(driven.chain)
    monkeypatch.setattr("shiftboss.packs.mining.recoveries.chain.SPARE_BYTES", 10**15)
    with pytest.raises(Failed) as failed:
        driven.do("reindex", kind=FailureKind.DATA_DAMAGED)
    assert failed.value.kind is FailureKind.NO_SPACE
    assert fingerprints(driven.chain) == before


def test_a_reset_moves_all_aside_and_restore_brings_it_back(driven):
    driven.start_wallet()
    height, balance, address = driven.stack.height(), driven.balance(), wallet.address(driven.bench)
    driven.stop()
    copy_durably(driven.chain / "blocks", driven.stack.home.parent / "good")
    scribble(driven.chain / "blocks" / "rev00000.dat", 0, 4000)
    lock(driven)
    outcome = driven.do("reset_environment", kind=FailureKind.DATA_DAMAGED)
    assert outcome.special == "environment_reset"
    assert not driven.chain.exists()
    assert wallet.address(driven.bench) == ""
    assert (driven.stack.folder / "daemon" / "bitcoin.conf").exists()
    driven.bench.undo.keep("r/1/0")
    fresh = driven.stack.up("wallet")
    assert fresh["ending"] == "converged"
    assert wallet.address(driven.bench) != address
    [snapshot] = restoring.list_snapshots(driven.session)
    assert snapshot.size > 1_000_000
    changes = asyncio.run(restoring.restore(driven.session, snapshot.id))
    assert any("stopped the daemon" in change for change in changes)
    (driven.chain / "blocks" / "rev00000.dat").write_bytes(
        (driven.stack.home.parent / "good" / "rev00000.dat").read_bytes()
    )
    driven.start_wallet()
    assert (driven.stack.height(), driven.balance(), wallet.address(driven.bench)) == (height, balance, address)
    [other] = restoring.list_snapshots(driven.session)
    assert other.id != snapshot.id, "what was there before lies aside now"


def told(driven, capsys, snapshot=None):
    """What `shiftboss restore --json` prints."""
    sets = [f"{key}={value}" for key, value in driven.stack.settings.items()]
    call = Call(verb="restore", workdir=driven.stack.home, sets=sets, json=True, more={"snapshot": snapshot})
    assert verbs_restore.restore(call) == 0
    return json.loads(capsys.readouterr().out)


def test_data_comes_back_through_the_command_too(driven, capsys):
    driven.bench.aside.keep([driven.stack.folder / "wallet.json"], "by hand", "S")
    assert wallet.address(driven.bench) == ""
    [listed] = told(driven, capsys)
    assert (listed["why"], listed["environment"], listed["when"]) == ("by hand", "regtest", "S")
    assert len(told(driven, capsys, listed["id"])["changes"]) == 1
    assert wallet.address(driven.bench)
    assert told(driven, capsys, listed["id"])["changes"] == []
    assert told(driven, capsys) == []
    with pytest.raises(BadInput, match="no snapshot 'nothing'"):
        told(driven, capsys, "nothing")


def test_nothing_is_restored_under_a_hub_at_work(driven):
    snapshot = driven.bench.aside.keep([driven.stack.folder / "wallet.json"], "by hand", "S")
    (driven.stack.home / "locks").mkdir(exist_ok=True)
    lock_file = EnvironmentLock(driven.stack.home / "locks" / "regtest.lock")
    with lock_file.acquire(run="other", command="", since=0.0), pytest.raises(Refused):
        asyncio.run(restoring.restore(driven.session, snapshot.id))
    assert wallet.address(driven.bench) == ""


def test_a_missing_wallet_is_restored_with_its_coins(driven):
    driven.start_wallet()
    balance = driven.balance()
    backup(driven)
    driven.stack.rpc("unloadwallet", "shiftboss", True)
    shutil.rmtree(driven.chain / "wallets" / "shiftboss")
    outcome = driven.do("restore_wallet", "wallet", FailureKind.WALLET_MISSING)
    assert outcome.evidence["balance"] == driven.balance() == balance
    assert asyncio.run(wallet.probe_wallet(driven.bench)).health is Health.READY
    assert driven.do("restore_wallet", "wallet", FailureKind.WALLET_MISSING).changes == ()


def test_a_damaged_wallet_is_moved_aside_and_comes_back_when_the_restored_one_is_undone(driven):
    driven.start_wallet()
    balance = driven.balance()
    backup(driven)
    driven.stop()
    file = driven.chain / "wallets" / "shiftboss" / "wallet.dat"
    scribble(file, 0, 4096)
    damaged = file.read_bytes()
    lock(driven)
    driven.do("restore_wallet", "daemon", FailureKind.WALLET_DAMAGED)
    assert driven.balance() == balance
    driven.stop()
    driven.start()
    assert driven.balance() == balance, "it is loaded at the next start too"
    driven.undo()
    assert file.read_bytes() == damaged


def test_without_a_backup_nothing_is_touched(driven):
    shutil.rmtree(driven.stack.folder / "backup", ignore_errors=True)
    driven.start_wallet()
    driven.stack.rpc("unloadwallet", "shiftboss", True)
    shutil.rmtree(driven.chain / "wallets" / "shiftboss")
    with pytest.raises(Failed, match="no backup") as failed:
        driven.do("restore_wallet", "wallet", FailureKind.WALLET_MISSING)
    assert (failed.value.kind, failed.value.changes) == (FailureKind.WALLET_MISSING, [])


def backup(driven):
    path = driven.stack.folder / "backup" / "wallet.dat"
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    driven.stack.rpc("backupwallet", str(path), wallet="shiftboss")


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
