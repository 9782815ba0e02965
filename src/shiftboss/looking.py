"""The verbs that only look: what is there now, what a run would do, what earlier runs did. Nothing is journalled."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiftboss.app import Records, Session, bound_to, read_records
from shiftboss.engine.analyse import Analysis
from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.duration import Conditions
from shiftboss.model.events import Recorded
from shiftboss.model.observation import Observation
from shiftboss.model.pipeline import LLM_HANDLER, PipelineKind
from shiftboss.model.run import Goal, Want
from shiftboss.store.memory import Memory
from shiftboss.system.host import host
from shiftboss.system.lock import EnvironmentLock, Owner

if TYPE_CHECKING:
    from shiftboss.engine.plan import Plan
    from shiftboss.model.estimate import Estimates


async def look(session: Session) -> list[Observation]:
    """What is there now; nothing is journalled."""
    order = session.stack.order
    keys = [f"{e}/{name}" for e, parts in session.parts.items() for name in sorted(parts, key=order.__getitem__)]
    return await session.observer().look(keys)


async def status(session: Session) -> tuple[list[Observation], Mapping[str, Mapping[str, Any]]]:
    """What is there now, and where it is reached."""
    seen = await look(session)
    return seen, {name: await session.pack.endpoints(bench) for name, bench in session.benches.items()}


async def plan(session: Session, goal: Goal) -> "Plan":
    """The dry run: what a run for this goal would do now."""
    from shiftboss.engine.plan import plan_for

    check_components(session, goal)
    snapshot = {seen.key: seen for seen in await look(session)}
    analysis = Analysis(session.stack, goal, parts=session.parts)
    gaps = analysis.full(session.benches, snapshot)
    records = read_records(session.home)
    known = expected(records.memory if records else None, conditions(session))
    if records:
        records.close()
    wanted = {f"{e}/{name}" for e in session.benches for name in analysis.wanted_in(e)}
    shown = {key: seen for key, seen in snapshot.items() if key in wanted}
    return plan_for(session.stack, shown, gaps, known, session.settings.limits.parallel, goal.untouched)


def conditions(session: Session) -> dict[str, Conditions]:
    """Under which conditions things take their time in each environment now."""
    versions, machine = bound_to(session), host()
    return {
        name: Conditions(profile=bench.environment.profile, host=machine, versions=versions)
        for name, bench in session.benches.items()
    }


def expected(memory: Memory | None, here: Mapping[str, Conditions]) -> "dict[str, Estimates]":
    """What is known of durations, by environment."""
    from shiftboss.model.estimate import Estimates

    known = memory.durations() if memory else []
    return {name: Estimates(known, one) for name, one in here.items()}


def check_components(session: Session, goal: Goal) -> None:
    """Refuse a goal that names components the pipeline does not have, or that belong nowhere here.

    Raises:
        BadInput: with what to do for each.
    """
    belong = frozenset[str]().union(*session.parts.values())
    found = [_unknown(name, session) for name in goal.components if name not in session.stack.specs]
    if goal.want is not Want.DOWN:  # what does not belong any more may still run
        known = [name for name in goal.components if name in session.stack.specs]
        found += [_homeless(name, session) for name in known if name not in belong]
    if found:
        raise BadInput(found)


def _unknown(name: str, session: Session) -> Diagnostic:
    from difflib import get_close_matches

    near = get_close_matches(name, session.stack.specs, 1)
    remedy = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(session.stack.specs)}"
    return Diagnostic(place="command line", what=f"unknown component {name!r}", remedy=remedy)


def _homeless(name: str, session: Session) -> Diagnostic:
    switch = session.pack.optional.get(name)
    remedy = f"Switch it on with --set {switch}=yes" if switch else "shiftboss status shows what belongs there"
    what = f"{name} does not belong to {' or '.join(session.benches)}"
    return Diagnostic(place="command line", what=what, remedy=remedy)


def check_models(session: Session) -> None:
    """Refuse agents that are prompts where no model is set to carry them out.

    Raises:
        BadInput: with a finding for each.
    """
    brain = session.settings.brain
    if brain.model or brain.replay is not None:
        return
    prompts = [one for one in session.stack.agents.values() if one.handler == LLM_HANDLER and not one.options.model]
    remedy = "Set brain.model, e.g. --set brain.model=openai:gpt-5-mini (docs/how-to/brains.md)"
    found = [
        Diagnostic(place=one.source, what=f"agent '{one.id}' is a prompt, and no model is set", remedy=remedy)
        for one in prompts
    ]
    if found:
        raise BadInput(found)


def check_script(session: Session) -> None:
    """Refuse a scripted pipeline that has a stage for what does not belong, or none for what was switched on.

    Raises:
        BadInput: with a finding for each such environment.
    """
    if session.pipeline.kind is not PipelineKind.SCRIPTED:
        return
    found: list[Diagnostic] = []
    worked_on = {one for stage in session.pipeline.stages for one in stage.components}
    for name, parts in session.parts.items():
        lacking = sorted(worked_on - parts)
        extra = sorted(parts.intersection(session.pack.optional) - worked_on)
        what = f"{session.pipeline.id} works on {lacking[0]}, which does not belong to {name}" if lacking else ""
        what = what or (f"{session.pipeline.id} has no stage for {extra[0]} of {name}" if extra else "")
        if what:
            found.append(Diagnostic(place="command line", what=what, remedy="Leave --pipeline out"))
    if found:
        raise BadInput(found)


def running(session: Session, names: Iterable[str] | None = None) -> dict[str, Owner]:
    """Environment -> the hub that works on it now; of those named, else of all that are here, of whatever pack."""
    asked = sorted(path.stem for path in (session.home / "locks").glob("*.lock")) if names is None else names
    found = {name: EnvironmentLock(session.home / "locks" / f"{name}.lock").owner() for name in asked}
    return {name: owner for name, owner in found.items() if owner is not None}


def history(session: Session) -> list[Recorded]:
    """Starts and ends of the runs of a working directory, newest first."""
    records = existing(session)
    try:
        return records.journal.marks()
    finally:
        records.close()


def events_of(session: Session, run: str | None = None) -> list[Recorded]:
    """The events of a run (the newest where none is named), oldest first.

    Raises:
        BadInput: there is no such run, or no working directory.
    """
    records = existing(session)
    try:
        name = run or records.journal.last_run()
        found = records.journal.read(name) if name else []
    finally:
        records.close()
    if not found:
        what = f"there is no run {run}" if run else "nothing has been run here yet"
        remedy = "shiftboss runs lists the runs" if run else "shiftboss up makes the first"
        raise BadInput([Diagnostic(place=str(session.home), what=what, remedy=remedy)])
    return found


def log_of(session: Session, component: str, environment: str | None = None) -> Path:
    """The log file of a component; it need not be there yet.

    Raises:
        BadInput: no such component, or one that writes no log.
    """
    bench = session.benches[environment or next(iter(session.benches))]
    logs = session.pack.logs(bench)
    if component in logs:
        return logs[component]
    own = bench.environment.log_folder / f"{component}.log"
    if component in session.stack.specs and own.exists():
        return own
    check_components(session, Goal(components=(component,)))
    remedy = f"These do: {', '.join(logs)}"
    raise BadInput([Diagnostic(place="command line", what=f"{component} writes no log", remedy=remedy)])


def existing(session: Session) -> Records:
    """The store of a working directory that has one, for looking.

    Raises:
        BadInput: nothing has been run there yet.
    """
    records = read_records(session.home)
    if records is None:
        what = "nothing has been run here yet"
        remedy = "shiftboss up makes it; --workdir names another working directory"
        raise BadInput([Diagnostic(place=str(session.home), what=what, remedy=remedy)])
    return records
