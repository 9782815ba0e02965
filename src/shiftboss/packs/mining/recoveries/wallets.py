"""Recoveries of the wallet: loaded again, or restored from the backup made after it was funded."""

from pathlib import Path

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation
from shiftboss.model.observation import Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining import daemon, wallet
from shiftboss.packs.mining.diagnosis_wallet import wallet_file
from shiftboss.packs.mining.layout import DAEMON, adopted, layout, rpc
from shiftboss.packs.mining.recoveries.steps import look_first, set_aside
from shiftboss.system.rpc import RpcFailure
from shiftboss.system.workbench import Workbench

RESTORE_SECONDS = 120.0
"""The daemon looks through the whole chain for what the restored wallet was paid."""


async def load_wallet(_order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Load the wallet again."""
    changes += await wallet.load(bench)
    return done("the wallet is loaded")


async def restore_wallet(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Move what is left of the wallet aside and restore it from our own backup.

    Raises:
        Failed: there is no backup, or what came back does not own our address.
    """
    seen = await look_first(order, bench)
    if seen is None:
        return done(f"{order.component} does its job again")
    _check_whose(bench, seen)
    backup = layout(bench).wallet_backup
    if not backup.is_file():
        kind = FailureKind(order.failure or FailureKind.WALLET_MISSING)
        raise Failed(kind, f"there is no backup of wallet {wallet.name(bench)} ({backup})")
    if adopted(bench):
        raise Failed(
            FailureKind.EXTERNAL_DOWN, "the daemon is yours: restore its wallet yourself", {"backup": str(backup)}
        )
    await _let_go(bench, changes)
    _move_aside(order, bench, changes)
    changes += (await daemon.start(bench)).changes
    await rpc(bench, timeout=RESTORE_SECONDS).call("restorewallet", wallet.name(bench), str(backup), True)
    changes.append(f"restored wallet {wallet.name(bench)} from {backup}")
    return await _checked(bench)


def _check_whose(bench: Workbench, seen: Observation) -> None:
    told, ours = Path(str(seen.evidence.get("wallet_path") or "")), wallet_file(bench, wallet.name(bench)).resolve()
    if told.name and told.resolve() not in (ours, ours.parent):
        kind = seen.failure or FailureKind.WALLET_DAMAGED
        raise Failed(kind, f"the wallet in {told} is not ours, and we have no backup of it", {"wallet_path": str(told)})


async def _let_go(bench: Workbench, changes: list[str]) -> None:
    """Make the daemon close the wallet's file: by its own command, or else by ending it."""
    if bench.processes.find(DAEMON) is None:
        return
    name = wallet.name(bench)
    node = rpc(bench, timeout=30.0)
    try:
        if name in await node.call("listwallets"):
            await node.call("unloadwallet", name, False)
            changes.append(f"unloaded wallet {name}")
    except RpcFailure:
        changes += (await daemon.stop(bench)).changes


def _move_aside(order: Delegation, bench: Workbench, changes: list[str]) -> None:
    folder = wallet_file(bench, wallet.name(bench)).parent
    bench.undo.register_file(order.id, layout(bench).chain_data / "settings.json")
    why = f"what was left of wallet {wallet.name(bench)}, {order.failure}"
    snapshot = set_aside(order, bench, [folder], why)
    if snapshot.holds:
        changes.append(f"moved {folder} aside to snapshot {snapshot.id}")


async def _checked(bench: Workbench) -> Outcome:
    client = rpc(bench, wallet.name(bench))
    ours = wallet.address(bench)
    if ours and not (await client.call("getaddressinfo", ours))["ismine"]:
        raise Failed(FailureKind.WALLET_DAMAGED, f"the wallet restored from our backup does not own {ours}")
    balances = (await client.call("getbalances"))["mine"]
    return done(f"wallet {wallet.name(bench)} is back", balance=float(balances["trusted"]))
