"""Run probes at once, each with a time limit. A probe that can't answer is UNKNOWN, never READY, never an error.

What they say is redacted here, before anybody sees it.
"""

import asyncio
from collections.abc import Collection, Mapping

from shiftboss.contracts import Probe
from shiftboss.model.observation import Health, Observation
from shiftboss.model.redact import redact, redact_all
from shiftboss.system.workbench import Workbench


class Observer:
    """Looks at components: key -> probe, environment -> workbench."""

    def __init__(self, probes: Mapping[str, Probe], benches: Mapping[str, Workbench], timeout: float) -> None:
        self._probes = probes
        self._benches = benches
        self._timeout = timeout

    async def look(self, keys: Collection[str]) -> list[Observation]:
        """The answers to all keys, asked at the same time, in the order of the keys."""
        if len(keys) == 1:
            return [await self._ask(next(iter(keys)))]
        return list(await asyncio.gather(*(self._ask(key) for key in keys)))

    async def _ask(self, key: str) -> Observation:
        environment, _, component = key.partition("/")
        bench = self._benches[environment]
        try:
            async with asyncio.timeout(self._timeout):
                seen = await self._probes[component](bench)
            if seen.key == key:
                evidence = redact_all(dict(seen.evidence))
                return seen.but(summary=redact(seen.summary), evidence=evidence, at=bench.clock.now())
            seen = _unknown(environment, component, f"its probe answered for {seen.key} instead")
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            seen = _unknown(environment, component, "the probe let somebody else's cancellation through")
        except TimeoutError:
            seen = _unknown(environment, component, f"no answer within {self._timeout:g} s")
        except Exception as error:  # noqa: BLE001 - one of the three borders: a probe's bug must not stop the hub
            seen = _unknown(environment, component, f"the probe failed: {type(error).__name__}: {error}")
        return seen.but(at=bench.clock.now())


def _unknown(environment: str, component: str, summary: str) -> Observation:
    return Observation(environment=environment, component=component, health=Health.UNKNOWN, summary=summary)
