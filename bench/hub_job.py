"""A job for the hub whose parts cost nothing: N components with no-op handlers and probes, and a real journal.

What is left when it runs is the hub's own work: looking, deciding, writing down (durably, before the work), judging.
As a program it runs one job in a process of its own and prints seconds and peak memory as JSON, so that no other
job's memory is counted:

    python bench/hub_job.py COMPONENTS SHAPE ENVIRONMENTS
"""

import asyncio
import json
import sys
import tempfile
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

LANES = 4


@dataclass(frozen=True, kw_only=True)
class Run:
    """How long a job took, how much memory the process had at most so far, and what was written."""

    seconds: float
    megabytes: float
    events: Sequence[Recorded]


def stack(count: int, shape: str) -> Stack:
    """`chain`: each component requires the one before it; `fan`: all require the first; `open`: none requires any."""
    specs = tuple(ComponentSpec(name=f"c{n}", probe="", requires=_requires(n, shape)) for n in range(count))
    hub = Agent(id="hub", handler="hub", decisions=())
    worker = Agent(id="worker", handler="", decisions=("worker_ready", "worker_failure"), components=specs)
    stages = (Stage(id="orchestrate", agent="hub"), Stage(id="handle_work", agent="worker"))
    pipeline = Pipeline(id=shape, kind=PipelineKind.HUB, stages=stages, connections=(), start="orchestrate")
    catalogue = Catalogue(agents={"hub": hub, "worker": worker}, pipelines={shape: pipeline})
    return stack_of(pipeline, catalogue, ())


def _requires(number: int, shape: str) -> tuple[str, ...]:
    if number == 0 or shape == "open":
        return ()
    return (f"c{number - 1}" if shape == "chain" else "c0",)


def run(folder: Path, declared: Stack, synchronous: str, *, environments: int = 1, lanes: int = LANES) -> Run:
    """Bring all components of a stack up, in so many environments, with the journal in a new file of the folder."""
    path = folder / f"hub-{time.monotonic_ns()}.sqlite3"
    database = Database(path, synchronous=synchronous)
    places = [f"e{number}" for number in range(environments)]
    try:
        journal = Journal(database)
        seconds = asyncio.run(_drive(folder, _charter(declared, places, lanes), journal, database))
        peak = peak_megabytes()  # before the journal is read back, which the hub itself would not do
        return Run(seconds=seconds, megabytes=peak, events=journal.read("run"))
    finally:
        database.close()
        path.unlink()


def _charter(declared: Stack, places: Sequence[str], lanes: int) -> Charter:
    brain = PolicyBrain()
    return Charter(
        run="run",
        stack=declared,
        goal=Goal(),
        environments=places,
        brain=brain,
        fallback=brain,
        parallel=lanes,
        report=lambda *_: {},
    )


async def _drive(folder: Path, charter: Charter, journal: Journal, database: Database) -> float:
    clock = SystemClock()
    places, stack = list(charter.environments), charter.stack
    started = RunStarted(pack="bench", pipeline=stack.pipeline.id, brain="policy", goal={}, environments=places)
    benches = {place: _bench(folder, place, clock) for place in places}
    up: set[str] = set()
    probes = {name: _probe(name, up) for name in stack.specs}
    start = time.perf_counter()
    journal.append("run", clock.now(), [started])
    hub = Hub(charter, RunState(run="run", started=clock.now()), journal, Memory(database), clock)
    runner = Runner(hub, Observer(probes, benches, timeout=5.0), {"worker": _handler(up)}, benches, Inbox(database))
    ending = await runner.run()
    passed = time.perf_counter() - start
    wanted = len(stack.specs) * len(places)
    if ending is not Ending.CONVERGED or len(up) != wanted:
        raise RuntimeError(f"the job ended {ending} with {len(up)} of {wanted} components up")
    return passed


def _bench(folder: Path, place: str, clock: SystemClock) -> Workbench:
    environment = Environment(name=place, chain="regtest", folder=folder)
    processes = Processes(folder, place, folder)
    return Workbench(home=folder, environment=environment, settings=Settings(), clock=clock, processes=processes)


def _probe(name: str, up: set[str]) -> Probe:
    async def look(bench: Workbench) -> Observation:
        place = bench.environment.name
        if f"{place}/{name}" in up:
            return Observation(environment=place, component=name, health=Health.READY, summary=f"{name} is up")
        return Observation(environment=place, component=name, health=Health.ABSENT, summary=f"{name} is not there")

    return look


def _handler(up: set[str]) -> Handler:
    async def handle(order: Delegation, _bench: Workbench) -> Outcome:
        up.add(order.key)
        return done("up", f"started {order.component}")

    return handle


def peak_megabytes() -> float:
    """The most memory this process has had (VmHWM); `ru_maxrss` would also count the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


def main() -> None:
    """One job, as the command line says."""
    count, shape, environments = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="shiftboss-bench-") as name:
        found = run(Path(name), stack(count, shape), "NORMAL", environments=environments)
    print(json.dumps({"seconds": found.seconds, "megabytes": found.megabytes}))


if __name__ == "__main__":
    main()
