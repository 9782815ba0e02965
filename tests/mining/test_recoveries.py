"""Each recovery on real parts, driven directly: it helps, or says that it did not, and never leaves it worse."""

import asyncio
import json
import shutil

import pytest
from driven import Driven, fingerprints, lock, lose_blocks, scribble

from helpers import eventually
from shiftboss import restoring
from shiftboss.app import open_records
from shiftboss.errors import BadInput, Failed, Refused
from shiftboss.frontends import verbs_restore
from shiftboss.frontends.arguments import Call
from shiftboss.model.failure import FailureKind
from shiftboss.model.lesson import Credit
from shiftboss.model.observation import Health
from shiftboss.packs.mining import wallet
from shiftboss.system import net
from shiftboss.system.files import copy_durably
from shiftboss.system.lock import EnvironmentLock

pytestmark = pytest.mark.real


@pytest.fixture
def driven(stack):
    return Driven(stack)


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


def owe(driven):
    """Leave a recovery whose credit is open."""
    credit = Credit(
        delegation="r/9/0",
        environment="regtest",
        component="daemon",
        signature="daemon/data_damaged/1",
        strategy="reset_environment",
        at=1.0,
        due=61.0,
    )
    records = open_records(driven.session)
    with records.database.transaction():
        records.memory.open_credit(credit)
    records.close()
    assert owed(driven) == [credit]


def owed(driven):
    records = open_records(driven.session)
    found = records.memory.credits(["regtest"], "")
    records.close()
    return found


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
    owe(driven)
    changes = asyncio.run(restoring.restore(driven.session, snapshot.id))
    assert owed(driven) == [], "what recoveries did to the other data says nothing about this"
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
