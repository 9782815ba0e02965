"""Faults of the wallet: not loaded, gone, or its file does not load."""

from pathlib import Path

from shiftboss.errors import Refused
from shiftboss.model.failure import FailureKind
from shiftboss.model.fault import ENSURE, Fault, Moment
from shiftboss.packs.mining import wallet
from shiftboss.packs.mining.faults.keeping import Note, overwrite, take_away
from shiftboss.packs.mining.faults.parts import ask, must_be_down
from shiftboss.packs.mining.layout import DAEMON, layout
from shiftboss.system.workbench import Workbench

_HERE = "shiftboss.packs.mining.faults.wallets"
_CLEAR = "shiftboss.packs.mining.faults.data:bring_back"

WALLET_FAULTS = (
    Fault(
        name="wallet_not_loaded",
        what="the wallet is on disk but not loaded",
        component="wallet",
        kinds=(FailureKind.WALLET_NOT_LOADED,),
        mended_by=("load_wallet",),
        untouched=("daemon", "pool", "miner"),
        inject=f"{_HERE}:unload",
        cures=("load_wallet",),
    ),
    Fault(
        name="wallet_missing",
        what="the wallet's folder is gone while the daemon runs",
        component="wallet",
        kinds=(FailureKind.WALLET_MISSING,),
        mended_by=("restore_wallet",),
        untouched=("pool", "miner"),
        inject=f"{_HERE}:remove",
        clear="shiftboss.packs.mining.faults.keeping:put_back",
        cures=("restore_wallet", "reset_environment"),
    ),
    Fault(
        name="wallet_corrupt",
        what="the wallet's file is overwritten at its head: the daemon does not start with it",
        component="daemon",
        moment=Moment.STOPPED,
        kinds=(FailureKind.WALLET_DAMAGED,),
        mended_by=("restore_wallet", ENSURE),
        inject=f"{_HERE}:damage",
        clear=_CLEAR,
        cures=("restore_wallet", "reset_environment"),
    ),
)


def unload(bench: Workbench, _note: Note) -> None:
    """Unload the wallet; its file stays."""
    ask(bench, "unloadwallet", wallet.name(bench), False)


def remove(bench: Workbench, note: Note) -> None:
    """Unload the wallet and take its folder away."""
    folder = _folder(bench)
    ask(bench, "unloadwallet", wallet.name(bench), False)
    take_away(note, folder)


def damage(bench: Workbench, note: Note) -> None:
    """Overwrite the head of the wallet's file."""
    must_be_down(bench, DAEMON)
    overwrite(note, _folder(bench) / "wallet.dat", b"\xde\xad" * 2048, 0)


def _folder(bench: Workbench) -> Path:
    """Where the wallet lies.

    Raises:
        Refused: it is not there.
    """
    places = [layout(bench).chain_data / "wallets", layout(bench).chain_data]
    for place in places:
        if (place / wallet.name(bench) / "wallet.dat").is_file():
            return place / wallet.name(bench)
    raise Refused(f"There is no wallet {wallet.name(bench)} here yet. Run `shiftboss up wallet` first.")
