"""The verbs: what a frontend can ask for. Each takes a session (app.py) and gives plain values back."""

import asyncio
import os
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from shiftboss.app import (
    ASKING,
    BALLAST,
    Records,
    Session,
    bound_to,
    brain_for,
    new_run_id,
    open_for_work,
    open_records,
    open_session,
    read_records,
    versions,
    with_room,
)
from shiftboss.contracts import Brain
from shiftboss.engine.charter import Charter
from shiftboss.engine.hub import Hub
from shiftboss.engine.ladder import Budget
from shiftboss.engine.runner import Runner
from shiftboss.engine.state import RunState
from shiftboss.errors import BadInput, StoreBroken
from shiftboss.leftovers import cut_off_recoveries, stop_helpers
from shiftboss.looking import check_components, check_models, check_script, conditions, events_of, expected, look
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.events import Consulted, Recorded, RunResumed, RunStarted, Warned
from shiftboss.model.pipeline import PipelineKind
from shiftboss.model.run import Ending, Goal, Want
from shiftboss.model.value import Value
from shiftboss.ownership import Hold, bury, cut_off
from shiftboss.purging import check_purge, purge
from shiftboss.reporting import build_report
from shiftboss.system.files import Ballast
from shiftboss.system.instance import alive
from shiftboss.view import RunView, fold
from shiftboss.workbenches import consent_in

Listener = Callable[[Recorded], None]


class Result(Value):
    """A finished run as frontends show it."""

    view: RunView
    endpoints: Mapping[str, Mapping[str, Any]]
    proof: Mapping[str, Mapping[str, Any]]


def as_brought_up(session: Session) -> Session:
    """The session with the pipeline of the last run that brought something up, unless one was asked for.

    What that run started is then known to `down`, whatever pipeline it was.
    """
    records = read_records(session.home) if session.request.pipeline is None else None
    if records is None:
        return session
    starts = [mark.event for mark in records.journal.marks() if isinstance(mark.event, RunStarted)]
    records.close()
    last = next((start.pipeline for start in starts if start.goal["want"] != Want.DOWN), session.pipeline.id)
    known = session.catalogue.pipelines.get(last)
    if known is None or known.kind is PipelineKind.SCRIPTED or last == session.pipeline.id:
        return session
    return open_session(replace(session.request, pipeline=last), session.clock)


async def run_goal(
    session: Session,
    goal: Goal,
    *,
    brain: str | None = None,
    listener: Listener | None = None,
    command: str | None = None,
    asked: Sequence[Consulted] = (),
    anew: bool = False,
) -> Result:
    """Start a run for a goal and drive it to its end; `command` is what asked for it, if not our own words.

    `asked` are the models that helped to understand the goal; `anew` forgets what earlier runs claimed to have done.

    Raises:
        BadInput: a component that does not exist, a purge that is denied, or a working directory that can't be used.
        Refused: another hub owns an environment.
    """
    check_components(session, goal)
    check_script(session)
    if goal.want is not Want.DOWN:
        check_models(session)
    check_purge(session, goal)
    chosen = brain_for(session, brain or _by_rule(session, goal))
    session, records = open_for_work(session)
    with _held(session, records, new_run_id(session.clock.now())) as hold:
        with_room(session, lambda: bury(records, session))
        if anew:
            _forget_claims(session)
        said = "" if session.stack.only_tasks else session.pipeline.deprecation  # what only claims can only be a script
        warned = [Warned(text=said)] if said else []
        first = [_started(session, goal, chosen, command), *asked, *warned]
        return await _drive(session, records, hold, first, goal, chosen, listener)


def _by_rule(session: Session, goal: Goal) -> str | None:
    """The policy brain, where no model is to be needed: what was started can always be stopped."""
    scripted = session.pipeline.kind is PipelineKind.SCRIPTED
    return "policy" if goal.want is Want.DOWN and not scripted else None


def _forget_claims(session: Session) -> None:
    from shiftboss.handlers.claims import forget_claims

    for bench in session.benches.values():
        forget_claims(bench)


def _started(session: Session, goal: Goal, brain: Brain, command: str | None) -> RunStarted:
    """The beginning of a run, with all that is needed to take it up again."""
    return RunStarted(
        pack=session.pack.name,
        pipeline=session.pipeline.id,
        brain=brain.name,
        goal={**asdict(goal), "want": str(goal.want)},
        environments=list(session.benches),
        profiles={name: place.profile for name, place in session.places.items()},
        sets=list(session.request.sets),
        settings=dict(session.settings.as_dict()),
        versions=versions(),
        command=" ".join(sys.argv[1:]) if command is None else command,
        pid=os.getpid(),
    )


