"""Recovery of the daemon's program: our private copy is installed again (strategy reinstall)."""

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining import binaries
from shiftboss.packs.mining.recoveries.steps import look_first, set_aside
from shiftboss.system.workbench import Workbench


async def reinstall(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Move our private copy of the program aside, install it again (from the cache where it can) and test it.

    Raises:
        Failed: the program is the user's own (NO_PROVIDER), or it can't be installed.
    """
    if await look_first(order, bench) is None:
        return done(f"{order.component} does its job again")
    prefix = binaries.private_prefix(bench)
    program = binaries.daemon_program(bench)
    if bench.settings.daemon.binary or (program is not None and not program.is_relative_to(prefix)):
        what = f"{bench.settings.daemon.binary or program} is your own program and does not run: repair it, or let"
        raise Failed(FailureKind.NO_PROVIDER, f"{what} shiftboss install one by leaving daemon.binary out")
    bench.undo.register_file(order.id, bench.home / "binaries.json")
    snapshot = set_aside(order, bench, [prefix], f"replaced by {order.id}")
    if snapshot.holds:
        changes.append(f"moved {prefix} aside to snapshot {snapshot.id}")
    install = order.but(component="daemon.binary", mode=Mode.ENSURE, strategy=None)
    outcome = await binaries.handle(install, bench)
    changes += outcome.changes
    return done(f"the daemon's program was installed again: {outcome.summary}")
