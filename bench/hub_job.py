"""A job for the hub whose parts cost nothing: N components with no-op handlers and probes, and a real journal.

What is left when it runs is the hub's own work: looking, deciding, writing down (durably, before the work), judging.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shiftboss.brains.policy import PolicyBrain
from shiftboss.contracts import Handler, Probe
from shiftboss.engine.charter import Charter
from shiftboss.engine.hub import Hub
from shiftboss.engine.observe import Observer
from shiftboss.engine.runner import Runner
from shiftboss.engine.state import RunState
from shiftboss.model.events import Recorded, RunStarted
from shiftboss.model.move import Delegation
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.model.pipeline import Agent, Catalogue, ComponentSpec, Pipeline, PipelineKind, Stage
from shiftboss.model.run import Ending, Goal
from shiftboss.model.stack import Stack, stack_of
from shiftboss.settings import Settings
from shiftboss.store.database import Database
from shiftboss.store.inbox import Inbox
from shiftboss.store.journal import Journal
from shiftboss.store.memory import Memory
from shiftboss.system.clock import SystemClock
from shiftboss.system.environment import Environment
from shiftboss.system.process import Processes
from shiftboss.system.workbench import Workbench

PLACE = "bench"
LANES = 4


@dataclass(frozen=True, kw_only=True)
class Run:
    """How long a job took, and what it wrote."""

    seconds: float
    events: Sequence[Recorded]


def stack(count: int, shape: str) -> Stack:
    """`chain`: each component requires the one before it; `fan`: all require the first."""
    specs = tuple(ComponentSpec(name=f"c{n}", probe="", requires=_requires(n, shape)) for n in range(count))
    hub = Agent(id="hub", handler="hub", decisions=())
    worker = Agent(id="worker", handler="", decisions=("worker_ready", "worker_failure"), components=specs)
    stages = (Stage(id="orchestrate", agent="hub"), Stage(id="handle_work", agent="worker"))
    pipeline = Pipeline(id=shape, kind=PipelineKind.HUB, stages=stages, connections=(), start="orchestrate")
    catalogue = Catalogue(agents={"hub": hub, "worker": worker}, pipelines={shape: pipeline})
    return stack_of(pipeline, catalogue, ())


def _requires(number: int, shape: str) -> tuple[str, ...]:
    if number == 0:
        return ()
    return (f"c{number - 1}" if shape == "chain" else "c0",)


def run(folder: Path, declared: Stack, synchronous: str) -> Run:
    """Bring all components of a stack up, with the journal in a new file of the folder."""
    path = folder / f"hub-{time.monotonic_ns()}.sqlite3"
    database = Database(path, synchronous=synchronous)
    try:
        journal = Journal(database)
        seconds = asyncio.run(_drive(folder, declared, journal, database))
        return Run(seconds=seconds, events=journal.read("run"))
    finally:
        database.close()
        path.unlink()


async def _drive(folder: Path, declared: Stack, journal: Journal, database: Database) -> float:
    clock = SystemClock()
    brain = PolicyBrain()
    charter = Charter(
        run="run",
        stack=declared,
        goal=Goal(),
        environments=(PLACE,),
        brain=brain,
        fallback=brain,
        parallel=LANES,
        report=lambda *_: {},
    )
    started = RunStarted(pack="bench", pipeline=declared.pipeline.id, brain=brain.name, goal={}, environments=[PLACE])
    start = time.perf_counter()
    journal.append("run", clock.now(), [started])
    hub = Hub(charter, RunState(run="run", started=clock.now()), journal, Memory(database), clock)
    up: set[str] = set()
    benches = {PLACE: _bench(folder, clock)}
    observer = Observer({name: _probe(name, up) for name in declared.specs}, benches, timeout=5.0)
    runner = Runner(hub, observer, {"worker": _handler(up)}, benches, Inbox(database))
    ending = await runner.run()
    passed = time.perf_counter() - start
    if ending is not Ending.CONVERGED or len(up) != len(declared.specs):
        raise RuntimeError(f"the job ended {ending} with {len(up)} of {len(declared.specs)} components up")
    return passed


def _bench(folder: Path, clock: SystemClock) -> Workbench:
    environment = Environment(name=PLACE, chain="regtest", folder=folder)
    processes = Processes(folder, PLACE, folder)
    return Workbench(home=folder, environment=environment, settings=Settings(), clock=clock, processes=processes)


def _probe(name: str, up: set[str]) -> Probe:
    ready = Observation(environment=PLACE, component=name, health=Health.READY, summary=f"{name} is up")
    absent = Observation(environment=PLACE, component=name, health=Health.ABSENT, summary=f"{name} is not there")

    async def look(_bench: Workbench) -> Observation:
        return ready if name in up else absent

    return look


def _handler(up: set[str]) -> Handler:
    async def handle(order: Delegation, _bench: Workbench) -> Outcome:
        up.add(order.component)
        return done("up", f"started {order.component}")

    return handle
