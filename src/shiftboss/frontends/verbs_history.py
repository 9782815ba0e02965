"""runs, show, explain, note, stop: what was done and why, and words to a hub at work."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from shiftboss import control, looking
from shiftboss.errors import BadInput
from shiftboss.frontends.arguments import Call, wrong
from shiftboss.frontends.documents import run_document
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.narrate import Narrator
from shiftboss.frontends.plain import WIDTH, lines_of, table_lines, write
from shiftboss.frontends.report_text import text_lines
from shiftboss.frontends.session import in_order, session_of
from shiftboss.frontends.tables import Table, of_run
from shiftboss.frontends.text import clean, clip, seconds_text, wrap
from shiftboss.model.events import Recorded, RunEnded, RunResumed, RunStarted
from shiftboss.model.run import Ending
from shiftboss.system.clock import utc_text
from shiftboss.view import RunView, fold


def runs(call: Call) -> int:
    """The runs of the working directory, newest first."""
    session = session_of(call)
    found: list[dict[str, Any]] = []
    if session.home.is_dir():
        alive = {owner.run for owner in looking.running(session).values()}
        found = runs_document(looking.history(session), alive)
    if call.json:
        print_document(found)
    elif not found:
        write(["Nothing has been run here yet: `shiftboss up` makes the first."])
    else:
        rows = [
            (one["run"], one["ending"], _seconds(one["seconds"]), clip(one["command"], WIDTH - 44)) for one in found
        ]
        write(table_lines(Table(title="Runs", rows=rows)))
    return 0


def runs_document(marks: Sequence[Recorded], alive: set[str]) -> list[dict[str, Any]]:
    """Each run once, from its first start and its last end (newest first)."""
    ends: dict[str, RunEnded | None] = {}
    found: list[dict[str, Any]] = []
    for mark in marks:
        event = mark.event
        if isinstance(event, RunEnded | RunResumed):
            ends.setdefault(mark.run, event if isinstance(event, RunEnded) else None)
        elif isinstance(event, RunStarted):
            end = None if mark.run in alive else ends.get(mark.run)
            found.append(
                {
                    "run": mark.run,
                    "started": mark.at,
                    "date": utc_text(mark.at),
                    "ending": end.ending if end else "running" if mark.run in alive else "cut off",
                    "seconds": end.seconds if end else None,
                    "turns": end.turns if end else None,
                    "command": event.command,
                    "pipeline": event.pipeline,
                    "brain": event.brain,
                }
            )
    return found


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else seconds_text(seconds)


def show(call: Call) -> int:
    """One run from its journal: the story, the decisions' text form, the components as last seen."""
    session = session_of(call)
    records = looking.events_of(session, call.more["run"])
    view = in_order(session, fold(records))
    if call.json:
        print_document(run_document(view))
        return 0
    narrator = Narrator()
    write([f"Run {clean(view.run)}, {utc_text(view.started)}:", ""])
    write(text for record in records for line in narrator.tell(record) for text in lines_of(line))
    if view.components:
        write(["", *table_lines(of_run(view))])
    write(_last_words(view))
    return 0


def _last_words(view: RunView) -> Iterator[str]:
    """How it ended, in the DECISION / REASONING form: the reports, or else the last decision."""
    reports = [one.report for one in view.endings.values() if one.report and one.ending != Ending.INTERRUPTED]
    for report in reports:
        yield ""
        yield from text_lines(report)
    if view.decisions and not reports:
        last = view.decisions[-1]
        yield from ("", f"DECISION: {clean(', '.join(last.keywords))}", "", "REASONING:")
        for line in last.reasoning.splitlines():
            yield from wrap(line, WIDTH)


def explain(call: Call) -> int:
    """Each decision from its evidence to the alternatives it left."""
    from shiftboss.frontends.explain import decision_lines, explained

    records = looking.events_of(session_of(call), call.more["run"])
    found = explained(records)
    turn: int | None = call.more["turn"]
    if turn is not None:
        known = ", ".join(str(one["turn"]) for one in found) or "none"
        found = [one for one in found if one["turn"] == turn]
        if not found:
            what = f"nothing was decided in turn {turn} of run {records[0].run}"
            raise BadInput([wrong(what, f"Turns with a decision: {known}")])
    if call.json:
        print_document({"run": records[0].run, "decisions": found})
    else:
        write([f"Run {clean(records[0].run)}: {len(found)} {'decision' if len(found) == 1 else 'decisions'}"])
        write(line for one in found for line in decision_lines(one))
    return 0


def note(call: Call) -> int:
    """Leave a sentence for a run's journal."""
    session = session_of(call)
    run: str = call.more["run"]
    text = clean(call.more["text"]).strip()
    if not text:
        raise BadInput([wrong("the note is empty", "Write it as one argument, in quotes.")])
    control.send(session, run, "note", text=text)
    live = any(owner.run == run for owner in looking.running(session).values())
    _say(call, "noted", run, "Noted." if live else "Noted; the run takes it in when it is resumed.")
    return 0


def stop(call: Call) -> int:
    """Ask the hub at work to end its run; the stack stays as it is."""
    session = session_of(call)
    asked = session.benches if call.environments else None
    alive = {owner.run for owner in looking.running(session, asked).values()} if session.home.is_dir() else set[str]()
    wanted: str | None = call.more["run"]
    chosen = sorted(alive if wanted is None else alive & {wanted})
    for run in chosen:
        control.send(session, run, "stop")
        _say(call, "stopping", run, f"Run {run} was asked to stop.")
    if not chosen:
        _say(call, "idle", wanted or "", f"Run {wanted} is not at work." if wanted else "No run is at work here.")
    return 0


def _say(call: Call, state: str, run: str, sentence: str) -> None:
    if call.json:
        print_document({"state": state, "run": run})
    elif not call.quiet:
        sys.stdout.write(clean(sentence) + "\n")
