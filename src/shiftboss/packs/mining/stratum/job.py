"""A job: one template made ready for miners, and the board that holds the jobs one may still hand in.

`JobBoard` is where "which jobs are valid" is decided: all jobs on the current previous block (bounded), none of an
earlier one. It changes only in the step that also sends the new job to everybody (`floor.post`).
"""

from dataclasses import dataclass, field
from typing import Any

from shiftboss.packs.mining.stratum import coinbase
from shiftboss.packs.mining.stratum.merkle import branch_of
from shiftboss.packs.mining.stratum.template import Template

MAX_JOBS = 16  #: jobs kept per tip; at one every few seconds that is more than a minute of late shares
MAX_SEEN = 250_000  #: shares remembered per tip against duplicates, about 25 MB


@dataclass(frozen=True, kw_only=True)
class Job:
    """One template with its coinbase halves; `seen` holds the shares handed in for it."""

    id: str
    template: Template
    halves: coinbase.Halves
    branch: tuple[bytes, ...]
    head: bytes  #: block header up to the merkle root (36 bytes)
    tail: bytes  #: the header's `bits` (4 bytes)
    seen: set[int] = field(default_factory=set[int], repr=False)

    def notify_params(self, *, clean: bool) -> list[Any]:
        """The parameters of mining.notify; `clean` tells miners to drop every earlier job."""
        previous = bytes.fromhex(self.template.previous)[::-1]
        return [
            self.id,
            swap_words(previous).hex(),
            self.halves.first.hex(),
            self.halves.second.hex(),
            [node.hex() for node in self.branch],
            f"{self.template.version & 0xFFFFFFFF:08x}",
            f"{self.template.bits:08x}",
            f"{self.template.time:08x}",
            clean,
        ]


def make_job(number: int, template: Template, payout: bytes, tag: bytes) -> Job:
    """The job for a template."""
    halves = coinbase.build(
        height=template.height,
        value=template.value,
        payout=payout,
        tag=tag,
        commitment=template.commitment,
    )
    version = (template.version & 0xFFFFFFFF).to_bytes(4, "little")
    return Job(
        id=f"{number:x}",
        template=template,
        halves=halves,
        branch=branch_of([bytes.fromhex(txid)[::-1] for txid in template.transactions]),
        head=version + bytes.fromhex(template.previous)[::-1],
        tail=template.bits.to_bytes(4, "little"),
    )


def swap_words(data: bytes) -> bytes:
    """Each 4-byte word reversed: the order in which Stratum sends the previous block's hash."""
    return b"".join(data[i : i + 4][::-1] for i in range(0, len(data), 4))


class JobBoard:
    """The jobs that may be handed in now, newest last; all build on the same block."""

    def __init__(self, payout: bytes, tag: bytes) -> None:
        self._payout = payout
        self._tag = tag
        self._number = 0
        self._jobs: dict[str, Job] = {}
        self.newest: Job | None = None

    def post(self, template: Template) -> bool:
        """Add the job for a template; true when it builds on another block, so that older jobs are void."""
        clean = self.newest is None or self.newest.template.previous != template.previous
        if clean:
            self._jobs.clear()
        self._number += 1
        self.newest = make_job(self._number, template, self._payout, self._tag)
        self._jobs[self.newest.id] = self.newest
        self._forget()
        return clean

    def find(self, job_id: str) -> Job | None:
        """The job, unless it is unknown or of an earlier tip."""
        return self._jobs.get(job_id)

    def _forget(self) -> None:
        while len(self._jobs) > 1 and (len(self._jobs) > MAX_JOBS or self._seen() > MAX_SEEN):
            del self._jobs[next(iter(self._jobs))]

    def _seen(self) -> int:
        return sum(len(job.seen) for job in self._jobs.values())
