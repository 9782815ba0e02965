"""What a person says to questions of a run (approve, deny), and to memory (list, show, export, import, forget).

Called by frontends, beside control.py. Answers go through the inbox: only a hub turns them into events, the one at work
or the next that takes the run up. An answer names one exact act (ADR 0018).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shiftboss.app import STORE, Records, Session, bound_to, open_records
from shiftboss.errors import BadInput
from shiftboss.looking import existing, running
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.events import ApprovalAsked
from shiftboss.model.lesson import Credit, Lesson
from shiftboss.model.run import Ending
from shiftboss.model.value import Value
from shiftboss.store import memory_import
from shiftboss.store.database import Database
from shiftboss.store.memory import Remedy
from shiftboss.store.memory_import import Taken
from shiftboss.system.files import ensure_private_folder
from shiftboss.view import fold

SHORTEST = 4
"""Digits by which an act may be named: fewer are too easily typed by mistake."""

MOST_RUNS = 50
"""How many runs back a question is looked for."""

APPROVED, DENIED = "approved", "denied"
_KINDS = {APPROVED: "approve", DENIED: "deny"}
_SAID = {kind: said for said, kind in _KINDS.items()}


class Answered(Value):
    """An answer that was left for a run."""

    run: str
    asked: ApprovalAsked
    answer: str  #: approved or denied
    new: bool  #: False when it had been given before: nothing was done
    live: bool  #: a hub is at work on the run and takes it in now


class Asking(Value):
    """The questions of a run, and what has been said to them so far (taken in or still in the inbox)."""

    run: str
    asked: Mapping[str, ApprovalAsked]  #: by act
    answers: Mapping[str, str]  #: act -> approved or denied

    @property
    def open(self) -> list[ApprovalAsked]:
        """Those without an answer."""
        return [one for act, one in self.asked.items() if act not in self.answers]


def answer(session: Session, act: str, said: str, *, run: str | None = None, reason: str = "") -> Answered:
    """Leave a person's answer to a question; `said` is APPROVED or DENIED. Idempotent.

    `act` is the act's hash, a unique beginning of it, or the move's id. Without a run the newest that asks is meant.

    Raises:
        BadInput: nobody asks that, the beginning is not unique, or it was denied before.
    """
    records = existing(session)
    try:
        runs = [run] if run else list(dict.fromkeys(mark.run for mark in records.journal.marks()))[:MOST_RUNS]
        asking = [_asking(records, name) for name in runs]
    finally:
        records.close()
    chosen, asked = _find(asking, act, run)
    before = chosen.answers.get(asked.act)
    if before == DENIED and said == APPROVED:
        what = f"{asked.move} was denied in run {chosen.run}, and a denial outweighs an approval"
        raise _bad(what, "shiftboss up starts a run of its own, which asks anew")
    if before != said:
        _send(session, chosen.run, said, asked.act, reason)
    live = any(owner.run == chosen.run for owner in running(session).values())
    return Answered(run=chosen.run, asked=asked, answer=said, new=before != said, live=live)


def _asking(records: Records, run: str) -> Asking:
    """The questions of a run, answered ones too (an answer may be repeated); a run that got through has none open."""
    events = records.journal.read(run)
    view = fold(events)
    answers = dict(view.answers)
    for message in records.inbox.messages(run):
        if message.kind in _SAID:
            answers[str(message.data["act"])] = _SAID[message.kind]
    asked = {one.event.act: one.event for one in events if isinstance(one.event, ApprovalAsked)}
    if view.ending is Ending.CONVERGED:
        asked = {act: one for act, one in asked.items() if act in answers}
    return Asking(run=run, asked=asked, answers=answers)


def _find(asking: Sequence[Asking], act: str, run: str | None) -> tuple[Asking, ApprovalAsked]:
    """The question that is meant: an open one of the newest run first, else one that has been answered."""
    for fits in (_is, _begins):
        for still_open in (True, False):
            for one in asking:
                found = [asked for asked in (one.open if still_open else one.asked.values()) if fits(asked, act)]
                if len(found) > 1:
                    raise _bad(f"{act!r} fits several acts of run {one.run}", _listed(found))
                if found:
                    return one, found[0]
    raise _unknown(asking, act, run)


def _is(asked: ApprovalAsked, act: str) -> bool:
    return act in (asked.act, asked.move)


def _begins(asked: ApprovalAsked, act: str) -> bool:
    return len(act) >= SHORTEST and asked.act.startswith(act)


def _unknown(asking: Sequence[Asking], act: str, run: str | None) -> BadInput:
    what = f"run {run} does not ask for {act!r}" if run else f"no run asks for {act!r}"
    newest = next((one for one in asking if one.open), None)
    if newest is None:
        return _bad(what, "No question is open there; shiftboss runs lists the runs")
    return _bad(what, f"Run {newest.run} asks: {_listed(newest.open)}")


def _listed(asked: Sequence[ApprovalAsked]) -> str:
    return "; ".join(f"{one.act} for {one.move} ({one.risk}: {one.what})" for one in asked)


def _bad(what: str, remedy: str) -> BadInput:
    return BadInput([Diagnostic(place="command line", what=what, remedy=remedy)])


def _send(session: Session, run: str, said: str, act: str, reason: str) -> None:
    records = open_records(session)
    try:
        data = {"act": act, **({"reason": reason} if reason else {})}
        records.inbox.send(run, session.clock.now(), _KINDS[said], **data)
    finally:
        records.close()


# -- memory ------------------------------------------------------------------------------------------------------


class Known(Value):
    """What memory holds about some failures."""

    lessons: Sequence[Lesson]
    credits: Sequence[Credit]  #: recoveries of which it is not known yet whether they last (with these versions)
    remedies: Sequence[Remedy]


def recall(session: Session, begins: str = "") -> Known:
    """What memory knows about the signatures that begin like this.

    Raises:
        BadInput: nothing has been run here yet.
    """
    records = existing(session)
    try:
        memory = records.memory
        return Known(
            lessons=[one for one in memory.lessons() if one.signature.startswith(begins)],
            credits=[
                one for one in memory.credits(session.benches, bound_to(session)) if one.signature.startswith(begins)
            ],
            remedies=[one for one in memory.remedies() if one.signature.startswith(begins)],
        )
    finally:
        records.close()


def export(session: Session) -> Mapping[str, Sequence[dict[str, Any]]]:
    """All of memory as plain values.

    Raises:
        BadInput: nothing has been run here yet.
    """
    records = existing(session)
    try:
        return records.memory.export()
    finally:
        records.close()


def take_in(session: Session, text: str, place: str) -> Taken:
    """Merge an exported file into memory; `place` is its name. Makes the working directory where there is none yet.

    Raises:
        BadInput: it is no such file; with every finding, and nothing was changed.
        StoreBroken: nothing was stored.
    """
    learned = memory_import.read(text, place, session.clock.now())
    store = ensure_private_folder(session.home) / STORE
    database = Database(store, synchronous=session.settings.store.synchronous)
    try:
        return memory_import.take_in(database, learned)
    finally:
        database.close()


def forget(session: Session, begins: str | None, strategy: str | None) -> int:
    """Forget lessons: all, those of signatures that begin so, or of one strategy there; how many. Idempotent.

    Raises:
        BadInput: nothing has been run here yet.
    """
    existing(session).close()  # nothing is made where nothing is
    records = open_records(session)
    try:
        return records.memory.forget(begins, strategy)
    finally:
        records.close()
