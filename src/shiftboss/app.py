"""Wires everything together: a working directory, its settings, templates, store and workbenches.

The one place that knows which pack, brain and store there are. Frontends call the verbs of `control.py`.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TypeVar

from shiftboss import __version__
from shiftboss.contracts import Brain, Handler, Mind, Pack, Probe
from shiftboss.engine.observe import Observer
from shiftboss.environments import Place, chosen_places, enrol, known_places
from shiftboss.errors import BadInput, StoreBroken
from shiftboss.handlers.making import handler_for, probe_for
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.pipeline import Catalogue, Pipeline, PipelineKind
from shiftboss.model.stack import Stack, stack_of
from shiftboss.model.value import Value
from shiftboss.settings import Settings, read_sources
from shiftboss.store.database import Database
from shiftboss.store.inbox import Inbox
from shiftboss.store.journal import Journal
from shiftboss.store.memory import Memory
from shiftboss.system.clock import Clock, SystemClock
from shiftboss.system.files import Ballast, ensure_private_folder
from shiftboss.system.lock import exclusive
from shiftboss.system.workbench import Workbench
from shiftboss.templates.loader import load_shipped
from shiftboss.workbenches import open_benches

STORE = "state.sqlite3"
BALLAST = "ballast"
"""A file that is given up when the disk is full, so that the last words can still be written."""

BRAINS = ("policy", "llm", "shadow", "script")
"""What can decide."""
ASKING = ("llm", "shadow")
"""Those that ask a model."""

T = TypeVar("T")


class Request(Value):
    """What the caller said, before anything was looked at."""

    workdir: Path
    pack: str = "mining"
    pipeline: str | None = None
    sets: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: Path = field(default_factory=Path.cwd)
    environments: Sequence[str] = ()  #: as written: NAME or NAME=PROFILE; none: all that the working directory has


class Session(Value):
    """A working directory, opened for looking; `control` opens it further for acting."""

    request: Request
    home: Path
    settings: Settings
    pack: Pack
    catalogue: Catalogue
    pipeline: Pipeline
    stack: Stack
    clock: Clock
    places: Mapping[str, Place]  #: the environments this is about
    neighbours: Mapping[str, Place]  #: these and all others of the working directory
    benches: Mapping[str, Workbench]

    @property
    def parts(self) -> dict[str, frozenset[str]]:
        """The components that belong to each environment."""
        every = frozenset(self.stack.specs)
        tasks = {spec.name for spec in self.stack.specs.values() if spec.claimed}  # of no pack: they belong anywhere
        found: dict[str, frozenset[str]] = {}
        for name, bench in self.benches.items():
            parts = self.pack.parts(bench)
            left_out = {one for one, key in self.pack.optional.items() if not bench.settings.is_on(key)}
            found[name] = ((every if parts is None else every.intersection(parts)) | tasks) - left_out
        return found

    def observer(self) -> Observer:
        """Looks at every component of every environment."""
        probes: dict[str, Probe] = {
            spec.name: probe_for(spec, self.stack.owners[spec.name].source) for spec in self.stack.specs.values()
        }
        return Observer(probes, self.benches, self.settings.probes.timeout)

    def handlers(self) -> Mapping[str, Handler]:
        """Agent id -> its handler, imported when first asked for."""
        return _Handlers(self.stack, self.mind)

    def mind(self, name: str = "") -> Mind:
        """The model that is set, or the one named.

        Raises:
            BadInput: there is none, or it can't be used.
        """
        from shiftboss.minds.opening import open_mind

        return open_mind(self.settings.brain, self.request.environ, name)


class _Handlers(dict[str, Handler]):
    """Loads a handler when it is first needed: a run that changes nothing imports none."""

    def __init__(self, stack: Stack, mind: Callable[[str], Mind]) -> None:
        super().__init__()
        self._stack = stack
        self._mind = mind

    def __missing__(self, agent_id: str) -> Handler:
        agent = self._stack.agents[agent_id]
        tasks = {name for name, spec in self._stack.specs.items() if spec.claimed}
        claimed = {name for name in tasks if self._stack.owners[name].id == agent_id}
        self[agent_id] = handler = handler_for(agent, self._mind, claimed)
        return handler


def open_session(request: Request, clock: Clock | None = None) -> Session:
    """Read settings and templates; nothing is changed yet.

    Raises:
        BadInput: with every finding.
    """
    home = request.workdir.absolute()
    sources = read_sources(home, sets=request.sets, environ=request.environ, cwd=request.cwd)
    settings = sources.settings()
    pack = _pack(request.pack)
    catalogue = load_shipped(pack.folder)
    if settings.templates.folders:
        from shiftboss.templates.loader import load_user

        catalogue = load_user(settings.templates.folders, catalogue)
    pipeline = _pipeline(catalogue, request.pipeline or pack.default_pipeline)
    clock = clock or SystemClock()
    known = known_places(home, pack.profiles)
    places = chosen_places(request.environments, known, pack.profiles)
    neighbours = {**known, **places}
    return Session(
        request=request,
        home=home,
        settings=settings,
        pack=pack,
        catalogue=catalogue,
        pipeline=pipeline,
        stack=stack_of(pipeline, catalogue, pack.strategies),
        clock=clock,
        places=places,
        neighbours=neighbours,
        benches=open_benches(home, places, neighbours, pack.profiles, sources, clock),
    )


def _pack(name: str) -> Pack:
    if name == "mining":
        from shiftboss.packs.mining.pack import PACK as MINING

        return MINING
    if name == "plain":
        from shiftboss.packs.plain.pack import PACK as PLAIN

        return PLAIN
    raise BadInput([Diagnostic(place="command line", what=f"unknown pack {name!r}", remedy="Known packs: mining")])


def _pipeline(catalogue: Catalogue, name: str) -> Pipeline:
    if name in catalogue.pipelines:
        return catalogue.pipelines[name]
    from difflib import get_close_matches

    near = get_close_matches(name, catalogue.pipelines, 1)
    remedy = f"Did you mean {near[0]}?" if near else f"Known pipelines: {', '.join(sorted(catalogue.pipelines))}"
    raise BadInput([Diagnostic(place="command line", what=f"unknown pipeline {name!r}", remedy=remedy)])


def brain_for(session: Session, name: str | None) -> Brain:
    """The brain of a run: the script brain for scripted pipelines, else the one that was named or set.

    Raises:
        BadInput: there is none of that name, it can't run this pipeline, or the model it needs can't be used.
    """
    pipeline = session.pipeline
    scripted = pipeline.kind is PipelineKind.SCRIPTED
    name = name or ("script" if scripted else session.settings.brain.kind)
    if name not in BRAINS:
        what, remedy = f"unknown brain {name!r}", f"Known: {', '.join(BRAINS)}"
        raise BadInput([Diagnostic(place="command line", what=what, remedy=remedy)])
    if (name == "script") != scripted:
        what = f"brain {name!r} can't run the {pipeline.kind} pipeline {pipeline.id}"
        raise BadInput([Diagnostic(place="command line", what=what, remedy="Leave --brain out")])
    if name == "script":
        from shiftboss.brains.script import ScriptBrain

        return ScriptBrain()
    if name == "policy":
        from shiftboss.brains.policy import PolicyBrain

        return PolicyBrain()
    return _asking(name, session)


def _asking(name: str, session: Session) -> Brain:
    """A brain that asks a model."""
    from shiftboss.brains.llm import LlmBrain
    from shiftboss.brains.shadow import ShadowBrain

    mind, given = session.mind(), session.settings.brain
    kind = ShadowBrain if name == "shadow" else LlmBrain
    return kind(mind, allowance=given.allowance, seconds=given.seconds)


class Records:
    """The open store of a working directory."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.journal = Journal(database)
        self.inbox = Inbox(database)
        self.memory = Memory(database)

    def close(self) -> None:
        """Close the file."""
        self.database.close()


