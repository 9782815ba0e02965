"""Targets, merkle branches, coinbases and headers: checked against known blocks and against plain restatements."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiftboss.packs.mining.stratum import coinbase, hashing, merkle, target

GENESIS = bytes.fromhex(
    "01000000" + "00" * 32 + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)
GENESIS_HASH = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
GENESIS_NONCE = 2083236893


def test_the_hash_loop_finds_the_nonce_of_the_genesis_block():
    work = hashing.Work(prefix=GENESIS[:76], target=target.target_of_bits(0x1D00FFFF))
    assert hashing.search(work, GENESIS_NONCE - 500, 1000) == GENESIS_NONCE
    assert hashing.search(work, GENESIS_NONCE - 500, 500) is None
    assert merkle.double_sha256(GENESIS)[::-1].hex() == GENESIS_HASH


def test_a_header_is_built_from_the_fields_of_a_job():
    # The previous hash travels in reversed words: here it is all zeros but one word, to see the order.
    previous = "00000000" * 7 + "11223344"
    root = GENESIS[36:68]
    prefix = hashing.header_prefix(version="00000001", previous=previous, root=root, time="495fab29", bits="1d00ffff")
    assert prefix[:4] == GENESIS[:4]
    assert prefix[32:36].hex() == "44332211"
    assert prefix[36:] == GENESIS[36:76]


@given(st.integers(0, 2**32 - 1), st.integers(1, 2**256 - 1), st.integers(1, 300))
def test_the_hash_loop_agrees_with_trying_each_nonce(start, limit, count):
    prefix = b"p" * 76

    def value(nonce):
        digest = sha256(sha256(prefix + nonce.to_bytes(4, "little")).digest()).digest()
        return int.from_bytes(digest, "little")

    nonces = range(start, min(start + count, 2**32))
    expected = next((nonce for nonce in nonces if value(nonce) <= limit), None)
    assert hashing.search(hashing.Work(prefix=prefix, target=limit), start, count) == expected


def test_targets_of_known_blocks():
    assert target.target_of_bits(0x1D00FFFF) == 0xFFFF << 208
    assert target.target_of_bits(0x207FFFFF) == 0x7FFFFF << 232
    assert target.difficulty_of_target(target.target_of_bits(0x1B0404CB)) == pytest.approx(16307.420938523983)
    assert target.target_of_difficulty(1.0) == target.DIFFICULTY_1
    assert target.target_of_difficulty(1e-12) == target.MAX_TARGET


@pytest.mark.parametrize("bits", [0, 0x1D800001, 0x01003456, 0x23000001 | 0x7FFFFF, 0xFF123456])
def test_bits_without_a_target_are_refused(bits):
    with pytest.raises(ValueError, match="compact target"):
        target.target_of_bits(bits)


@given(st.integers(1, 2**256 - 1))
def test_compact_form_rounds_down_and_is_stable(value):
    bits = target.bits_of_target(value)
    back = target.target_of_bits(bits)
    assert back <= value
    assert value - back <= value >> 15
    assert target.bits_of_target(back) == bits


@given(st.floats(1e-9, 1e12), st.floats(1e-9, 1e12))
def test_harder_never_means_a_larger_target(one, other):
    easy, hard = sorted((one, other))
    assert target.target_of_difficulty(easy) >= target.target_of_difficulty(hard) > 0


def _root(leaves):
    while len(leaves) > 1:
        leaves = [*leaves, leaves[-1]] if len(leaves) % 2 else leaves
        leaves = [merkle.double_sha256(leaves[i] + leaves[i + 1]) for i in range(0, len(leaves), 2)]
    return leaves[0]


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70))
def test_a_branch_leads_to_the_root_of_the_whole_tree(txids):
    first, *others = txids
    assert merkle.root_of(first, merkle.branch_of(others)) == _root(txids)


@pytest.mark.parametrize(
    ("height", "script"),
    [
        (0, "00"),
        (1, "51"),
        (16, "60"),
        (17, "0111"),
        (127, "017f"),
        (128, "028000"),
        (255, "02ff00"),
        (256, "020001"),
        (32767, "02ff7f"),
        (32768, "03008000"),
        (840000, "0340d10c"),
    ],
)
def test_heights_are_pushed_as_bip34_wants_them(height, script):
    assert coinbase.height_push(height).hex() == script


@given(st.integers(17, 2**31 - 1))
def test_a_pushed_height_reads_back_as_a_positive_script_number(height):
    script = coinbase.height_push(height)
    assert script[0] == len(script) - 1
    assert int.from_bytes(script[1:], "little", signed=True) == height
    assert script[-1] or script[-2] & 0x80, "not minimal"


@given(
    height=st.integers(1, 2**24),
    value=st.integers(0, 21 * 10**14),
    payout=st.binary(min_size=1, max_size=60),
    tag=st.binary(max_size=60),
    commitment=st.none() | st.binary(min_size=38, max_size=38),
)
def test_a_coinbase_reads_back(height, value, payout, tag, commitment):
    halves = coinbase.build(height=height, value=value, payout=payout, tag=tag, commitment=commitment)
    raw = halves.first + b"\xaa" * 4 + b"\xbb" * 4 + halves.second
    assert raw[4:41] == b"\x01" + bytes(32) + b"\xff" * 4
    size = raw[41]
    script, rest = raw[42 : 42 + size], raw[42 + size :]
    assert script == coinbase.height_push(height) + b"\x08" + b"\xaa" * 4 + b"\xbb" * 4 + (
        coinbase.push(tag) if tag else b""
    )
    assert 2 <= size <= 100
    outputs = [(value, payout)] if commitment is None else [(value, payout), (0, commitment)]
    expected = b"\xff" * 4 + bytes([len(outputs)])
    for amount, out in outputs:
        expected += amount.to_bytes(8, "little") + bytes([len(out)]) + out
    assert rest == expected + bytes(4)
    witnessed = coinbase.with_witness(raw)
    assert witnessed == raw[:4] + b"\x00\x01" + raw[4:-4] + b"\x01\x20" + bytes(32) + raw[-4:]


@pytest.mark.parametrize(("number", "text"), [(0, "00"), (252, "fc"), (253, "fdfd00"), (65536, "fe00000100")])
def test_counts(number, text):
    assert coinbase.compact_size(number).hex() == text
