"""Recoveries from somebody holding our port or data folder: a left-over of ours, or a foreign process with consent."""

from collections.abc import Iterator

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation
from shiftboss.model.outcome import Outcome, done
from shiftboss.model.value import Value
from shiftboss.packs.mining import daemon
from shiftboss.packs.mining.diagnosis_look import folder_holder
from shiftboss.packs.mining.layout import DAEMON, PEER, daemon_ports, layout
from shiftboss.packs.mining.pool import is_ours
from shiftboss.packs.mining.recoveries.steps import look_first
from shiftboss.system import net, proc
from shiftboss.system.process import Instance, instance_of, marks_of
from shiftboss.system.signals import end
from shiftboss.system.workbench import Workbench

GRACE_SECONDS = 5.0
DAEMON_GRACE_SECONDS = daemon.STOP_SECONDS
"""A daemon flushes its data when it stops, also one that is not ours."""


class Held(Value):
    """One thing of ours that somebody else holds."""

    what: str  #: e.g. "stratum port 3333"
    holder: int | None  #: its process id; None where the system does not show it


async def stop_orphan(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Stop the left-over processes of ours that hold our ports or data folder; others are left alone.

    Raises:
        Failed: somebody who is not ours still holds one of them.
    """
    for instance in (*_holders_of_ours(order, bench), *bench.processes.orphans(order.component)):
        if await bench.processes.stop(instance, grace=_grace(order), clock=bench.clock):
            changes += [f"stopped our left-over process {instance.pid}"]
    _check_free(order, bench)
    return done(f"nothing of {order.component} is held by left-overs")


def _holders_of_ours(order: Delegation, bench: Workbench) -> Iterator[Instance]:
    for held in holdings(order.component, bench):
        instance = instance_of(held.holder) if held.holder else None
        if instance is not None and marks_of(instance.pid) is not None:
            yield instance


async def stop_holder(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """End the process that is not ours and holds our port or data folder at this moment; consent was given before.

    Raises:
        Failed: it can't be seen or ended (PERMISSION), or somebody else took its place at once.
    """
    if await look_first(order, bench) is None:
        return done(f"{order.component} does its job again")
    for held in holdings(order.component, bench):
        instance = instance_of(held.holder) if held.holder else None
        if instance is None:
            raise Failed(FailureKind.PERMISSION, f"{held.what} is held by a process that this user may not see")
        if _is_own(bench, instance):
            continue
        command = proc.command(instance.pid)
        # Looked at again right before the signal: the holder may have gone, and its number be somebody else's.
        if held in holdings(order.component, bench) and await end(instance, grace=_grace(order), clock=bench.clock):
            changes.append(f"ended process {instance.pid} ({command}), which held our {held.what}")
    _check_free(order, bench)
    return done(f"nobody else holds anything of {order.component}")


def _is_own(bench: Workbench, instance: Instance) -> bool:
    marks = marks_of(instance.pid)
    return marks is not None and marks.home == str(bench.home.resolve())


def holdings(component: str, bench: Workbench) -> list[Held]:
    """What of a component's ports and data folder is held by a process that is not the component's own."""
    own = bench.processes.find(component)
    found = list(_ports_held(component, bench))
    locked = folder_holder(bench) if component == DAEMON else None
    if locked is not None:
        found.append(Held(what=f"data folder {layout(bench).chain_data}", holder=locked.pid))
    return [one for one in found if own is None or one.holder != own.pid]


def _ports_held(component: str, bench: Workbench) -> Iterator[Held]:
    pools = ("stratum", "pool_status") if is_ours(bench) else ("stratum",)
    for name in {DAEMON: daemon_ports(bench), PEER: ("peer",)}.get(component, pools):
        holder = net.holder(bench.ports[name])
        if holder is not None:
            yield Held(what=f"{name} port {bench.ports[name]}", holder=holder.pid)


def _check_free(order: Delegation, bench: Workbench) -> None:
    for held in holdings(order.component, bench):
        kind = FailureKind.LOCKED if held.what.startswith("data folder") else FailureKind.PORT_FOREIGN
        command = proc.command(held.holder) if held.holder else "not visible"
        raise Failed(kind, f"{held.what} is still held by another process ({command})", {"holder": held.holder})


def _grace(order: Delegation) -> float:
    return DAEMON_GRACE_SECONDS if order.component == DAEMON else GRACE_SECONDS


def need_folder(bench: Workbench) -> None:
    """Nobody may work on the data folder while it is mended.

    Raises:
        Failed: somebody holds it (LOCKED).
    """
    for held in holdings(DAEMON, bench):
        if held.what.startswith("data folder"):
            raise Failed(FailureKind.LOCKED, f"{held.what} is held by process {held.holder}", {"holder": held.holder})
