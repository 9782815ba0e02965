"""Developer acts: what a person does to a running stack by hand, through the pack that knows how (mine 3 blocks).

They are no runs and nothing is journalled, as with bitcoin-cli; called by frontends/verbs_act.py and by testing.py.
"""

from collections.abc import Mapping
from typing import cast

from shiftboss.app import Session
from shiftboss.contracts import Act
from shiftboss.errors import BadInput, Failed
from shiftboss.handlers import python
from shiftboss.model.diagnostic import Diagnostic


async def act(session: Session, name: str, number: int) -> dict[str, Mapping[str, object]]:
    """Do a pack's act in each environment of the session; environment -> what came of it.

    Raises:
        BadInput: the pack has no such act, it can't be done so many times, or not in the state the stack is in.
    """
    place = session.pack.acts.get(name)
    if place is None:
        raise BadInput([_wrong(f"the pack {session.pack.name} can't {name}", f"It can {', '.join(session.pack.acts)}")])
    if number < 1:
        raise BadInput([_wrong(f"{name} {number} is not possible", "Give a number of at least 1")])
    do = cast("Act", python.load(place, ""))
    done: dict[str, Mapping[str, object]] = {}
    for environment, bench in session.benches.items():
        try:
            done[environment] = await do(bench, number)
        except Failed as error:
            usual = "shiftboss status shows what is there; shiftboss up brings it up"
            remedy = str(error.evidence.get("remedy", usual))
            raise BadInput([_wrong(f"{name} in {environment}: {error}", remedy)]) from error
    return done


def _wrong(what: str, remedy: str) -> Diagnostic:
    return Diagnostic(place="command line", what=what, remedy=remedy)