def open_for_work(session: Session) -> tuple[Session, Records]:
    """The session with its environments written down, and the store; makes the working directory where there is none.

    No port of theirs is given to an environment that another process adds meanwhile.

    Raises:
        BadInput: the working directory can't be made or written, or its store can't be used.
    """
    new = not session.home.exists()
    try:
        session = with_room(session, lambda: _enrolled(session))
        return session, with_room(session, lambda: _open_store(session))
    except (OSError, StoreBroken) as error:
        if new:
            _unmake(session.home)
        raise BadInput([_unusable(session.home, error)]) from error


def _enrolled(session: Session) -> Session:
    for folder in (session.home, session.home / "locks"):
        ensure_private_folder(folder)
    with exclusive(session.home / "locks" / "environments"):
        now = known_places(session.home, session.pack.profiles)
        if {**now, **session.places} != session.neighbours:
            session = open_session(session.request, session.clock)
        enrol(session.home, session.places.values())
    for bench in session.benches.values():
        bench.environment.make()
    return session


def open_records(session: Session) -> Records:
    """The store of a working directory that has one, to write into; no environment is made.

    Raises:
        BadInput: the working directory can't be written, or its store can't be used.
    """
    try:
        return with_room(session, lambda: _open_store(session))
    except (OSError, StoreBroken) as error:
        raise BadInput([_unusable(session.home, error)]) from error


def with_room(session: Session, write: Callable[[], T]) -> T:
    """Write; where that fails, once more with the room that the ballast gives up.

    A full disk must keep nobody from freeing space, or from stopping the stack.
    """
    ballast = Ballast(session.home / BALLAST)
    try:
        return write()
    except (OSError, StoreBroken):
        if not ballast.release():
            raise
    return write()


def _open_store(session: Session) -> Records:
    return Records(Database(session.home / STORE, synchronous=session.settings.store.synchronous))


def _unmake(home: Path) -> None:
    import shutil

    shutil.rmtree(home, ignore_errors=True)


def _unusable(home: Path, error: OSError | StoreBroken) -> Diagnostic:
    if isinstance(error, StoreBroken):
        what, _, remedy = str(error).partition(". ")
        return Diagnostic(place=str(home), what=what, remedy=remedy)
    what = f"the working directory can't be used: {error.strerror} ({error.filename})"
    return Diagnostic(
        place=str(home), what=what, remedy="Free space, correct its permissions, or name another with --workdir"
    )


def read_records(home: Path) -> Records | None:
    """The store, for looking only; None when there is none yet."""
    path = home / STORE
    if not path.exists():
        return None
    database = Database(path, readonly=True)
    if database.empty:
        database.close()
        return None
    return Records(database)


def new_run_id(now: float) -> str:
    """A run id that sorts by time and reads well: 20261122-154501-3f2a."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{os.urandom(2).hex()}"


def bound_to(session: Session) -> str:
    """The versions that lessons are bound to, as one text: other versions may fail (and mend) in other ways."""
    bench = next(iter(session.benches.values()))
    found = {"shiftboss": __version__, **session.pack.versions(bench)}
    return ", ".join(f"{name} {version}" for name, version in sorted(found.items()))


def versions() -> dict[str, str]:
    """What ran this, for reports."""
    python = ".".join(map(str, sys.version_info[:3]))
    return {"shiftboss": __version__, "python": python, "kernel": os.uname().release}
