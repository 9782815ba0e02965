"""Builds the coinbase transaction in two halves, with the miner's extranonce between them.

Called by `job`. Sources: BIP34 (height), BIP141 (witness commitment and reserved value), consensus rules (the script
is 2 to 100 bytes). The halves are without witness, because that form is what the coinbase's id is made of.
"""

from dataclasses import dataclass

EXTRANONCE1_SIZE = 4
EXTRANONCE2_SIZE = 4

_NULL_OUTPOINT = bytes(32) + b"\xff\xff\xff\xff"
_WITNESS = b"\x01\x20" + bytes(32)  # one item: the reserved value, 32 zero bytes (BIP141)


@dataclass(frozen=True, kw_only=True)
class Halves:
    """The coinbase before and after extranonce1 + extranonce2."""

    first: bytes
    second: bytes


def build(*, height: int, value: int, payout: bytes, tag: bytes, commitment: bytes | None) -> Halves:
    """The two halves of a coinbase that pays `value` (satoshi) to the script `payout`.

    Args:
        height: of the block to be found.
        value: subsidy and fees.
        payout: output script of whom to pay.
        tag: text put into the script for people to see.
        commitment: the output script that commits to the witnesses, if the block needs one.
    """
    extranonce_size = EXTRANONCE1_SIZE + EXTRANONCE2_SIZE
    before = height_push(height) + bytes([extranonce_size])
    after = push(tag) if tag else b""
    script_size = len(before) + extranonce_size + len(after)
    if not 2 <= script_size <= 100:
        raise ValueError(f"the coinbase script would have {script_size} bytes; 2 to 100 are allowed")
    outputs = [_output(value, payout)]
    if commitment is not None:
        outputs.append(_output(0, commitment))
    first = (2).to_bytes(4, "little") + b"\x01" + _NULL_OUTPOINT + bytes([script_size]) + before
    second = after + b"\xff\xff\xff\xff" + compact_size(len(outputs)) + b"".join(outputs) + bytes(4)
    return Halves(first=first, second=second)


def with_witness(coinbase: bytes) -> bytes:
    """The same transaction in the form a block carries when it commits to witnesses (BIP144)."""
    return coinbase[:4] + b"\x00\x01" + coinbase[4:-4] + _WITNESS + coinbase[-4:]


def height_push(height: int) -> bytes:
    """The script that pushes a block height, as BIP34 wants it: minimal, so small ones are opcodes."""
    if height == 0:
        return b"\x00"
    if height <= 16:
        return bytes([0x50 + height])
    size = height.bit_length() // 8 + 1  # one bit more for the sign
    return bytes([size]) + height.to_bytes(size, "little")


def push(data: bytes) -> bytes:
    """The script that pushes up to 255 bytes."""
    return bytes([len(data)]) + data if len(data) < 76 else b"\x4c" + bytes([len(data)]) + data


def compact_size(number: int) -> bytes:
    """Bitcoin's variable-length count."""
    if number < 0xFD:
        return bytes([number])
    if number <= 0xFFFF:
        return b"\xfd" + number.to_bytes(2, "little")
    return b"\xfe" + number.to_bytes(4, "little")


def _output(value: int, script: bytes) -> bytes:
    return value.to_bytes(8, "little") + compact_size(len(script)) + script
