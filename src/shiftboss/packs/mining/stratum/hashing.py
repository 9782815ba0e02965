"""The miner's hash loop, and how a job of a pool becomes a block header.

Pure Python on hashlib. Reusing the state of the header's first half (a midstate) was measured slower than
hashing 80 bytes again, because a copy of the state costs more in Python than the block it saves.
"""

import struct
from dataclasses import dataclass
from hashlib import sha256

SLICE = 8_000  #: nonces between two looks at the world, about 15 ms

_NONCES = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A header without its nonce (76 bytes) and the target its hash has to meet."""

    prefix: bytes
    target: int


def header_prefix(*, version: str, previous: str, root: bytes, time: str, bits: str) -> bytes:
    """The first 76 bytes of a header, from the hex fields of mining.notify and a merkle root."""
    words = bytes.fromhex(previous)
    swapped = b"".join(words[i : i + 4][::-1] for i in range(0, 32, 4))
    fields = bytes.fromhex(version)[::-1], swapped, root, bytes.fromhex(time)[::-1], bytes.fromhex(bits)[::-1]
    return b"".join(fields)


def search(work: Work, start: int, count: int) -> int | None:
    """The first nonce from `start` on, of at most `count`, whose header hash meets the target; None without one."""
    prefix, target = work.prefix, work.target
    zeros = bytes((256 - target.bit_length()) // 8)  # a hash that does not end in these can't be below the target
    pack = struct.Struct("<I").pack
    for nonce in range(start, min(start + count, _NONCES)):
        digest = sha256(sha256(prefix + pack(nonce)).digest()).digest()
        if digest.endswith(zeros) and int.from_bytes(digest, "little") <= target:
            return nonce
    return None
