"""Developer acts: what a person does to a running stack by hand, through the pack that knows how (mine 3 blocks).

They are no runs and nothing is journalled, as with bitcoin-cli; called by frontends/verbs_act.py and by testing.py.
"""

import asyncio
from collections.abc import Mapping
from typing import cast

from shiftboss.app import Session
from shiftboss.contracts import Act
from shiftboss.errors import BadInput, Failed, ShiftbossError
from shiftboss.handlers import python
from shiftboss.model.diagnostic import Diagnostic

Done = dict[str, Mapping[str, object]]
"""Environment -> what came of an act there."""


class Halfway(ShiftbossError):
    """An act failed in some environment after it was possible in all: `done` says of each what came of it."""

    def __init__(self, done: Done) -> None:
        self.done = done
        failed = [f"{environment}: {facts['error']}" for environment, facts in done.items() if "error" in facts]
        super().__init__("; ".join(failed))


class Interrupted(asyncio.CancelledError):
    """An act was cancelled: `done` says what was done until then, of each environment that it came to."""

    def __init__(self, done: Done) -> None:
        self.done = done
        super().__init__()


async def act(session: Session, name: str, number: int) -> Done:
    """Do a pack's act in each environment of the session, once it is possible in all of them.

    Raises:
        BadInput: the pack has no such act, it can't be done so many times, or not in the state a stack is in; nothing
            was changed anywhere.
        Halfway: it failed in one or more.
        Interrupted: it was cancelled.
    """
    do = _named(session, name, number)
    done: Done = {}
    try:
        await _check(session, name, do, number)
        for environment, bench in session.benches.items():
            try:
                done[environment] = await do(bench, number)
            except Failed as error:
                done[environment] = {"error": str(error), "done": "; ".join(error.changes) or "nothing is known"}
            except asyncio.CancelledError as stop:
                done[environment] = {"interrupted": "; ".join(getattr(stop, "__notes__", ())) or "nothing is known"}
                raise
    except asyncio.CancelledError as stop:
        raise Interrupted(done) from stop
    if any("error" in facts for facts in done.values()):
        raise Halfway(done)
    return done


def _named(session: Session, name: str, number: int) -> Act:
    place = session.pack.acts.get(name)
    if place is None:
        raise BadInput([_wrong(f"the pack {session.pack.name} can't {name}", f"It can {', '.join(session.pack.acts)}")])
    if number < 1:
        raise BadInput([_wrong(f"{name} {number} is not possible", "Give a number of at least 1")])
    return cast("Act", python.load(place, ""))


async def _check(session: Session, name: str, do: Act, number: int) -> None:
    """Ask the act's `check`, if it has one, of every environment before anything is done in the first."""
    check = cast("Act | None", getattr(do, "check", None))
    if check is None:
        return
    found: list[Diagnostic] = []
    for environment, bench in session.benches.items():
        try:
            await check(bench, number)
        except Failed as error:
            usual = "shiftboss status shows what is there; shiftboss up brings it up"
            found.append(_wrong(f"{name} in {environment}: {error}", str(error.evidence.get("remedy", usual))))
    if found:
        raise BadInput(found)


def _wrong(what: str, remedy: str) -> Diagnostic:
    return Diagnostic(place="command line", what=what, remedy=remedy)
