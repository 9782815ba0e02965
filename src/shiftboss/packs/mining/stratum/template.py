"""A block template as the daemon gives it (BIP22, BIP23, BIP145), checked and reduced to what a job needs.

Called by `source` with the reply of getblocktemplate. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shiftboss.packs.mining.stratum.target import target_of_bits


class BadTemplate(ValueError):
    """The daemon's reply is not a template we can mine on."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """What to mine on. Two with the same `identity` give the same block but for its time."""

    height: int
    previous: str  #: hash of the block to build on, as the daemon prints it
    version: int
    bits: int
    target: int
    time: int  #: the daemon's idea of now, Unix seconds
    least_time: int  #: smallest time the block may carry
    value: int  #: satoshi the coinbase may claim
    commitment: bytes | None  #: witness commitment script
    transactions: Mapping[str, str] = field(repr=False)  #: txid -> raw hex, in block order

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes a new job necessary when it changes."""
        head = (self.previous, self.height, self.version, self.bits, self.value, self.commitment)
        return (*head, *self.transactions)


def read_template(reply: Any, known: Mapping[str, str]) -> Template:
    """Read a reply of getblocktemplate.

    Args:
        reply: the RPC result.
        known: transactions of the template before; their texts are shared instead of kept twice.

    Raises:
        BadTemplate: something is missing or of the wrong kind.
    """
    try:
        bits = int(reply["bits"], 16)
        commitment = reply.get("default_witness_commitment")
        return Template(
            height=int(reply["height"]),
            previous=_hash(reply["previousblockhash"]),
            version=int(reply["version"]),
            bits=bits,
            target=target_of_bits(bits),
            time=int(reply["curtime"]),
            least_time=int(reply["mintime"]),
            value=int(reply["coinbasevalue"]),
            commitment=bytes.fromhex(commitment) if commitment else None,
            transactions={_hash(tx["txid"]): known.get(tx["txid"], tx["data"]) for tx in reply["transactions"]},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadTemplate(f"the daemon's template can't be used: {type(error).__name__}: {error}") from None


def _hash(text: str) -> str:
    if len(bytes.fromhex(text)) != 32:
        raise ValueError(f"{text[:80]!r} is not a hash")
    return text
