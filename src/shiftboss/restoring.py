"""The verbs about data that was moved aside: what there is, and bring it back.

Called by frontends (verbs_restore.py), never by the hub: it takes the environment's lock itself, so it never works
beside a run. Nothing is deleted: what is in the way is moved aside too.
"""

import sys
from dataclasses import replace

from shiftboss.app import Session, open_records, open_session
from shiftboss.environments import give_slot, purged_places
from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.system.aside import Snapshot
from shiftboss.system.clock import file_stamp
from shiftboss.system.files import ensure_private_folder
from shiftboss.system.lock import EnvironmentLock
from shiftboss.system.workbench import Workbench

STOP_SECONDS = 60.0
"""A daemon flushes its data when it stops; killing it earlier loses blocks."""


def list_snapshots(session: Session) -> list[Snapshot]:
    """What lies aside in every environment, also in one that was purged, oldest first; changes nothing."""
    return [snapshot for bench in _every(session).benches.values() for snapshot in bench.aside.list()]


def _every(session: Session) -> Session:
    """The session with all environments that have, or had, data here; with those asked for where some were."""
    if session.request.environments or not session.home.is_dir():
        return session
    places = {**purged_places(session.home, session.pack.profiles), **session.neighbours}
    written = [f"{one.name}={one.profile}" for one in places.values()]
    return open_session(replace(session.request, environments=written), session.clock)


async def restore(session: Session, snapshot_id: str) -> list[str]:
    """Bring the data of a snapshot back, and move what is there now aside; the changes made. Idempotent.

    The environment's processes are stopped before, the dependents first; `up` starts them again.

    Raises:
        BadInput: there is no such snapshot.
        Refused: a hub works on the environment.
    """
    session = _every(session)
    bench = _bench_of(session, snapshot_id)
    name = bench.environment.name
    lock = EnvironmentLock(ensure_private_folder(session.home / "locks") / f"{name}.lock")
    command = " ".join(["shiftboss", *sys.argv[1:]])
    with lock.acquire(run="", command=command, since=session.clock.now()):
        changes = await _stop_all(session, bench)
        changes += bench.aside.put_back(snapshot_id, file_stamp(session.clock.now()))
        changes += give_slot(session.home, name, session.pack.profiles)
        _forget_processes(bench)
        _forget_credits(session, name)
        return changes


def _bench_of(session: Session, snapshot_id: str) -> Workbench:
    for bench in session.benches.values():
        found = bench.aside.find(snapshot_id)
        if found is not None and found.environment == bench.environment.name:
            return bench
    known = ", ".join(one.id for one in list_snapshots(session))
    remedy = f"These are kept: {known}" if known else "Nothing is kept aside here"
    what = f"there is no snapshot {snapshot_id!r}"
    raise BadInput([Diagnostic(place="command line", what=what, remedy=remedy)])


def _forget_credits(session: Session, environment: str) -> None:
    """What recoveries did to the data that is gone says nothing about the data that came back."""
    records = open_records(session)
    records.memory.drop_credits(environment)
    records.close()


def _forget_processes(bench: Workbench) -> None:
    """Records of processes that ended long ago came back too: without them nothing looks as if it had just died."""
    for path in bench.environment.run_folder.glob("*"):
        if path.suffix in (".pid", ".json"):
            path.unlink(missing_ok=True)


async def _stop_all(session: Session, bench: Workbench) -> list[str]:
    """Stop every process of ours in the environment, the last in the order of the stack first."""
    order = session.stack.order
    running = sorted(bench.processes.components().items(), key=lambda pair: -order.get(pair[0], len(order)))
    changes: list[str] = []
    for component, instance in running:
        if await bench.processes.stop(instance, grace=STOP_SECONDS, clock=bench.clock):
            changes.append(f"stopped the {component} (process {instance.pid})")
    return changes
