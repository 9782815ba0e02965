"""What a killed hub left behind: helper programs still running, and recoveries whose way back is still open."""

from shiftboss.app import Records, Session
from shiftboss.engine.ladder import Undoable
from shiftboss.model.events import Delegated, Settled


async def stop_helpers(session: Session) -> None:
    """Helper programs of a hub that was killed are stopped; parts of the stack live on and are adopted."""
    for bench in session.benches.values():
        for helper in bench.processes.leftover_helpers():
            await bench.processes.stop(helper, grace=2.0, clock=bench.clock)


def cut_off_recoveries(session: Session, records: Records) -> dict[str, Undoable]:
    """Recoveries with steps still written down, by `environment/component`: cut off, or failed and not taken back.

    The way back of one that ended well is given up here: its hub died before it could do so.
    """
    found: dict[str, Undoable] = {}
    for name, bench in session.benches.items():
        for delegation in bench.undo.open():
            order, ended = _story(records, delegation)
            if ended is not None and ended.ok:
                bench.undo.keep(delegation)
            elif order is not None:
                key = f"{name}/{order.component}"
                found[key] = Undoable(
                    delegation=delegation, strategy=order.strategy or "", touches=tuple(order.touches)
                )
    return found


def _story(records: Records, delegation: str) -> tuple[Delegated | None, Settled | None]:
    """A delegation's beginning and end, as journalled."""
    run = delegation.rsplit("/", 2)[0]
    events = [record.event for record in records.journal.read(run)]
    order = next((one for one in events if isinstance(one, Delegated) and one.id == delegation), None)
    ended = next((one for one in events if isinstance(one, Settled) and one.id == delegation), None)
    return order, ended
