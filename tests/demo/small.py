"""A stack in a dict with a clock moved by hand, for fast tests of the hub: no processes, no event loop to wait for.

`Driver` does what engine/runner.py does, in virtual time, so that hours of trouble pass in milliseconds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shiftboss.brains.policy import PolicyBrain
from shiftboss.brains.script import ScriptBrain
from shiftboss.contracts import Brain
from shiftboss.engine.charter import Charter
from shiftboss.engine.delegate import outcome_of
from shiftboss.engine.hub import Hub
from shiftboss.engine.state import RunState
from shiftboss.errors import Failed
from shiftboss.model.events import Event, Recorded, RunResumed, RunStarted
from shiftboss.model.failure import Failure, FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, Status, done
from shiftboss.model.pipeline import (
    Agent,
    Catalogue,
    ComponentSpec,
    Connection,
    Pipeline,
    PipelineKind,
    Stage,
    StageMode,
)
from shiftboss.model.recovery import Strategy
from shiftboss.model.run import Ending, Goal
from shiftboss.model.stack import RECOVERY, Stack, stack_of
from shiftboss.store.database import Database
from shiftboss.store.journal import Journal
from shiftboss.store.memory import Memory

RESTART = Strategy(
    name="restart_one",
    rung="restart_one",
    treats={FailureKind.DIED, FailureKind.FROZEN, FailureKind.TIMEOUT},
    what="start it again",
)
RELOCATE = Strategy(
    name="relocate_port",
    rung="relocate_port",
    treats={FailureKind.PORT_FOREIGN},
    uses=3,
    what="move its port",
)
STRATEGIES = (RELOCATE, RESTART)
START = 1_000_000.0


def agents_for(parts: Mapping[str, ComponentSpec]) -> dict[str, Agent]:
    """A boss, a keeper who brings all parts up, and a medic."""
    keeper = Agent(
        id="keeper",
        decisions=("kept", "lost"),
        delegation="delegate_keeper",
        handler="x:y",
        components=tuple(parts.values()),
    )
    boss = Agent(id="boss", decisions=("delegate_keeper", "infrastructure_complete", "escalate"), handler="hub")
    medic = Agent(
        id="medic", decisions=("recovered", "not_recovered", "environment_reset"), delegation=RECOVERY, handler="x:z"
    )
    return {agent.id: agent for agent in (boss, keeper, medic)}


def specs_of(requires: Mapping[str, Sequence[str]], **more: Any) -> dict[str, ComponentSpec]:
    """Parts by name; further fields are the same for all."""
    return {name: ComponentSpec(name=name, probe="x:p", requires=tuple(r), **more) for name, r in requires.items()}


def hub_stack(
    requires: Mapping[str, Sequence[str]] | None = None,
    *,
    specs: Mapping[str, ComponentSpec] | None = None,
    strategies: Sequence[Strategy] = STRATEGIES,
    **more: Any,
) -> Stack:
    """A stack under a hub pipeline, from what each part requires."""
    parts = dict(specs) if specs is not None else specs_of(requires or {}, **more)
    agents = agents_for(parts)
    stages = tuple(Stage(id=f"at_{name}", agent=name, decisions=agent.decisions) for name, agent in agents.items())
    pipeline = Pipeline(id="small", kind=PipelineKind.HUB, stages=stages, connections=(), start="at_boss")
    return stack_of(pipeline, Catalogue(agents=agents, pipelines={}), strategies)


def script_stack(
    requires: Mapping[str, Sequence[str]],
    *,
    after_recovery: str | None = None,
    modes: Mapping[str, StageMode] | None = None,
    strategies: Sequence[Strategy] = STRATEGIES,
) -> Stack:
    """A stack under a script: one stage per part in order; every failure goes to `recover`, then back to the start."""
    parts = specs_of(requires)
    agents = agents_for(parts)
    names = list(parts)
    stages = [
        Stage(
            id=f"do_{name}",
            agent="keeper",
            decisions=("fine", "bad"),
            components=(name,),
            mode=(modes or {}).get(name, StageMode.FORCE),
        )
        for name in names
    ]
    stages.append(Stage(id="recover", agent="medic", decisions=("recovered", "not_recovered"), mode=StageMode.RECOVER))
    follow = [*[f"do_{name}" for name in names[1:]], None]
    connections = [
        Connection(source=f"do_{name}", target=after, condition="fine")
        for name, after in zip(names, follow, strict=True)
    ]
    connections += [Connection(source=f"do_{name}", target="recover", condition="bad") for name in names]
    connections.append(Connection(source="recover", target=after_recovery or f"do_{names[0]}", condition="recovered"))
    connections.append(Connection(source="recover", target=None, condition="not_recovered"))
    pipeline = Pipeline(
        id="small-script",
        kind=PipelineKind.SCRIPTED,
        stages=tuple(stages),
        connections=tuple(connections),
        start=stages[0].id,
    )
    return stack_of(pipeline, Catalogue(agents=agents, pipelines={}), strategies)


class StepClock:
    """Virtual time, moved by hand; the date may be set."""

    def __init__(self) -> None:
        self.time = START
        self.set_by = 0.0  #: seconds by which a person has set the date

    def now(self) -> float:
        return self.time + self.set_by

    def monotonic(self) -> float:
        return self.time - START

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class Part:
    """One part as it is."""

    health: Health = Health.ABSENT
    failure: FailureKind | None = None
    summary: str = "nothing is there"
    instance: str | None = None
    unproven: bool = False
    measures: Callable[[float], dict[str, float]] | None = None
    later: tuple[float, "Part"] | None = None  #: what becomes of it by itself, and when


def ready(number: int = 1) -> Part:
    return Part(health=Health.READY, summary="works", instance=f"i{number}")


@dataclass
class World:
    """What is really there. `script[key]` says how the orders to a part go, one word each; afterwards `ok`.

    Words: ok, lie, crash, hang, slow, start (ready after 3 s), start_forever, start_die (starting, then gone),
    fail:KIND, harm:KIND (a recovery that fails and leaves the part down, but can be taken back), break:KIND (done, but
    the probe sees that failure), flap (ready, and gone 5 s later), clear (the failure is gone, and so is the part).
    """

    clock: StepClock
    parts: dict[str, Part]
    script: dict[str, list[str]] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)  #: what happens when the script is over, instead of ok
    orders: list[Delegation] = field(default_factory=list)
    kept: dict[str, Part] = field(default_factory=dict)  #: what undoing brings back
    starts: int = 0
    slow: float = 20.0
    look_seconds: float = 0.0  #: how long looking takes

    def look(self, keys: Sequence[str]) -> list[Observation]:
        if keys:
            self.clock.time += self.look_seconds
        return [self.seen(key) for key in keys]

    def seen(self, key: str) -> Observation:
        part = self.part(key)
        environment, _, component = key.partition("/")
        return Observation(
            environment=environment,
            component=component,
            health=part.health,
            summary=part.summary,
            failure=part.failure,
            instance=part.instance,
            unproven=part.unproven,
            measures=part.measures(self.clock.now()) if part.measures else {},
            at=self.clock.now(),
        )

    def part(self, key: str) -> Part:
        part = self.parts[key]
        while part.later and part.later[0] <= self.clock.time:
            part = self.parts[key] = part.later[1]
        return part

    def word(self, order: Delegation) -> str:
        """How this order goes; taken once."""
        script = self.script.get(order.key)
        return script.pop(0) if script else self.always.get(order.key, "ok")

    def seconds(self, order: Delegation, word: str) -> float:
        return order.deadline if word == "hang" else self.slow if word == "slow" else 1.0

    def act(self, order: Delegation, word: str) -> Outcome:
        """Do the work, as it goes."""
        self.orders.append(order)
        if order.mode is Mode.VERIFY:
            return done("looked")
        if order.mode is Mode.UNDO:
            self.parts[order.key] = self.kept.pop(order.key)
            return done("taken back", "took it back")
        if word.startswith("harm:"):
            return self._harm(order, FailureKind(word.removeprefix("harm:")))
        try:
            return self._act(order, word)
        except Exception as error:  # noqa: BLE001 - as engine/delegate.py
            return outcome_of(error, order)

    def _harm(self, order: Delegation, kind: FailureKind) -> Outcome:
        self.kept[order.key] = self.parts[order.key]
        self.parts[order.key] = Part()
        failure = Failure(component=order.component, kind=kind, message=f"did not help: {kind}")
        return Outcome(status=Status.FAILED, summary="did not help", failure=failure, undoable=1)

    def _act(self, order: Delegation, word: str) -> Outcome:
        now = self.clock.time
        kind, _, detail = word.partition(":")
        if kind == "crash":
            raise ValueError("object at 0x7f3a12bc90 is odd")
        if kind == "hang":
            raise TimeoutError
        if kind == "fail":
            raise Failed(FailureKind(detail), f"could not do it: {detail}")
        if order.mode is Mode.REMOVE and kind != "lie":
            self.parts[order.key] = Part()
            return done("stopped", "stopped it")
        if kind == "lie":
            return done("it is done")
        if self.part(order.key).health is Health.READY and order.mode in (Mode.ENSURE, Mode.RECOVER):
            return done("it was done")
        if kind == "clear":
            self.parts[order.key] = Part()
            return done("the way is free", "cleared it")
        self.starts += 1
        up = ready(self.starts)
        self.parts[order.key] = {
            "start": Part(health=Health.STARTING, summary="starting", instance=up.instance, later=(now + 3, up)),
            "start_forever": Part(health=Health.STARTING, summary="starting", instance=up.instance),
            "start_die": Part(
                health=Health.STARTING, summary="starting", instance=up.instance, later=(now + 3, Part())
            ),
            "flap": Part(health=Health.READY, summary="works", instance=up.instance, later=(now + 5, Part())),
        }.get(kind, up)
        if kind == "break":
            self.parts[order.key] = Part(health=Health.BROKEN, failure=FailureKind(detail), summary=f"broken: {detail}")
        return done("done", "did it")


class Driver:
    """Runs a hub over a world in virtual time."""

    def __init__(
        self,
        stack: Stack,
        world: World,
        folder: Path,
        *,
        goal: Goal | None = None,
        brain: Brain | None = None,
        environments: Sequence[str] = ("e",),
        run: str = "r1",
        **limits: Any,
    ) -> None:
        scripted = stack.pipeline.kind is PipelineKind.SCRIPTED
        brain = brain or (ScriptBrain() if scripted else PolicyBrain())
        self.world, self.clock, self.run_id = world, world.clock, run
        self.database = Database(folder / "state.sqlite3", synchronous="OFF")
        self.journal = Journal(self.database)
        self.charter = Charter(
            run=run,
            stack=stack,
            goal=goal or Goal(),
            environments=tuple(environments),
            brain=brain,
            fallback=brain if scripted else PolicyBrain(),
            report=lambda environment, why, state, gaps: {"environment": environment, "why": why, "gaps": sorted(gaps)},
            **limits,
        )
        self.state = RunState(run=run)
        earlier = self.journal.read(run)
        for record in earlier:
            self.state.apply(record.event, record.at)
        if earlier and self.state.ended is not None:
            self.journal.append(run, self.clock.now(), [RunResumed(pid=1)])
            self.state.apply(RunResumed(pid=1), self.clock.now())
        if not earlier:
            started = RunStarted(
                pack="small", pipeline=stack.pipeline.id, brain=brain.name, goal={}, environments=list(environments)
            )
            self.journal.append(run, self.clock.now(), [started])
            self.state.apply(started, self.clock.now())
        self.memory = Memory(self.database)
        self.hub = Hub(self.charter, self.state, self.journal, self.memory, self.clock)
        self.inbox: list[Event] = []
        self.flying: list[tuple[float, int, Delegation, str]] = []
        self.together: list[tuple[Delegation, ...]] = []  #: what was in flight beside each other
        self.turns = self.count = 0

    async def run(self, limit: int = 4000) -> Ending:
        """Drive to the end; fails when that takes more turns than a sane hub needs."""
        observations = self.world.look(self.hub.probes_due())
        self.hub.reconcile(observations)
        self.hub.take(self.inbox, [])
        number = self.state.last_turn + 1
        while True:
            await self.one_turn(number, observations)
            if self.state.ended is not None:
                return self.state.ended
            self.turns += 1
            assert self.turns < limit, f"no end after {limit} turns"
            self.wait()
            self.settle()
            observations = self.world.look(self.hub.probes_due())
            number += 1

    async def one_turn(self, number: int, observations: Sequence[Observation]) -> list[Delegation]:
        orders = await self.hub.turn(number, observations)
        for order in orders:
            word = self.world.word(order)
            self.count += 1
            self.flying.append((self.clock.time + self.world.seconds(order, word), self.count, order, word))
        self.together.append(tuple(order for _, _, order, _ in self.flying))
        return orders

    def wait(self) -> None:
        """Let time pass until something happens."""
        look = self.hub.next_look()
        ends = [at - self.clock.time for at, *_ in self.flying] + ([look] if look is not None else [])
        self.clock.time += max(0.0, min([*ends, 0.5 if not ends else 60.0, max(0.0, self.hub.time_left())]))

    def settle(self) -> None:
        for one in sorted(self.flying):
            if one[0] <= self.clock.time:
                self.flying.remove(one)
                _, _, order, word = one
                outcome = self.world.act(order, word)
                self.hub.settle(order, outcome, self.world.look(self.hub.to_verify(order, outcome)))

    def cancel(self) -> None:
        """What the runner does when it is told to stop."""
        for _, _, order, _ in self.flying:
            self.hub.settle(order, Outcome(status=Status.CANCELLED, summary="stopped"), [])
        self.flying.clear()

    def events(self) -> list[Recorded]:
        return self.journal.read(self.run_id)

    def of(self, kind: type) -> list[Any]:
        return [record.event for record in self.events() if isinstance(record.event, kind)]

    def close(self) -> None:
        self.database.close()


def world_of(stack: Stack, environments: Sequence[str] = ("e",), **parts: Part) -> World:
    """A world where nothing is there but the named parts (of every environment)."""
    found = {f"{e}/{name}": parts.get(name, Part()) for e in environments for name in stack.specs}
    return World(clock=StepClock(), parts=dict(found))
