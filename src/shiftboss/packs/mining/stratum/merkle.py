"""Double SHA-256 and the merkle branch a Stratum job carries instead of its transactions.

The coinbase is the first leaf and unknown until a miner chooses its extranonce, so the branch holds the right-hand
sibling of each level on the way up from there. All hashes in internal byte order.
"""

from collections.abc import Sequence
from hashlib import sha256


def double_sha256(data: bytes) -> bytes:
    """SHA-256 of SHA-256, Bitcoin's hash."""
    return sha256(sha256(data).digest()).digest()


def branch_of(txids: Sequence[bytes]) -> tuple[bytes, ...]:
    """The branch for a block whose transactions after the coinbase are these."""
    branch: list[bytes] = []
    level = list(txids)  # every node of this level but the leftmost, which depends on the coinbase
    while level:
        branch.append(level[0])
        rest = level[1:]
        if len(rest) % 2:
            rest.append(rest[-1])  # an odd last node is paired with itself
        level = [double_sha256(rest[i] + rest[i + 1]) for i in range(0, len(rest), 2)]
    return tuple(branch)


def root_of(coinbase_txid: bytes, branch: Sequence[bytes]) -> bytes:
    """The merkle root for a coinbase with that id."""
    root = coinbase_txid
    for sibling in branch:
        root = sha256(sha256(root + sibling).digest()).digest()
    return root
