"""Jobs and shares without a network: what counts, what is refused, what is forgotten."""

import json
import struct

import pytest

from shiftboss.packs.mining.stratum import job, ledger, share, target, template
from shiftboss.packs.mining.stratum.merkle import double_sha256

EASY = target.MAX_TARGET


def reply(**other):
    return {
        "height": 500,
        "previousblockhash": "ab" * 32,
        "version": 0x20000000,
        "bits": "207fffff",
        "curtime": 1_800_000_000,
        "mintime": 1_799_990_000,
        "coinbasevalue": 5_000_000_000,
        "default_witness_commitment": "6a24aa21a9ed" + "cd" * 32,
        "transactions": [{"txid": "11" * 32, "data": "01"}, {"txid": "22" * 32, "data": "02"}],
        **other,
    }


def board(**other):
    made = job.JobBoard(b"\x51", b"/t/")
    made.post(template.read_template(reply(**other), {}))
    return made


def params(found, number=0, **other):
    fields = {
        "worker": "w",
        "job": found.id,
        "extranonce2": "00000001",
        "time": f"{found.template.time:08x}",
        "nonce": f"{number:08x}",
    }
    return list({**fields, **other}.values())


def code_of(made, given, limit=EASY):
    with pytest.raises(share.Rejected) as caught:
        share.judge(made, b"\0\0\0\1", given, limit)
    return caught.value.code


def test_a_share_carries_the_header_and_the_block_it_stands_for():
    made = board()
    found = share.judge(made, b"\0\0\0\1", params(made.newest, 7), EASY)
    assert len(found.header) == 80
    assert found.header[4:36] == bytes.fromhex("ab" * 32)
    assert struct.unpack("<III", found.header[68:]) == (1_800_000_000, 0x207FFFFF, 7)
    assert found.hash == double_sha256(found.header)
    assert found.block().startswith(found.header.hex() + "03" + found.coinbase[:4].hex() + "0001")
    assert found.block().endswith("0102")


def test_whether_a_share_is_a_block_is_the_templates_target_to_say():
    nonces = range(40)
    easy, hard = board(), board(bits="1d00ffff")
    assert any(share.judge(easy, b"\0\0\0\1", params(easy.newest, n), EASY).is_block for n in nonces)
    assert not any(share.judge(hard, b"\0\0\0\1", params(hard.newest, n), EASY).is_block for n in nonces)


def test_each_refusal_has_its_code():
    made = board()
    newest = made.newest
    share.judge(made, b"\0\0\0\1", params(newest), EASY)
    assert code_of(made, params(newest)) == share.DUPLICATE
    assert code_of(made, params(newest, job="zz")) == share.STALE
    assert code_of(made, params(newest, 1), limit=1) == share.LOW_DIFFICULTY
    for wrong in [
        params(newest)[:4],
        [*params(newest), "00000000"],
        params(newest, nonce="0"),
        params(newest, nonce=5),
        params(newest, job=["x"]),
        params(newest, extranonce2="00 000 01"),
        params(newest, time="zzzzzzzz"),
        params(newest, time=f"{1_799_990_000 - 1:08x}"),
        params(newest, time=f"{1_800_000_000 + share.MAX_AHEAD + 1:08x}"),
    ]:
        assert code_of(made, wrong) == share.OTHER


def test_a_share_refused_for_its_difficulty_is_not_remembered():
    made = board()
    assert code_of(made, params(made.newest), limit=1) == share.LOW_DIFFICULTY
    share.judge(made, b"\0\0\0\1", params(made.newest), EASY)


def test_jobs_of_the_same_tip_stay_and_those_of_another_go():
    made = board()
    first = made.newest
    assert made.post(template.read_template(reply(coinbasevalue=5_000_000_001), {})) is False
    assert made.find(first.id) is first
    assert made.post(template.read_template(reply(previousblockhash="cd" * 32), {})) is True
    assert made.find(first.id) is None


def test_the_number_of_kept_jobs_is_bounded():
    made = board()
    first = made.newest
    for value in range(job.MAX_JOBS):
        made.post(template.read_template(reply(coinbasevalue=value), {}))
    assert made.find(first.id) is None
    assert made.find(made.newest.id) is made.newest


def test_transactions_of_the_template_before_are_shared_not_kept_twice():
    one = template.read_template(json.loads(json.dumps(reply())), {})
    two = template.read_template(json.loads(json.dumps(reply())), one.transactions)
    assert all(two.transactions[txid] is data for txid, data in one.transactions.items())


@pytest.mark.parametrize(
    "broken",
    [None, [], {}, reply(bits="00000000"), reply(transactions=None), reply(height="x"), reply(previousblockhash="ab")],
)
def test_an_unusable_template_is_told_as_such(broken):
    with pytest.raises(template.BadTemplate, match="can't be used"):
        template.read_template(broken, {})


def test_workers_beyond_the_limit_are_counted_together(monkeypatch):
    monkeypatch.setattr(ledger, "MAX_WORKERS", 2)
    counts = ledger.Ledger()
    for name in ["a", "b", "c", "d", "a"]:
        counts.accept(name, 1.0)
    assert {name: count.shares for name, count in counts.workers.items()} == {"a": 2, "b": 1, ledger.MANY: 2}
