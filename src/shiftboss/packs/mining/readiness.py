"""Wait for a part that was just started, by its own probe; used by the handlers of daemon, pool and miner."""

from collections.abc import Callable, Sequence

from shiftboss.contracts import Probe
from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health
from shiftboss.system.workbench import Workbench

POLL_SECONDS = 0.05


async def until_ready(bench: Workbench, probe: Probe, seconds: float, complaints: Callable[[], Sequence[str]]) -> None:
    """Return when the part is READY.

    Raises:
        Failed: it is neither ready nor starting any more, with what its log complains of; or `seconds` are over.
    """
    end = bench.clock.monotonic() + seconds
    while bench.clock.monotonic() < end:
        seen = await probe(bench)
        if seen.health is Health.READY:
            return
        if seen.health is not Health.STARTING:
            said = "; ".join(complaints())
            message = f"{seen.summary}{': ' + said if said else ''}"
            raise Failed(seen.failure or FailureKind.DIED, message, dict(seen.evidence))
        await bench.clock.sleep(POLL_SECONDS)
    raise Failed(FailureKind.TIMEOUT, f"not ready within {seconds:g} s")
