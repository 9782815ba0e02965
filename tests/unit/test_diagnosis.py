"""Evidence -> kind of failure, as data: the daemon's real last words, and what was seen beside them."""

import pytest

from shiftboss.model.failure import FailureKind as Kind
from shiftboss.model.failure import signature
from shiftboss.packs.mining.diagnosis import Holder, Scene, Silence, classify, classify_silence, stopped
from shiftboss.packs.mining.diagnosis_chain import carried, heights
from shiftboss.packs.mining.diagnosis_words import last_wallet, unbound_port

REINDEX = "\nPlease restart with -reindex or -reindex-chainstate to recover.\n"
CORRUPT = f": Corrupted block database detected.{REINDEX}"
OURS = Holder(pid=7, name="bitcoind", ours=True)
FOREIGN = Holder(pid=8, name="nc", ours=False)


def scene(**seen):
    return Scene(**{"free_mb": 9000.0, "needed_mb": 60.0, "ended": True, "number": 18443, **seen})


SCENES = {
    "never started": ({"ended": False}, None),
    "killed": ({}, Kind.DIED),
    "killed, with old trouble in its log": ({"log": "t [error] Fatal LevelDB error: Corruption"}, Kind.DIED),
    "full disk": ({"free_mb": 12.0}, Kind.NO_SPACE),
    "full disk before the first start": ({"free_mb": 12.0, "ended": False}, Kind.NO_SPACE),
    "full disk that asks for a reindex": ({"free_mb": 12.0, "output": CORRUPT}, Kind.NO_SPACE),
    "disk was full": ({"output": "Error: Error: Disk space is low for /d"}, Kind.DIED),
    "quota": ({"output": "Error: write: Disk quota exceeded"}, Kind.NO_SPACE),
    "settings not written, disk was full": (
        {"output": "Error: Settings file could not be written:\n- Error: Unable to write settings file /d/s.tmp"},
        Kind.DIED,
    ),
    "locked by a stranger": ({"lock": FOREIGN, "ended": False}, Kind.LOCKED),
    "locked by a left-over of ours": ({"lock": OURS}, Kind.PORT_ORPHAN),
    "one holder of lock and port": ({"lock": FOREIGN, "port": FOREIGN}, Kind.LOCKED),
    "lock was held": ({"output": "Error: Cannot obtain a lock on directory /d."}, Kind.DIED),
    "RPC port foreign": ({"port": FOREIGN, "ended": False}, Kind.PORT_FOREIGN),
    "RPC port orphan": ({"port": OURS}, Kind.PORT_ORPHAN),
    "RPC port was taken": ({"output": "Error: Unable to start HTTP server. See debug log."}, Kind.DIED),
    "P2P port foreign": (
        {"output": "Error: Unable to bind to 127.0.0.1:18444 on this computer.", "bound": FOREIGN},
        Kind.PORT_FOREIGN,
    ),
    "not writable": ({"denied": "/d may not be written by this user", "ended": False}, Kind.PERMISSION),
    "library gone": (
        {"output": "/p/bitcoind: error while loading shared libraries: libstdc++.so.6: cannot open"},
        Kind.MISSING_BINARY,
    ),
    "library too old": (
        {"output": "/p/bitcoind: /lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /p/bitcoind)"},
        Kind.MISSING_BINARY,
    ),
    "loader gone": ({"output": "/p/bin/bitcoind: 5: exec: /p/root/ld-linux.so.2: not found"}, Kind.MISSING_BINARY),
    "library put back": (
        {"output": "x: error while loading shared libraries: y", "touched": {Kind.MISSING_BINARY}},
        None,
    ),
    "config syntax": (
        {"output": "Error: Error reading configuration file: parse error on line 2: rpcuser"},
        Kind.CONFIG,
    ),
    "unknown argument": (
        {"output": "Error: Error parsing command line arguments: Invalid parameter -bogus=1"},
        Kind.CONFIG,
    ),
    "broken settings.json": ({"output": "Error: Settings file could not be read:\n- no valid JSON"}, Kind.CONFIG),
    "config corrected since": (
        {"output": "Error: Error parsing command line arguments: Invalid parameter -bogus=1", "changed": True},
        None,
    ),
    "wallet magic": (
        {"output": "Error: Failed to load database path '/d/wallets/x'. Data is not in recognized format."},
        Kind.WALLET_DAMAGED,
    ),
    "wallet pages": (
        {"output": "Error: SQLiteDatabase: Failed to execute statement to verify database: disk image is malformed"},
        Kind.WALLET_DAMAGED,
    ),
    "wallet file gone": (
        {
            "output": "Error: Failed to load database path '/d/wallets/x'. Data is not in recognized format.",
            "wallet_there": False,
        },
        Kind.WALLET_MISSING,
    ),
    "corrupted": ({"output": CORRUPT}, Kind.DATA_DAMAGED),
    "coins database": ({"output": f": Error opening coins database.{REINDEX}"}, Kind.DATA_DAMAGED),
    "index": ({"output": f": Error opening block database.{REINDEX}"}, Kind.DATA_DAMAGED),
    "index removed": ({"output": f": Error initializing block database.{REINDEX}"}, Kind.DATA_DAMAGED),
    "block file removed": ({"output": f": Error loading block database.{REINDEX}"}, Kind.DATA_DAMAGED),
    "damaged, then moved away": ({"output": CORRUPT, "data_there": False}, None),
    "damaged, then mended by hand": ({"output": CORRUPT, "touched": {Kind.DATA_DAMAGED}}, None),
    "aborted": (
        {"output": "terminate called after throwing an instance of 'std::runtime_error'\n  what():  boom"},
        Kind.DIED,
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_daemon_that_does_not_run(name):
    seen, kind = SCENES[name]
    found = classify(scene(**seen))
    assert (found and found.kind) is kind


PARTS = {
    "undo files": (CORRUPT, "t [error] Verification error: found bad undo data at 98, hash=02"),
    "block files": (CORRUPT, "t [error] ReadRawBlock: Block magic mismatch for FlatFilePos(nFile=0, nPos=25985)"),
    "chainstate": (": Error opening coins database.", "t [error] Fatal LevelDB error: Corruption: no meta"),
    "block index": (": Error opening block database.", ""),
    "block data": (CORRUPT, ""),
}


@pytest.mark.parametrize("part", PARTS)
def test_damage_names_its_part(part):
    output, log = PARTS[part]
    found = classify(scene(output=output, log=log))
    assert found.evidence["part"] == part
    assert part in found.message


def test_a_removed_block_file_is_told_from_a_damaged_index():
    log = "t [error] Unable to open file /d/regtest/blocks/blk00000.dat"
    assert classify(scene(output=": Error loading block database.", log=log)).evidence["part"] == "block files"


def test_the_same_trouble_has_the_same_signature_whatever_numbers_it_names():
    def sign(port, free, pid):
        found = classify(scene(port=Holder(pid=pid, name="nc", ours=False), number=port, free_mb=free))
        return signature("daemon", found.kind, found.message)

    assert sign(18443, 900.0, 5) == sign(20001, 800.5, 77777)


SILENCES = {
    "stopped by a signal, though young": ({"state": "T", "age": 0.1}, Kind.FROZEN),
    "warm-up": ({"error": "RpcWarming", "age": 900.0}, None),
    "young and not listening": ({"error": "RpcRefused", "age": 1.0}, None),
    "old and not listening": ({"error": "RpcRefused"}, Kind.FROZEN),
    "young and broke off, as it does when it ends": ({"error": "RpcUnreadable", "listens": True, "age": 1.0}, None),
    "old and silent": ({"error": "RpcTimeout", "listens": True}, Kind.FROZEN),
    "another daemon answers": ({"error": "RpcUnauthorized", "holder": FOREIGN, "age": 0.5}, Kind.PORT_FOREIGN),
    "an orphan of ours answers": ({"error": "RpcUnauthorized", "holder": OURS}, Kind.PORT_ORPHAN),
    "cookie replaced": ({"error": "RpcUnauthorized", "listens": True, "age": 5.0}, Kind.CREDENTIAL),
    "cookie not written yet": ({"error": "RpcUnauthorized", "listens": True, "age": 0.3}, None),
    "something else speaks": ({"error": "RpcUnreadable", "holder": FOREIGN}, Kind.PORT_FOREIGN),
}


@pytest.mark.parametrize("name", SILENCES)
def test_a_daemon_that_runs_and_does_not_answer(name):
    seen, kind = SILENCES[name]
    facts = {"state": "S", "age": 100.0, "patience": 60.0, "error": "RpcTimeout", "text": "", "listens": False}
    found = classify_silence(Silence(**{**facts, **seen}))
    assert (found and found.kind) is kind


def test_only_a_stopped_process_is_stopped():
    assert stopped("pool", "S") is None
    assert stopped("pool", None) is None
    assert stopped("pool", "T").kind is Kind.FROZEN


@pytest.mark.parametrize(
    ("before", "seen", "after"),
    [
        (0, [], 0),
        (101, [], 101),  # died before it said anything
        (0, [0, 1, 2, 101], 101),
        (101, [101, 110, 109], 109),  # its user took a block back
        (101, [0], 101),  # went back, and was stopped again
        (101, [0, 50], 101),  # killed while it rebuilt
        (101, [0, 50, 101], 101),
        (101, [0, 50, 120], 120),
    ],
)
def test_what_a_start_must_come_back_to(before, seen, after):
    assert carried(before, seen) == after


def test_heights_are_read_off_the_log():
    log = (
        "t Loaded best chain: hashBestChain=18ab height=101 date=2026\n"
        "t UpdateTip: new best=19ab height=102 version=0x2 tx=3\n"
        "t UpdateTip: new best=18ab height=101 version=0x2 tx=3\n"
    )
    assert heights(log) == [101, 102, 101]


def test_details_of_the_last_words():
    assert last_wallet("t Using wallet /d/wallets/a\nt Using wallet /d/wallets/b c\nt x\n") == "/d/wallets/b c"
    assert unbound_port("Error: Unable to bind to 127.0.0.1:18444 on this computer. It runs.") == 18444
