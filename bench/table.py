"""The design document's table on real parts: five scenes, each under the scripted and under the hub's own pipeline.

Both pipelines get the same start state, the same agents and the same fault; they take turns. What is timed is the
whole process, as a user starts it. Making the start state and taking it down again is not timed.
"""

import json
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import real
from measure import Figure, interleaved, ratio, seconds
from stacks import Stack

from shiftboss.engine.charter import Charter
from shiftboss.engine.scripted import walk
from shiftboss.engine.state import RunState
from shiftboss.model.run import EXIT_CODES, Ending
from shiftboss.packs.mining.pack import PACK
from shiftboss.system.rpc import RpcFailure
from shiftboss.templates.loader import load_shipped

BRAINS = {"policy": "intelligent-mining-infrastructure-setup", "script": "mining-infrastructure-setup"}
SHARE_DIFFICULTY = 1e-6
"""A share takes a few milliseconds: luck with the hashes does not drown the figures."""
STEPS = Charter.steps
"""Visits a script may make."""
LIFE_SECONDS = 0.3
"""How long a daemon that dies lives: long enough to be told ready, too short to fund a wallet."""
ROUNDS, CRASH_ROUNDS, PATIENCE = 5, 2, 240


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What one run took, and what it did."""

    seconds: float
    code: int
    delegations: int
    daemon_starts: int
    blocks: int
    visits: int  #: stages a script came to; 0 for the hub


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A start state, and what the hub may take of the script's time."""

    name: str
    prepare: Callable[[Stack], None]
    at_most: float | None = None
    difficulty: float = SHARE_DIFFICULTY
    empty: bool = False  #: begins in an empty folder, with the download in the cache
    meanwhile: Callable[[Stack, threading.Event], None] | None = None  #: happens while the run is at work


def _nothing(_made: Stack) -> None:
    """The folder is as it is: empty, or with a funded chain of which nothing runs."""


def _part_of_it(made: Stack) -> None:
    """The document's second scenario: programs and configurations are there, the daemon runs, its wallet is funded."""
    made.up("wallet", "pool.config", "miner.config")


def _fault(name: str) -> Callable[[Stack], None]:
    """All of the stack runs and is proven, then a fault of the catalogue is put in."""

    def prepare(made: Stack) -> None:
        made.up()
        made.run("chaos", "inject", name)

    return prepare


def _kill_first_pool(made: Stack, over: threading.Event) -> None:
    """Kill the pool once, as soon as it is first started."""
    while not over.wait(0.002):
        with suppress(OSError, ValueError):
            made.kill("pool")
            return


def _end_every_daemon(made: Stack, over: threading.Event) -> None:
    """End the daemon soon after it is ready, again and again.

    As the fault `daemon_crash_loop`, but counted from its first answer and not from its start: however slow the
    machine is today, every start succeeds and none lasts. It may write its chain to disk: blocks that are lost would
    be another failure, with another end each time.
    """
    while not over.wait(0.05):
        with suppress(OSError, ValueError, RpcFailure):
            made.rpc("getblockcount")
            over.wait(LIFE_SECONDS)
            made.kill("daemon", signal.SIGTERM)


SCENES = (
    Scene(name="fresh", prepare=_nothing, empty=True, at_most=1.0),
    Scene(name="partial (daemon and wallet are ready)", prepare=_part_of_it, at_most=0.35),
    # A killed part is the plainest failure there is, and the mildest for the script: it comes by without a recovery,
    # for it starts the pool again in any case.
    Scene(name="one failure (the pool of a running stack was killed)", prepare=_fault("pool_killed"), at_most=0.6),
    # The document's own story, in which the script does need its recovery. Its claim is 15 % less time.
    Scene(
        name="one failure while setting up (the pool dies at its first start)",
        prepare=_nothing,
        empty=True,
        meanwhile=_kill_first_pool,
        at_most=0.85,
    ),
    Scene(name="Stratum port taken by a stranger", prepare=_fault("stratum_port_foreign"), at_most=0.4),
)
CRASHES = Scene(
    name="the daemon dies after every start",
    prepare=_nothing,
    meanwhile=_end_every_daemon,
    difficulty=0.01,  # a minute for a share: nothing is proven between two deaths, by luck
)


def measure(*, quick: bool) -> list[Figure]:
    """All scenes; the last one, in which the script goes round until it may no more, has fewer rounds."""
    program = real.bitcoind()
    with real.folder() as folder:
        real.fetched(folder / "first")  # fills the cache
        place = Place(folder, program)
        figures = [one for scene in SCENES for one in _scene(place, scene, 2 if quick else ROUNDS)]
        return [*figures, *_crashes(place, 1 if quick else CRASH_ROUNDS, 2 if quick else ROUNDS)]


class Place:
    """Where the runs are: a folder, and in it a funded chain that is copied for each run, without its memory."""

    def __init__(self, folder: Path, program: Path) -> None:
        self._folder = folder
        self._program = program
        self._numbers = count()
        self._golden = folder / "golden"
        with self._stack(self._golden) as made:
            made.up("wallet")
            made.run("down")

    @contextmanager
    def stack(self, scene: Scene) -> Iterator[Stack]:
        """A stack in the start state of a scene; nothing of it is left afterwards."""
        home = self._folder / f"run-{next(self._numbers)}"
        if not scene.empty:
            real.copied(self._golden, home)
        with self._stack(home) as made:
            made.settings["pool.share_difficulty"] = scene.difficulty
            if scene.empty:
                del made.settings["daemon.binary"]
            try:
                scene.prepare(made)
                yield made
            finally:
                if not scene.empty:
                    made.run("chaos", "clear")

    def _stack(self, home: Path) -> Any:
        return real.stack(home, **{"daemon.binary": self._program})


