"""How long random stacks take the real hub, in virtual time, against the least that is possible on so many lanes.

Declared order, cold order (ranked by declared estimates) and learned order (ranked by what earlier runs took) go
through the same components, lanes and times. Times differ from run to run, as they do on a machine, so that what is
learned is never exactly what comes. The bound is the longest path, or all work divided by the lanes: no order can end
before it, and often none can reach it.
"""

import asyncio
import random
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import real  # noqa: F401 - makes the helpers of the tests importable
from measure import Figure

from demo.small import START, Driver, Part, StepClock, World, hub_stack
from shiftboss.engine.schedule import Graph, upward_ranks
from shiftboss.model.duration import Conditions
from shiftboss.model.estimate import Estimates
from shiftboss.model.move import Delegation
from shiftboss.model.pipeline import ComponentSpec
from shiftboss.model.run import Ending
from shiftboss.model.stack import Stack

GRAPHS = 48
SMALLEST, LARGEST = 5, 500  #: components
LANES = 16  #: at most
SPREAD = 1.0  #: of the times of components (sigma of a lognormal)
NOISE = 0.1  #: of one component's times from run to run
HALF = 2  #: of four graphs get lanes at random, the others about as many as they can use
TRAINING = 2  #: runs to learn from


@dataclass(frozen=True, kw_only=True)
class Job:
    """One random stack: what its components really take, and what is declared of it."""

    seed: int
    stack: Stack
    lanes: int
    seconds: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Times:
    """How long one job took, as a multiple of its bound."""

    declared: float
    cold: float
    learned: float


class TimedWorld(World):
    """A world in which each order takes the time that is set for its component."""

    times: Mapping[str, float]

    def seconds(self, order: Delegation, word: str) -> float:  # noqa: ARG002 - they all go well
        """How long an order takes."""
        return self.times[order.component]


def measure(*, quick: bool) -> list[Figure]:
    """Multiples of the bound, and what the learned order gains over the declared one."""
    found = [_measured(_job(seed)) for seed in range(GRAPHS // 4 if quick else GRAPHS)]
    learned = [one.learned for one in found]
    gains = [one.learned / one.declared for one in found]
    figures = [
        Figure(name="declared order / bound", unit="x", values=[one.declared for one in found]),
        Figure(name="cold order / bound", unit="x", values=[one.cold for one in found]),
        Figure(name="learned order / bound", unit="x", values=learned),
    ]
    worst = [
        Figure(name="learned order / bound, mean", unit="x", values=[statistics.mean(learned)], at_most=1.05),
        Figure(name="learned order / bound, worst", unit="x", values=[max(learned)], at_most=1.25),
        Figure(name="learned / declared", unit="x", values=gains),
        Figure(name="learned / declared, worst", unit="x", values=[max(gains)], at_most=1.05),
    ]
    return [*figures, *worst]


def _job(seed: int) -> Job:
    chance = random.Random(seed)
    count = round(SMALLEST * (LARGEST / SMALLEST) ** chance.random())
    names = [f"c{number}" for number in range(count)]
    near = chance.choice((3, 20, count))  # long and thin, or broad
    requires = {
        name: tuple(chance.sample(before, min(len(before), chance.choice((0, 1, 1, 2, 3)))))
        for number, name in enumerate(names)
        for before in [names[max(0, number - near) : number]]
    }
    seconds = {name: chance.lognormvariate(0, SPREAD) for name in names}
    vague = seed % 2  # declared estimates: all the same, or guesses
    declared = {name: seconds[name] * chance.lognormvariate(0, SPREAD) if vague else 1.0 for name in names}
    chance.shuffle(names)  # as declared, which need not be a good order
    specs = {
        name: ComponentSpec(name=name, probe="x:p", requires=requires[name], estimate=declared[name]) for name in names
    }
    few = round(sum(seconds.values()) / _longest(requires, seconds)) + chance.choice((-1, 0, 1))
    lanes = chance.randint(1, LANES) if seed % 4 < HALF else min(LANES, max(1, few))  # few: the order matters most
    return Job(seed=seed, stack=hub_stack(specs=specs), lanes=lanes, seconds=seconds)


def _measured(job: Job) -> Times:
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="shiftboss-bench-") as name:
        learning, nothing = Path(name) / "learning", Path(name) / "nothing"
        learning.mkdir()
        nothing.mkdir()
        for number in range(TRAINING):
            _run(job, learning, f"training{number}", _times(job, number), learned=False)
        times = _times(job, TRAINING)
        bound = _bound(job, times)
        return Times(
            cold=_run(job, nothing, "cold", times, learned=True) / bound,
            declared=_run(job, nothing, "declared", times, learned=False) / bound,
            learned=_run(job, learning, "learned", times, learned=True) / bound,
        )


def _times(job: Job, number: int) -> dict[str, float]:
    """What each component takes in one run."""
    chance = random.Random(f"{job.seed} {number}")
    return {name: seconds * chance.lognormvariate(0, NOISE) for name, seconds in job.seconds.items()}


def _bound(job: Job, times: Mapping[str, float]) -> float:
    requires = {name: spec.requires for name, spec in job.stack.specs.items()}
    return max(_longest(requires, times), sum(times.values()) / job.lanes)


def _longest(requires: Mapping[str, Sequence[str]], seconds: Mapping[str, float]) -> float:
    """Seconds of the longest path."""
    return max(upward_ranks(Graph(seconds=seconds, after=requires, locks={}))[0].values())


def _run(job: Job, folder: Path, run: str, times: Mapping[str, float], *, learned: bool) -> float:
    """Seconds that the hub takes to bring the stack up; what they teach goes into the folder's store."""
    world = TimedWorld(clock=StepClock(), parts={f"e/{name}": Part() for name in job.stack.specs})
    world.times = times
    here = Conditions(profile="bench", host="virtual")

    def known() -> dict[str, Estimates]:
        return {"e": Estimates(driver.memory.durations(), here)}

    driver = Driver(
        job.stack,
        world,
        folder,
        run=run,
        parallel=job.lanes,
        seconds=1e9,
        conditions={"e": here},
        expect=known if learned else None,
    )
    try:
        ending = asyncio.run(driver.run())
        driver.hub.flush()
    finally:
        driver.close()
    if ending is not Ending.CONVERGED:
        raise RuntimeError(f"job {job.seed} ended {ending}")
    return world.clock.time - START
