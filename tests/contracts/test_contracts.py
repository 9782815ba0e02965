"""What every pack, probe, handler and brain must keep, shipped or of the demo; none of it needs a real daemon."""

import asyncio
import hashlib
import importlib
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo import stack as demo_stack
from demo.small import STRATEGIES, Driver, World, world_of
from demo.stack import Demo
from shiftboss.app import Request, Session, open_session
from shiftboss.brains.policy import PolicyBrain
from shiftboss.brains.script import ScriptBrain
from shiftboss.handlers import python
from shiftboss.model.events import Decided, NotAdmitted
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, Status
from shiftboss.model.pipeline import PipelineKind
from shiftboss.model.recovery import RUNGS
from shiftboss.model.run import Ending
from shiftboss.model.stack import stack_of
from shiftboss.packs.mining import recovery
from shiftboss.packs.mining.pack import PACK as MINING
from shiftboss.settings import Settings
from shiftboss.system.instance import marks_of
from shiftboss.system.proc import pids
from shiftboss.system.workbench import Workbench
from shiftboss.templates.loader import load_shipped

PACKS = {"mining": MINING, "demo": demo_stack.PACK}
CATALOGUES = {name: load_shipped(pack.folder) for name, pack in PACKS.items()}
COMPONENTS = [
    (name, component)
    for name, pack in PACKS.items()
    for component in CATALOGUES[name].components_of(CATALOGUES[name].pipelines[pack.default_pipeline])
]
CONFIGS = [("mining", f"{part}.config") for part in ("daemon", "pool", "miner")]