@contextmanager
def _held(session: Session, records: Records, run: str) -> Generator[Hold]:
    """The environments of a run, held while it goes on; the store is closed with them, also when they can't be had."""
    try:
        hold = Hold(session, run)
        try:
            yield hold
        finally:
            hold.release()
    finally:
        records.close()


async def resume(
    session: Session,
    run: str | None = None,
    *,
    listener: Listener | None = None,
    earlier: Listener | None = None,
) -> Result:
    """Take a run up again: look first, then go on; budgets start anew. `earlier` is told what happened before.

    Raises:
        BadInput: there is no such run, or it has reached its goal.
        Refused: another hub owns an environment.
    """
    before = _events_before(session, run)
    view = fold(before)
    start, run = view.start, run or view.run
    if start is None:
        what = f"there is no run {run}" if run else "there is no run to resume"
        raise BadInput([Diagnostic(place=str(session.home), what=what, remedy="shiftboss runs lists them")])
    if view.ending is Ending.CONVERGED and not view.in_flight:
        what = f"run {run} ended converged: nothing of it was cut off"
        anew = "shiftboss run does it anew" if start.pack == "plain" else "shiftboss up looks at the stack anew"
        raise BadInput([Diagnostic(place=str(session.home), what=what, remedy=anew)])
    session, records = open_for_work(_as_it_was(session, start))
    with _held(session, records, run) as hold:
        if earlier:
            for record in before:
                earlier(record)
        goal = _goal_from(start.goal)
        chosen = brain_for(session, start.brain)
        return await _drive(session, records, hold, [RunResumed(pid=os.getpid())], goal, chosen, listener)


def _events_before(session: Session, run: str | None) -> list[Recorded]:
    records = read_records(session.home)
    if records is None:
        return []
    try:
        dead = next((mark.run for mark in cut_off(records, session)), None)
        name = run or dead or records.journal.last_run()
        return records.journal.read(name) if name else []
    finally:
        records.close()


def _as_it_was(session: Session, start: RunStarted) -> Session:
    """The session as the run began: its pipeline, environments and --set arguments; those given now go before these."""
    request = session.request
    if start.pipeline == session.pipeline.id and not start.sets and start.environments == list(session.benches):
        return session
    sets = (*start.sets, *request.sets)
    written = [f"{name}={start.profiles.get(name, name)}" for name in start.environments]
    again = replace(request, pack=start.pack, pipeline=start.pipeline, sets=sets, environments=written)
    return open_session(again, session.clock)


def _goal_from(stored: Mapping[str, Any]) -> Goal:
    return Goal(
        want=Want(stored["want"]),
        components=tuple(stored["components"]),
        replace=tuple(stored["replace"]),
        purge=bool(stored["purge"]),
        keep=bool(stored.get("keep")),
        untouched=tuple(stored.get("untouched", ())),
        words=str(stored.get("words", "")),
    )


async def _drive(
    session: Session,
    records: Records,
    hold: Hold,
    first: Sequence[RunStarted | RunResumed | Consulted | Warned],
    goal: Goal,
    brain: Brain,
    listener: Listener | None,
) -> Result:
    run = hold.run
    await stop_helpers(session)
    if listener:
        records.journal.listen(listener)
    if not goal.purge:  # which still has something to do where all has ended
        records.journal.listen(hold.follow)
    with_room(session, lambda: records.journal.append(run, session.clock.now(), first))
    Ballast(session.home / BALLAST).make()
    state = RunState(run=run)
    for record in records.journal.read(run):
        state.apply(record.event, record.at)
    hub = Hub(_charter(session, records, run, goal, brain), state, records.journal, records.memory, session.clock)
    undone = cut_off_recoveries(session, records)
    runner = Runner(hub, session.observer(), session.handlers(), session.benches, records.inbox, undone)
    if goal.want is Want.UP:
        _name_what_belongs_no_more(session, hub)
    try:
        ending = await runner.run()
    except StoreBroken as error:
        ending = _last_words(session, hub, error)
    if goal.want is Want.DOWN:
        _name_left_overs(session, hub)
    if goal.purge and ending is Ending.CONVERGED:
        purge(session, records, run)
    return await result_of(session, fold(records.journal.read(run)))


