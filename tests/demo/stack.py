"""The demo stack as a session: what app.open_session does for the mining pack, done by hand for tests."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shiftboss.app import Request, Session
from shiftboss.contracts import Pack
from shiftboss.control import Listener, Result, run_goal
from shiftboss.environments import Place, known_places
from shiftboss.model.failure import FailureKind
from shiftboss.model.profile import Profile
from shiftboss.model.recovery import Strategy
from shiftboss.model.run import Goal
from shiftboss.model.stack import stack_of
from shiftboss.settings import Settings, load_settings
from shiftboss.store.database import Database
from shiftboss.store.journal import Journal
from shiftboss.system.clock import Clock, SystemClock
from shiftboss.system.environment import Environment
from shiftboss.system.instance import HELPER, marks_of
from shiftboss.system.proc import is_running, pids
from shiftboss.system.process import Processes
from shiftboss.system.workbench import Workbench
from shiftboss.templates.loader import load_shipped
from shiftboss.view import RunView, fold

FOLDER = Path(__file__).parent
PROCESSES = ("alpha", "beta", "gamma")
COMPONENTS = ("notes", "alpha.config", *PROCESSES, "proof")


async def nothing(_bench: Workbench) -> Mapping[str, object]:
    return {}


PROFILES = {"demo": Profile(name="demo", chain="regtest", what="three programs and their papers")}
PACK = Pack(
    name="demo",
    folder=FOLDER,
    profiles=PROFILES,
    default_pipeline="demo",
    strategies=(
        Strategy(
            name="restart_one",
            rung="restart_one",
            treats={FailureKind.DIED, FailureKind.FROZEN, FailureKind.TIMEOUT},
            components=PROCESSES,
            what="start it again",
        ),
    ),
    advise=lambda component, kind, bench: [(f"look at {component}", "safe")],
    endpoints=nothing,
    proof=nothing,
    logs=lambda bench: {name: bench.environment.log_folder / f"{name}.log" for name in PROCESSES},
)


def session(
    home: Path, *, environments: Sequence[str] = ("one",), pipeline: str = "demo", sets: Sequence[str] = ()
) -> Session:
    """The demo pack's session for a working directory."""
    home = home.absolute()
    settings = load_settings(home, sets=["store.synchronous=NORMAL", *sets], environ={"HOME": str(home)}, cwd=home)
    catalogue = load_shipped(FOLDER)
    clock = SystemClock()
    places = {name: Place(name=name, profile="demo", slot=slot) for slot, name in enumerate(environments)}
    return Session(
        request=Request(workdir=home, pack="demo", environ={}, cwd=home, environments=tuple(environments)),
        home=home,
        settings=settings,
        pack=PACK,
        catalogue=catalogue,
        pipeline=catalogue.pipelines[pipeline],
        stack=stack_of(catalogue.pipelines[pipeline], catalogue, PACK.strategies),
        clock=clock,
        places=places,
        neighbours={**known_places(home, PROFILES), **places},
        benches={name: bench(home, name, settings, clock) for name in places},
    )


def bench(home: Path, name: str, settings: Settings, clock: Clock) -> Workbench:
    environment = Environment(name=name, profile="demo", chain="regtest", folder=home / "env" / name)
    processes = Processes(home, name, environment.run_folder)
    return Workbench(home=home, environment=environment, settings=settings, clock=clock, processes=processes)


@dataclass
class Demo:
    """A demo stack in a working directory, and what a test asks of it."""

    home: Path
    environments: Sequence[str] = ("one",)

    def folder(self, environment: str = "one") -> Path:
        return self.home / "env" / environment

    def wish(self, component: str, *words: str, environment: str = "one") -> None:
        """How the next calls for a component shall go; see agents/parts.py."""
        path = self.folder(environment) / "switches" / component
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(" ".join(words))

    def session(self, **more: Any) -> Session:
        return session(self.home, environments=self.environments, **more)

    def up(self, goal: Goal | None = None, listener: Listener | None = None, **more: Any) -> Result:
        return asyncio.run(run_goal(self.session(**more), goal or Goal(), listener=listener))

    def starts(self, component: str, environment: str = "one") -> int:
        """How often a component's program was started."""
        path = self.folder(environment) / "starts" / component
        return len(path.read_text().splitlines()) if path.exists() else 0

    def calls(self, component: str, environment: str = "one") -> list[str]:
        """The modes in which a component's handler was called."""
        return [line.split()[0] for line in self.call_lines(component, environment)]

    def call_lines(self, component: str, environment: str = "one") -> list[str]:
        """`mode order-id` of each call."""
        path = self.folder(environment) / "calls" / component
        return path.read_text().splitlines() if path.exists() else []

    def running(self) -> dict[str, list[int]]:
        """Living processes of this working directory by component (helpers as `helper`)."""
        found: dict[str, list[int]] = {}
        for pid in pids():
            marks = marks_of(pid)
            if marks and marks.home == str(self.home.resolve()) and is_running(pid):
                name = marks.component if marks.component == HELPER else f"{marks.environment}/{marks.component}"
                found.setdefault(name, []).append(pid)
        return found

    def views(self) -> dict[str, RunView]:
        """Every run in the journal, oldest first."""
        store = Database(self.home / "state.sqlite3", readonly=True)
        try:
            journal = Journal(store)
            runs = list(dict.fromkeys(mark.run for mark in reversed(journal.marks())))
            return {run: fold(journal.read(run)) for run in runs}
        finally:
            store.close()