def mining_session(home: Path) -> Session:
    """The real pack on ports nobody else has, with a cache and a PATH of its own."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    names = ("rpc", "p2p", "stratum", "pool_status")
    return open_session(
        Request(
            workdir=home,
            sets=[f"ports.{name}={port}" for name, port in zip(names, ports, strict=True)],
            environ={"SHIFTBOSS_CACHE": str(home.parent / "cache"), "HOME": str(home.parent), "PATH": ""},
            cwd=home.parent,
        )
    )


SESSIONS: Mapping[str, Callable[[Path], Session]] = {"mining": mining_session, "demo": demo_stack.session}


@pytest.fixture
def sessions(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Session]:
    monkeypatch.setenv("PATH", str(home.parent / "nothing"))  # no daemon program of this machine is found
    return lambda name: SESSIONS[name](home)


def picture(folder: Path) -> dict[str, str]:
    """Every file below a folder with its content's hash and its date."""
    return {
        str(path.relative_to(folder)): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


def ours(home: Path) -> set[int]:
    marks = ((pid, marks_of(pid)) for pid in pids())
    return {pid for pid, mark in marks if mark and mark.home == str(home.resolve())}


async def look(opened: Session, component: str) -> list[Observation]:
    return await opened.observer().look([f"{name}/{component}" for name in opened.benches])


def order(opened: Session, component: str, mode: Mode) -> Delegation:
    (environment,) = opened.benches
    agent = opened.stack.owners[component]
    return Delegation(
        id="r/0/0",
        run="r",
        environment=environment,
        component=component,
        agent=agent.id,
        mode=mode,
        strategy=None,
        keyword=opened.stack.keywords[agent.id],
        attempt=1,
        deadline=30.0,
    )


def bench_of(opened: Session) -> Workbench:
    (bench,) = opened.benches.values()
    return replace(bench, run="r", delegation="r/0/0")


# -- probes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [False, True], ids=["no folder", "empty folder"])
@pytest.mark.parametrize(("name", "component"), COMPONENTS)
def test_a_probe_changes_nothing_in_an_empty_environment(sessions, home, name, component, made) -> None:
    opened = sessions(name)
    if made:
        bench_of(opened).environment.make()
    before = picture(home.parent)
    for _ in range(2):
        (seen,) = asyncio.run(look(opened, component))
        assert seen.health is not Health.UNKNOWN, seen.summary
        if component not in {"pool.binary", "miner.binary"}:  # they come with shiftboss
            assert seen.health is not Health.READY
        assert seen.component == component
        assert seen.summary
        json.dumps([dict(seen.evidence), dict(seen.measures)])
    assert picture(home.parent) == before
    assert ours(home) == set()


@pytest.mark.parametrize("component", demo_stack.COMPONENTS)
def test_a_probe_changes_nothing_in_a_running_stack(home: Path, component: str) -> None:
    demo = Demo(home)
    demo.up()
    before, running = picture(demo.folder()), ours(home)
    (seen,) = asyncio.run(look(demo.session(), component))
    assert seen.health is Health.READY
    assert (picture(demo.folder()), ours(home)) == (before, running)


@pytest.mark.parametrize(("name", "component"), COMPONENTS)
def test_a_probe_changes_nothing_where_rubbish_lies(sessions, home, name, component) -> None:
    opened = sessions(name)
    environment = bench_of(opened).environment
    environment.make()
    for path in ("ports.json", "proof.json", "notes.txt", "run/daemon.pid", "run/pool.pid", "run/alpha.pid"):
        (environment.folder / path).write_text("{rubbish")
    before = picture(home)
    (seen,) = asyncio.run(look(opened, component))
    assert seen.health is not Health.UNKNOWN, seen.summary
    assert picture(home) == before


# -- handlers --------------------------------------------------------------------------------------------------


def carried_out(opened: Session, component: str, mode: Mode) -> Outcome:
    handler = opened.handlers()[opened.stack.owners[component].id]
    return asyncio.run(handler(order(opened, component, mode), bench_of(opened)))


@pytest.mark.parametrize(("name", "component"), COMPONENTS)
def test_removing_what_is_not_there_changes_nothing(sessions, home, name, component) -> None:
    opened = sessions(name)
    bench_of(opened).environment.make()
    (bench_of(opened).environment.folder / "calls").mkdir()
    before = {path: told for path, told in picture(home.parent).items() if "calls" not in path}
    outcome = carried_out(opened, component, Mode.REMOVE)
    assert (outcome.status, outcome.changes) == (Status.DONE, ())
    assert {path: told for path, told in picture(home.parent).items() if "calls" not in path} == before


def is_made_alone(name: str, component: str) -> bool:
    return (name, component) in CONFIGS or component in ("notes", "alpha.config", "alpha", "pool.binary")


@pytest.mark.parametrize(("name", "component"), [one for one in COMPONENTS if is_made_alone(*one)])
def test_ensuring_twice_changes_nothing_the_second_time(sessions, home, name, component) -> None:
    opened = sessions(name)
    bench_of(opened).environment.make()
    first = carried_out(opened, component, Mode.ENSURE)
    assert first.status is Status.DONE
    (seen,) = asyncio.run(look(opened, component))
    assert seen.health is Health.READY, seen.summary
    before = {path: told for path, told in picture(home).items() if "calls" not in path}
    running = ours(home)
    second = carried_out(opened, component, Mode.ENSURE)
    assert (second.status, second.changes) == (Status.DONE, ())
    assert {path: told for path, told in picture(home).items() if "calls" not in path} == before
    assert ours(home) == running


@pytest.mark.parametrize(("name", "component"), COMPONENTS)
def test_every_probe_and_handler_can_be_called(name: str, component: str) -> None:
    catalogue, pack = CATALOGUES[name], PACKS[name]
    stack = stack_of(catalogue.pipelines[pack.default_pipeline], catalogue, pack.strategies)
    agent = stack.owners[component]
    for target in (agent.handler, stack.specs[component].probe):
        assert asyncio.iscoroutinefunction(python.load(target or "", agent.source))


# -- packs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_fits_together(name: str) -> None:
    pack, catalogue = PACKS[name], CATALOGUES[name]
    for pipeline in catalogue.pipelines.values():
        stack = stack_of(pipeline, catalogue, pack.strategies)
        assert set(stack.owners) == set(stack.specs)
        assert all(stack.words(stage.agent, stage.id)[0] for stage in pipeline.stages[1:])
        assert stack.recovery_agent is not None
        for stage in pipeline.stages:
            assert set(stage.components) <= set(stack.specs)
    stack = stack_of(catalogue.pipelines[pack.default_pipeline], catalogue, pack.strategies)
    assert len({strategy.name for strategy in pack.strategies}) == len(pack.strategies)
    for strategy in pack.strategies:
        assert strategy.rung in RUNGS
        assert {*strategy.components, *strategy.touches} <= set(stack.specs)
        assert strategy.treats
        assert strategy.what
        assert strategy.uses >= 1


def test_every_strategy_of_the_mining_pack_can_be_carried_out() -> None:
    assert {strategy.name for strategy in MINING.strategies} == set(recovery.ACTS)
    for name in recovery.ACTS:
        module, _, act = recovery.ACTS[name].partition(":")
        assert callable(getattr(importlib.import_module(f"shiftboss.packs.mining.recoveries.{module}"), act)), name


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_speaks_also_of_an_empty_environment(sessions, home, name) -> None:
    opened = sessions(name)
    bench_of(opened).environment.make()
    before = picture(home)
    for component in opened.stack.specs:
        for kind in (None, *FailureKind):
            for command, effect in opened.pack.advise(component, kind, bench_of(opened)):
                assert command
                assert effect in {"safe", "destructive"}
    told = [asyncio.run(describe(bench_of(opened))) for describe in (opened.pack.endpoints, opened.pack.proof)]
    json.dumps([dict(one) for one in told])
    assert picture(home) == before
    assert isinstance(opened.settings, Settings)


# -- brains ----------------------------------------------------------------------------------------------------


class Watched:
    """A brain whose every choice is looked up among the legal moves."""

    def __init__(self, brain: Any) -> None:
        self.brain, self.name, self.choices = brain, brain.name, 0

    async def decide(self, situation):
        before = [dict(situation.gaps), dict(situation.in_flight), dict(situation.snapshot)]
        decision = await self.brain.decide(situation)
        assert [dict(situation.gaps), dict(situation.in_flight), dict(situation.snapshot)] == before
        if decision is not None:
            self.choices += 1
            assert decision.moves
            assert decision.reasoning
            assert decision.source == self.name
            assert all(situation.legal.get(move) is not None for move in decision.moves)
        return decision


TROUBLES = ["ok", "lie", "crash", "hang", "start", "start_die", "fail:port_foreign", "break:died", "fail:permission"]


def mining_driver(drive, pipeline: str, world_words: Mapping[str, list[str]]) -> tuple[Driver, Watched, World]:
    catalogue = CATALOGUES["mining"]
    stack = stack_of(catalogue.pipelines[pipeline], catalogue, (*MINING.strategies, *STRATEGIES))
    world = world_of(stack)
    world.script = {f"e/{name}": list(words) for name, words in world_words.items()}
    scripted = stack.pipeline.kind is PipelineKind.SCRIPTED
    brain = Watched(ScriptBrain() if scripted else PolicyBrain())
    return drive(stack, world, brain=brain), brain, world


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("pipeline", CATALOGUES["mining"].pipelines)
def test_a_brain_chooses_only_what_is_legal(drive, pipeline: str, trouble: str, parallel: int) -> None:
    words = {"daemon": [trouble], "pool": ["ok", trouble], "miner": [trouble, trouble], "cycle": [trouble]}
    driver, brain, _ = mining_driver(drive, pipeline, words)
    driver.charter = driver.hub.charter = replace(driver.charter, parallel=parallel)
    assert asyncio.run(driver.run()) in Ending
    assert brain.choices == len(driver.of(Decided)) > 0
    assert driver.of(NotAdmitted) == []
