"""Probes and handlers of the demo stack: real files and real processes, which fail as the test wishes.

A test writes words into `switches/COMPONENT` of the environment's folder (see `stack.Demo.wish`); each call of a
handler takes one: ok, lie, crash, slow, hang, leak, fail:KIND, helper_and_die, die_after_start, die_unrecorded; the
medic also tune (it writes a file as well, which can be taken back), tune_die_early and tune_die_late.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.system import proc
from shiftboss.system.workbench import Workbench

CONFIG = "answer = 42\n"
PROGRAM = Path(__file__).parent / "program.py"


def seen(bench: Workbench, component: str, health: Health, summary: str, **more) -> Observation:
    return Observation(environment=bench.environment.name, component=component, health=health, summary=summary, **more)


# -- probes ----------------------------------------------------------------------------------------------------


def _file(bench: Workbench, component: str) -> Path:
    return bench.environment.folder / f"{component}.txt"


def _probe_file(bench: Workbench, component: str) -> Observation:
    path = _file(bench, component)
    if not path.exists():
        return seen(bench, component, Health.ABSENT, f"{component} is not there")
    if path.read_text() != CONFIG:
        return seen(bench, component, Health.BROKEN, f"{component} is odd", failure=FailureKind.CONFIG)
    return seen(bench, component, Health.READY, f"{component} is as wanted")


async def probe_notes(bench: Workbench) -> Observation:
    return _probe_file(bench, "notes")


async def probe_config(bench: Workbench) -> Observation:
    return _probe_file(bench, "alpha.config")


def _ready_file(bench: Workbench, component: str) -> Path:
    return bench.environment.folder / f"{component}.ready"


def _probe_process(bench: Workbench, component: str) -> Observation:
    instance = bench.processes.find(component)
    if instance is None:
        if bench.processes.recorded(component):
            summary = f"{component} ended unexpectedly"
            return seen(bench, component, Health.BROKEN, summary, failure=FailureKind.DIED)
        return seen(bench, component, Health.ABSENT, f"{component} does not run")
    told = {"evidence": {"pid": instance.pid}, "instance": instance.identity}
    if proc.state(instance.pid) == "T":
        return seen(bench, component, Health.BROKEN, f"{component} is frozen", failure=FailureKind.FROZEN, **told)
    ready = _ready_file(bench, component)
    if not ready.exists() or ready.read_text() != str(instance.pid):
        return seen(bench, component, Health.STARTING, f"{component} is starting", **told)
    return seen(bench, component, Health.READY, f"{component} runs", **told)


async def probe_alpha(bench: Workbench) -> Observation:
    return _probe_process(bench, "alpha")


async def probe_beta(bench: Workbench) -> Observation:
    return _probe_process(bench, "beta")


async def probe_gamma(bench: Workbench) -> Observation:
    return _probe_process(bench, "gamma")


def _instances(bench: Workbench) -> list[str]:
    found = [bench.processes.find(name) for name in ("alpha", "beta", "gamma")]
    return [instance.identity for instance in found if instance]


async def probe_proof(bench: Workbench) -> Observation:
    path = bench.environment.folder / "proof.json"
    if not path.exists():
        return seen(bench, "proof", Health.ABSENT, "nothing is proved")
    if path.read_text() != json.dumps(_instances(bench)):
        return seen(bench, "proof", Health.ABSENT, "the proof is of other instances", unproven=True)
    return seen(bench, "proof", Health.READY, "proved for these instances")


# -- handlers --------------------------------------------------------------------------------------------------


def _word(order: Delegation, bench: Workbench) -> str:
    """How this call shall go; each call is noted down."""
    folder = bench.environment.folder
    (folder / "calls").mkdir(exist_ok=True)
    with (folder / "calls" / order.component).open("a") as file:
        file.write(f"{order.mode} {order.id}\n")
    count = len((folder / "calls" / order.component).read_text().splitlines())
    switch = folder / "switches" / order.component
    words = switch.read_text().split() if switch.exists() else []
    return words[count - 1] if count <= len(words) else "ok"


async def _misbehave(word: str, order: Delegation, bench: Workbench) -> Outcome | None:
    kind, _, detail = word.partition(":")
    match kind:
        case "lie":
            return done("it is done")
        case "crash":
            raise ZeroDivisionError
        case "slow":
            await bench.clock.sleep(0.4)
        case "hang":
            await bench.clock.sleep(3600)
        case "leak":
            raise asyncio.CancelledError
        case "fail":
            raise Failed(FailureKind(detail), f"could not do it: {detail}")
        case "helper_and_die":
            await _die_beside_a_helper(order, bench)
        case _:
            pass
    return None


async def _die_beside_a_helper(order: Delegation, bench: Workbench) -> None:
    """Kill the hub while a helper program of this order runs."""
    work = bench.processes.run_tool(["sleep", "300"], timeout=300, cwd=bench.home, run=order.run, delegation=order.id)
    task = asyncio.create_task(work)
    while not bench.processes.leftover_helpers():
        await asyncio.sleep(0.005)
    os.kill(os.getpid(), signal.SIGKILL)
    await task


async def write(order: Delegation, bench: Workbench) -> Outcome:
    early = await _misbehave(_word(order, bench), order, bench)
    if early is not None or order.mode is Mode.REMOVE:
        return early or done("files stay")
    path = _file(bench, order.component)
    if path.exists() and path.read_text() == CONFIG and order.mode is not Mode.FORCE:
        return done("it was there")
    path.write_text(CONFIG)
    return done("written", f"wrote {path.name}")


async def start(order: Delegation, bench: Workbench) -> Outcome:
    word = _word(order, bench)
    early = await _misbehave(word, order, bench)
    if early is not None:
        return early
    if order.mode is Mode.REMOVE:
        return done("stopped", *await _stop(order, bench))
    changes = await _stop(order, bench) if order.mode is Mode.FORCE else []
    changes += await _spawn(order, bench, word)
    await _until_ready(order.component, bench)
    return done("it runs", *changes)


async def _stop(order: Delegation, bench: Workbench) -> list[str]:
    stopped = await bench.processes.stop(order.component, grace=2.0, clock=bench.clock)
    return [f"stopped {order.component}"] if stopped else []


async def _spawn(order: Delegation, bench: Workbench, word: str = "ok") -> list[str]:
    if bench.processes.find(order.component):
        return []
    folder = bench.environment.folder
    (folder / "starts").mkdir(exist_ok=True)
    ready = _ready_file(bench, order.component)
    argv = [sys.executable, "-S", "-E", str(PROGRAM), str(folder / "starts" / order.component), str(ready)]
    log = bench.environment.log_folder / f"{order.component}.log"
    await bench.processes.spawn(order.component, argv, run=bench.run, delegation=bench.delegation, log=log, cwd=folder)
    if word == "die_unrecorded":
        (bench.environment.run_folder / f"{order.component}.pid").unlink()
    if word.startswith("die_"):
        os.kill(os.getpid(), signal.SIGKILL)
    return [f"started {order.component}"]


async def _until_ready(component: str, bench: Workbench) -> None:
    while _probe_process(bench, component).health is Health.STARTING:
        await bench.clock.sleep(0.005)


async def prove(order: Delegation, bench: Workbench) -> Outcome:
    early = await _misbehave(_word(order, bench), order, bench)
    if early is not None or order.mode is Mode.REMOVE:
        return early or done("the proof stays")
    if (await probe_proof(bench)).health is Health.READY and order.mode is not Mode.FORCE:
        return done("it is proved")
    (bench.environment.folder / "proof.json").write_text(json.dumps(_instances(bench)))
    return done("proved", "wrote the proof")


async def recover(order: Delegation, bench: Workbench) -> Outcome:
    if order.mode is Mode.UNDO:
        return done("taken back", *bench.undo.roll_back(order.undoes or ""))
    word = _word(order, bench)
    early = await _misbehave(word, order, bench)
    if early is not None:
        return early
    changes = _tune(order, bench) if word.startswith("tune") else []
    _die_if(word == "tune_die_early")
    changes += await _stop(order, bench)
    changes += await _spawn(order, bench)
    await _until_ready(order.component, bench)
    _die_if(word == "tune_die_late")
    return done("it runs again", *changes)


def _tune(order: Delegation, bench: Workbench) -> list[str]:
    path = bench.environment.folder / "tuning.txt"
    bench.undo.register_file(order.id, path)
    path.write_text("tuned")
    return ["tuned it"]


def _die_if(now: bool) -> None:
    if now:
        os.kill(os.getpid(), signal.SIGKILL)
