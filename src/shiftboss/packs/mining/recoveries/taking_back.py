"""The steps of a recovery that failed are taken back (mode undo). Nothing of what it left is thrown away."""

from shiftboss.model.move import Delegation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining import daemon
from shiftboss.packs.mining.layout import adopted, layout
from shiftboss.system.workbench import Workbench


async def take_back(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Stop the daemon where its data or program is put back, and roll the steps back, the last first. Idempotent.

    Other parts go on: they are restarted by their owners where what they were started with has changed.
    """
    undone = order.undoes or ""
    steps = bench.undo.count(undone)
    if not steps:
        return done("there is nothing to take back")
    places = (layout(bench).data, bench.home / "prefix")
    under = any(path.is_relative_to(place) for path in bench.undo.touched(undone) for place in places)
    if under and not adopted(bench):
        changes += (await daemon.stop(bench)).changes
    changes += bench.undo.roll_back(undone)
    return done(f"took back {steps} step{'s' if steps > 1 else ''} of {undone}")