def _run(place: Place, scene: Scene, brain: str) -> Taken:
    documents: list[dict[str, Any]] = []
    with place.stack(scene) as made:
        with _meanwhile(scene, made):
            passed = seconds(lambda: documents.append(_up(made, BRAINS[brain])))
        return _taken(made, documents[0], passed)


@contextmanager
def _meanwhile(scene: Scene, made: Stack) -> Iterator[None]:
    over = threading.Event()
    happens = threading.Thread(target=scene.meanwhile or (lambda *_: None), args=(made, over))
    happens.start()
    try:
        yield
    finally:
        over.set()
        happens.join()


def _up(made: Stack, pipeline: str) -> dict[str, Any]:
    command = real.as_installed(made, "up", "mining", "--pipeline", pipeline, "--json")
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise RuntimeError(f"no document; exit {done.returncode}: {done.stderr[-1000:]}") from None


def _taken(made: Stack, document: dict[str, Any], passed: float) -> Taken:
    changes = [change for one in document["delegations"] for change in one["changes"]]
    generated = [found for change in changes if (found := re.match(r"made (\d+) blocks", change))]
    return Taken(
        seconds=passed,
        code=document["exit_code"],
        delegations=len(document["delegations"]),
        daemon_starts=sum(change.startswith("started the daemon") for change in changes),
        blocks=sum(int(found[1]) for found in generated),
        visits=_visits(made, document["pipeline"]),
    )


def _visits(made: Stack, name: str) -> int:
    """How many stages a script came to, counted in its journal; 0 for a hub."""
    if name != BRAINS["script"]:
        return 0
    state = RunState(run="")
    for event in made.events():
        state.apply(event, 0.0)
    pipeline = load_shipped(PACK.folder).pipelines[name]
    return min(STEPS, walk(pipeline, state.history["regtest"], STEPS).visits)


def _rounds(place: Place, scene: Scene, rounds: int, brains: Sequence[str] = tuple(BRAINS)) -> dict[str, list[Taken]]:
    """What each pipeline took, in turn."""
    kept: dict[str, list[Taken]] = {brain: [] for brain in brains}

    def subject(brain: str) -> Callable[[], float]:
        def run() -> float:
            kept[brain].append(_run(place, scene, brain))
            return kept[brain][-1].seconds

        return run

    interleaved({brain: subject(brain) for brain in brains}, rounds)
    return kept


def _scene(place: Place, scene: Scene, rounds: int) -> list[Figure]:
    kept = _rounds(place, scene, rounds)
    ended = {brain: [one.code for one in taken] for brain, taken in kept.items()}
    if any(map(any, ended.values())):
        raise RuntimeError(f"{scene.name}: not all runs converged; exit codes {ended}")
    times = {brain: [one.seconds for one in taken] for brain, taken in kept.items()}
    ratios = [ratio(f"{scene.name}: policy / script", times["policy"], times["script"], at_most=scene.at_most)]
    return ratios + [figure for brain, taken in kept.items() for figure in _did(f"{scene.name}, {brain}", taken)]


def _did(name: str, taken: Sequence[Taken]) -> list[Figure]:
    """How long it took and what was done for it."""
    return [
        Figure(name=f"{name}: to a proven block", unit="s", values=[one.seconds for one in taken]),
        *_counted(name, taken),
    ]


def _counted(name: str, taken: Sequence[Taken]) -> list[Figure]:
    return [
        Figure(name=f"{name}: delegations", unit="", values=[one.delegations for one in taken]),
        Figure(name=f"{name}: daemon starts", unit="", values=[one.daemon_starts for one in taken]),
        Figure(name=f"{name}: blocks generated", unit="", values=[one.blocks for one in taken]),
    ]


def _crashes(place: Place, script: int, policy: int) -> list[Figure]:
    """The hub has to give up in good time; how the script ends is what it is."""
    both = _rounds(place, CRASHES, script)
    hub = both["policy"] + _rounds(place, CRASHES, policy - script, ["policy"])["policy"]
    escalated, exhausted = EXIT_CODES[Ending.ESCALATED], EXIT_CODES[Ending.EXHAUSTED]
    if any(one.code != escalated for one in hub):
        raise RuntimeError(f"{CRASHES.name}: the hub's exit codes are {[one.code for one in hub]}")
    visits, codes = ([getattr(one, name) for one in both["script"]] for name in ("visits", "code"))
    name = CRASHES.name
    return [
        Figure(name=f"{name}, policy: until a person is called", unit="s", values=_seconds(hub), at_most=30),
        *_counted(f"{name}, policy", hub),
        Figure(name=f"{name}, script: until it ends", unit="s", values=_seconds(both["script"])),
        *_counted(f"{name}, script", both["script"]),
        Figure(
            name=f"{name}, script: stages visited (it may make {STEPS} visits)", unit="", values=visits, at_least=STEPS
        ),
        Figure(name=f"{name}, script: exit code ({exhausted} exhausted, {escalated} escalated)", unit="", values=codes),
    ]


def _seconds(taken: Sequence[Taken]) -> list[float]:
    return [one.seconds for one in taken]
