"""Wait for a part that was just started, by its own probe; used by the handlers of daemon, pool and miner.

What a start raises is what the probe says, word for word: both have one signature.
"""

from shiftboss.contracts import Probe
from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health, Observation
from shiftboss.system.workbench import Workbench

POLL_SECONDS = 0.05


async def until_ready(bench: Workbench, probe: Probe, seconds: float) -> None:
    """Return when the part is READY.

    Raises:
        Failed: it is neither ready nor starting any more, as its probe says; or `seconds` are over.
    """
    end = bench.clock.monotonic() + seconds
    seen: Observation | None = None
    while bench.clock.monotonic() < end:
        seen = await probe(bench)
        if seen.health is Health.READY:
            return
        if seen.health is not Health.STARTING:
            raise failed(seen)
        await bench.clock.sleep(POLL_SECONDS)
    evidence = {"last_seen": seen.summary if seen else "", **(seen.evidence if seen else {})}
    raise Failed(FailureKind.TIMEOUT, f"not ready within {seconds:g} s", evidence)


def failed(seen: Observation) -> Failed:
    """What a probe saw, as the failure of a handler."""
    return Failed(seen.failure or FailureKind.DIED, seen.summary, dict(seen.evidence))
