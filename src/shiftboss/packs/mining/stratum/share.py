"""Judges one submitted share: is it for a valid job, well formed, new, and hard enough? Pure and fast.

Called by `session` for every mining.submit, up to thousands of times a second, so it builds nothing it does not need.
"""

from dataclasses import dataclass
from typing import Any

from shiftboss.packs.mining.stratum import coinbase
from shiftboss.packs.mining.stratum.job import Job, JobBoard
from shiftboss.packs.mining.stratum.merkle import double_sha256, root_of

OTHER = 20
STALE = 21
DUPLICATE = 22
LOW_DIFFICULTY = 23
UNAUTHORIZED = 24
NOT_SUBSCRIBED = 25

MAX_AHEAD = 7000  #: seconds a share's time may lie after its job's; the daemon allows 7200 from now


class Rejected(Exception):
    """The share does not count; code and text go to the miner."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share that counts."""

    job: Job
    coinbase: bytes  #: without witness
    header: bytes
    hash: bytes  #: internal byte order
    is_block: bool

    @property
    def block_hash(self) -> str:
        """The hash as daemons print it."""
        return self.hash[::-1].hex()

    def block(self) -> str:
        """The whole block in hex, ready for submitblock."""
        template = self.job.template
        first = coinbase.with_witness(self.coinbase) if template.commitment else self.coinbase
        count = coinbase.compact_size(1 + len(template.transactions))
        return (self.header + count + first).hex() + "".join(template.transactions.values())


def judge(board: JobBoard, extranonce1: bytes, params: list[Any], target: int) -> Share:
    """Check the parameters of mining.submit after the worker's name.

    Raises:
        Rejected: with the standard code.
    """
    job_id, extranonce2, time, nonce = _fields(params)
    job = board.find(job_id)
    if job is None:
        raise Rejected(STALE, "Job not found (stale)")
    seconds = int.from_bytes(time, "big")
    if not job.template.least_time <= seconds <= job.template.time + MAX_AHEAD:
        raise Rejected(OTHER, "Time out of range")
    first = job.halves.first + extranonce1 + extranonce2 + job.halves.second
    root = root_of(double_sha256(first), job.branch)
    header = job.head + root + time[::-1] + job.tail + nonce[::-1]
    digest = double_sha256(header)
    number = int.from_bytes(digest, "little")
    if number > target:
        raise Rejected(LOW_DIFFICULTY, "Low difficulty share")
    key = int.from_bytes(digest[:8], "little")
    if key in job.seen:
        raise Rejected(DUPLICATE, "Duplicate share")
    job.seen.add(key)
    return Share(job=job, coinbase=first, header=header, hash=digest, is_block=number <= job.template.target)


def _fields(params: list[Any]) -> tuple[str, bytes, bytes, bytes]:
    try:
        _, job_id, extranonce2, time, nonce = params
        fields = bytes.fromhex(extranonce2), bytes.fromhex(time), bytes.fromhex(nonce)
    except (TypeError, ValueError):
        raise Rejected(OTHER, "Malformed share: want worker, job, extranonce2, time, nonce") from None
    sizes = len(fields[0]), len(fields[1]), len(fields[2])
    if not isinstance(job_id, str) or sizes != (coinbase.EXTRANONCE2_SIZE, 4, 4):
        raise Rejected(OTHER, "Malformed share: a field has the wrong length")
    return job_id, *fields
