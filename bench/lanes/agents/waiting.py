"""Components that only take time: handler and probes of the agent `waiter`, for bench/lanes.py."""

from pathlib import Path

from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.system.workbench import Workbench

SECONDS = 1.0


def _note(bench: Workbench, component: str) -> Path:
    return bench.environment.folder / f"{component}.done"


def _seen(component: str, bench: Workbench) -> Observation:
    """READY when it has been waited for."""
    there = _note(bench, component).exists()
    health, summary = (Health.READY, "waited for") if there else (Health.ABSENT, "not waited for yet")
    return Observation(environment=bench.environment.name, component=component, health=health, summary=summary)


async def probe_1(bench: Workbench) -> Observation:
    """The first of four."""
    return _seen("wait1", bench)


async def probe_2(bench: Workbench) -> Observation:
    """The second of four."""
    return _seen("wait2", bench)


async def probe_3(bench: Workbench) -> Observation:
    """The third of four."""
    return _seen("wait3", bench)


async def probe_4(bench: Workbench) -> Observation:
    """The fourth of four."""
    return _seen("wait4", bench)


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Wait; idempotent."""
    note = _note(bench, order.component)
    if order.mode is Mode.REMOVE:
        note.unlink(missing_ok=True)
        return done("forgotten")
    if note.exists():
        return done("it was waited for before")
    await bench.clock.sleep(SECONDS)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.touch()
    return done("waited", f"wrote {note.name}")
