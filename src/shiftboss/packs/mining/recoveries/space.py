"""Recovery from a full disk: only what is ours and can be had again is deleted (strategy free_space).

That is: rotated logs of this environment, and packages in our download cache if it lies on the same disk. Never a
chain, a wallet, a log in use or anything of somebody else's.
"""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation
from shiftboss.model.outcome import Outcome, done
from shiftboss.system import debian_cache
from shiftboss.system.debian_errors import InstallFailed
from shiftboss.system.files import free_bytes, size_of
from shiftboss.system.workbench import Workbench

ENOUGH_BYTES = 110_000_000
"""The daemon ends below 52 MB; from 100 MB on its end is foreseen (the pack's limits)."""

_LOCK_SECONDS = 1.0


async def free_space(order: Delegation, bench: Workbench, changes: list[str]) -> Outcome:
    """Delete rotated logs and our own downloads until there is enough room; the changes say how much each gave.

    Raises:
        Failed: it is still not enough (NO_SPACE).
    """
    folder = bench.environment.folder
    for path in _rotated(folder):
        if free_bytes(folder) >= ENOUGH_BYTES:
            break
        _delete(path, changes)
    if free_bytes(folder) < ENOUGH_BYTES:
        await _empty_cache(bench, changes)
    free = free_bytes(folder)
    if free < ENOUGH_BYTES:
        wanted = f"{ENOUGH_BYTES // 1_000_000} MB"
        message = (
            f"{free // 1_000_000} MB are free on the disk of {folder} and {wanted} are needed for {order.component}"
        )
        raise Failed(FailureKind.NO_SPACE, f"{message}: free space by hand", {"free": free, "path": str(folder)})
    return done(f"{free // 1_000_000} MB are free on the disk of {folder}", free=free)


def _rotated(folder: Path) -> Iterator[Path]:
    """Logs that were renamed when they grew too large, the oldest first."""
    found = [path for path in (folder / "logs").glob("*.log.*") if path.suffix[1:].isdigit()]
    yield from sorted(found, key=lambda path: (-int(path.suffix[1:]), path.name))


async def _empty_cache(bench: Workbench, changes: list[str]) -> None:
    root = bench.settings.cache.folder / "debian"
    if not root.is_dir() or root.stat().st_dev != bench.environment.folder.stat().st_dev:
        return  # on another disk it would help nobody
    for manifest in sorted(root.glob(f"*/*/*/{debian_cache.MANIFEST}")):
        store = manifest.parent
        try:
            async with (
                asyncio.timeout(_LOCK_SECONDS),
                debian_cache.locked(store.with_name(f"{store.name}.lock"), _quiet),
            ):
                for path in (manifest, *store.glob("*.deb"), *store.glob(".fetch.*.tmp")):
                    _delete(path, changes)
        except (TimeoutError, InstallFailed):
            continue  # an installation is using it


def _quiet() -> None:
    """Nobody needs to know that we wait for a lock for a second."""


def _delete(path: Path, changes: list[str]) -> None:
    size = size_of(path)
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    changes.append(f"deleted {path} ({size} bytes)")