def _last_words(session: Session, hub: Hub, error: StoreBroken) -> Ending:
    """The journal could not be written: give up the ballast, and use the room to say so.

    Raises:
        StoreBroken: not even that was possible.
    """
    if not Ballast(session.home / BALLAST).release():
        raise error
    hub.end(Ending.ESCALATED, str(error))
    return Ending.ESCALATED


def _name_what_belongs_no_more(session: Session, hub: Hub) -> None:
    """Say which processes of ours run on although their component is not wanted any more (it was switched off)."""
    for name, parts in session.parts.items():
        processes = session.benches[name].processes
        for component in session.pack.optional.keys() - parts:
            instance = processes.recorded(component)
            if instance is not None and alive(instance):
                text = f"{component} is switched off, and its process {instance.pid} runs on; `shiftboss down` stops it"
                hub.warn(text, name, component)


def _name_left_overs(session: Session, hub: Hub) -> None:
    """Say which processes of ours live on because this pipeline does not know their component."""
    for name, bench in session.benches.items():
        for component, instance in bench.processes.components().items():
            if component not in session.stack.specs:
                text = f"process {instance.pid} still runs; `--pipeline` with the pipeline that brought it up stops it"
                hub.warn(text, name, component)


def _parts(session: Session, goal: Goal) -> dict[str, frozenset[str]]:
    """What a run is about in each environment: what belongs there, and to stop also what still runs of ours."""
    if goal.want is not Want.DOWN:
        return session.parts
    every = frozenset(session.stack.specs)
    running = {name: every.intersection(bench.processes.components()) for name, bench in session.benches.items()}
    return {name: parts | running[name] for name, parts in session.parts.items()}


def _charter(session: Session, records: Records, run: str, goal: Goal, brain: Brain) -> Charter:
    limits = session.settings.limits
    learnt_with = bound_to(session)
    here = conditions(session)
    scripted = session.pipeline.kind is PipelineKind.SCRIPTED
    return Charter(
        run=run,
        stack=session.stack,
        goal=goal,
        environments=tuple(session.benches),
        parts=_parts(session, goal),
        brain=brain,
        asks=brain.name in ASKING,
        fallback=brain if scripted else brain_for(session, "policy"),
        parallel=limits.parallel,
        seconds=limits.seconds,
        steps=limits.steps,
        budget=Budget(attempts=limits.attempts, recoveries=limits.recoveries, signature=limits.signature),
        period=session.settings.probes.period,
        interval=session.settings.probes.interval,
        window=limits.window,
        consent={name: consent_in(bench) for name, bench in session.benches.items()},
        limits=session.pack.limits,
        lessons=records.memory.lessons(learnt_with),
        credits=records.memory.credits(session.benches, learnt_with),
        versions=learnt_with,
        conditions=here,
        expect=None if scripted else partial(expected, records.memory, here),
        report=partial(build_report, session, records.memory),
    )


async def result_of(session: Session, view: RunView) -> Result:
    """A run's view with the endpoints and proof of its environments."""
    return Result(
        view=view,
        endpoints={name: await session.pack.endpoints(bench) for name, bench in session.benches.items()},
        proof={name: await session.pack.proof(bench) for name, bench in session.benches.items() if _proven(view, name)},
    )


def _proven(view: RunView, environment: str) -> bool:
    """Whether the run ended with the stack up: an older proof says nothing about a run that did not."""
    ended = view.endings.get(environment)
    up = view.start is not None and view.start.goal["want"] != Want.DOWN
    return up and ended is not None and ended.ending == Ending.CONVERGED


async def restart_goal(session: Session, components: Sequence[str]) -> Goal:
    """The goal to replace the running instances of some components; it replaces none when none runs as ours.

    Raises:
        BadInput: a component that does not exist.
    """
    goal = Goal(want=Want.RESTART, components=tuple(components))
    check_components(session, goal)
    seen = [one for one in await look(session) if one.component in components and one.instance]
    return replace(goal, components=(), replace=tuple(f"{one.key}={one.instance}" for one in seen))


def interruptible(main: asyncio.Task[Any]) -> None:
    """Let SIGTERM end a run as Ctrl-C does."""
    import signal

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, main.cancel)


def send(session: Session, run: str, kind: str, **data: Any) -> None:
    """Leave a message (`note` or `stop`) in the inbox of a run.

    Raises:
        BadInput: there is no such run, or no working directory.
    """
    events_of(session, run)
    records = open_records(session)
    try:
        records.inbox.send(run, session.clock.now(), kind, **data)
    finally:
        records.close()
