"""`down --purge`: the data of every environment is moved aside, after all of it has stopped."""

from shiftboss.app import Records, Session
from shiftboss.errors import BadInput
from shiftboss.model.consent import Answer
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.events import Delegated, Settled
from shiftboss.model.move import Risk
from shiftboss.model.run import Goal
from shiftboss.system.clock import file_stamp
from shiftboss.workbenches import consent_in


def check_purge(session: Session, goal: Goal) -> None:
    """Refuse a purge where moving data is denied, before anything is stopped: whoever types it is not asked again.

    Raises:
        BadInput: with a finding for each such environment.
    """
    denied = [name for name, bench in session.benches.items() if consent_in(bench)[Risk.DESTRUCTIVE] is Answer.DENY]
    if not goal.purge or not denied:
        return
    remedy = "Leave it out with --env, or allow it there: --set env.{}.consent.destructive=allow"
    found = [(name, f"moving the data of environment {name!r} is denied") for name in denied]
    raise BadInput(
        [
            Diagnostic(place="command line", path="--purge", what=what, remedy=remedy.format(name))
            for name, what in found
        ]
    )


def purge(session: Session, records: Records, run: str) -> None:
    """Move the data of every environment aside; written down before and after."""
    for index, (name, bench) in enumerate(session.benches.items()):
        order_id = f"{run}/purge/{index}"
        records.journal.append(run, session.clock.now(), [_order(order_id, name)])
        kept = bench.aside.keep([bench.environment.folder], "purged by `down --purge`", file_stamp(session.clock.now()))
        event = Settled(
            id=order_id,
            status="done",
            outcome="data_moved_aside",
            ok=True,
            summary=f"the data of {name} is in snapshot {kept.id}; shiftboss restore {kept.id} brings it back",
            seconds=0.0,
            changes=[f"moved {bench.environment.folder} aside to snapshot {kept.id}"],
        )
        records.journal.append(run, session.clock.now(), [event])


def _order(order_id: str, environment: str) -> Delegated:
    return Delegated(
        id=order_id,
        environment=environment,
        component="environment",
        agent="hub",
        mode="remove",
        strategy=None,
        keyword="purge",
        attempt=1,
        deadline=60.0,
    )
