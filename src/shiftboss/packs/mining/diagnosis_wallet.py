"""What is wrong with a wallet that the daemon has not loaded: looked at on disk, without opening it."""

import re
from pathlib import Path

from shiftboss.model.failure import FailureKind
from shiftboss.packs.mining.diagnosis import Finding
from shiftboss.packs.mining.diagnosis_start import log_since
from shiftboss.packs.mining.layout import DAEMON, layout
from shiftboss.system.workbench import Workbench

_MAGIC = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html, 1.3
_BERKELEY = (b"\x62\x31\x05\x00", b"\x00\x05\x31\x62")  # legacy wallets: the magic of a B-tree at byte 12
_TROUBLE = re.compile(r"SQLite Error\. Code: (?:11|26)|\[error\].*[Ww]allet|[Ww]allet .*corrupt")


def diagnose(bench: Workbench, name: str, *, known: bool) -> Finding | None:
    """What keeps a wallet from being loaded; None when nothing can be seen. `known`: we have made or funded it."""
    file = wallet_file(bench, name)
    facts = {"wallet_path": str(file)}
    if not file.is_file():
        if not known:
            return None
        return Finding(
            kind=FailureKind.WALLET_MISSING, message=f"wallet {name} is not on disk any more", evidence=facts
        )
    if not _looks_whole(file):
        message = f"the file of wallet {name} is no wallet any more"
        return Finding(kind=FailureKind.WALLET_DAMAGED, message=message, evidence=facts)
    if _failed_to_load(bench, file):
        message = f"the file of wallet {name} is damaged: the daemon could not load it"
        return Finding(kind=FailureKind.WALLET_DAMAGED, message=message, evidence=facts)
    return None


def wallet_file(bench: Workbench, name: str) -> Path:
    """Where the daemon keeps a wallet of ours."""
    places = layout(bench)
    folder = places.wallets if places.wallets.is_dir() else places.chain_data  # older data folders have no wallets/
    return folder / name / "wallet.dat"


def _looks_whole(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            start = opened.read(16)
    except OSError:
        return True  # not ours to read: that is no damage
    return start == _MAGIC or start[12:] in _BERKELEY


def _failed_to_load(bench: Workbench, file: Path) -> bool:
    """Whether the daemon's last try to load it ended in an error, and nobody has changed the file since."""
    log = log_since(bench, DAEMON)
    last = log.rfind(f"Using wallet {file.parent}\n")
    trouble = _TROUBLE.search(log, last) if last >= 0 else None
    if trouble is None or "completed loading" in log[last:]:
        return False
    from datetime import datetime

    said = log[log.rfind("\n", 0, trouble.start()) + 1 :].partition(" ")[0]
    try:
        return file.stat().st_mtime <= datetime.fromisoformat(said).timestamp() + 1.0
    except (OSError, ValueError):
        return True
