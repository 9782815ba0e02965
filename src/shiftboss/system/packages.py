"""Puts a program from a Debian suite into a private folder: no root, no change to the system's packages.

Called by the mining pack's dependency installer. The steps are in the debian_* modules beside this one; here is
their order, and what makes it safe to be killed, repeated, or run twice at a time.
"""

import contextlib
import datetime as dt
import errno
import json
import os
import shutil
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Any

from shiftboss.model.value import Value
from shiftboss.system import debian_apt, debian_cache, debian_prefix
from shiftboss.system.debian_cache import DebSet
from shiftboss.system.debian_errors import BinaryBroken, InstallFailed, NoProvider, OutOfSpace
from shiftboss.system.debian_prefix import self_test_version

__all__ = [
    "BinaryBroken",
    "InstallFailed",
    "Installed",
    "NoProvider",
    "OutOfSpace",
    "PackageSpec",
    "fetch",
    "install",
    "self_test_version",
]

RECORD = "installed.json"
OURS = {RECORD, debian_prefix.ROOT, debian_prefix.BIN}
FETCH_BYTES = 250_000_000  # index 25 MB, apt's own cache 50 MB, packages 20 MB, with room for growth
UNPACK_BYTES = 100_000_000  # 60 MB unpacked
Say = Callable[[str], None]


class PackageSpec(Value):
    """What to install: a package of a suite and the programs wanted from it.

    `exclude` holds name patterns of dependencies that only package scripts need.
    """

    name: str = "bitcoin-knots"
    suite: str = "sid"
    program: str = "bitcoind"
    companions: tuple[str, ...] = ("bitcoin-cli",)
    exclude: tuple[str, ...] = ("debconf*", "systemd*")
    variables: Mapping[str, str] = field(default_factory=dict[str, str])  #: for the environment of apt's processes


class Installed(Value):
    """A complete installation. `debs` maps file name to SHA-256, `packages` name to version.

    `program` is the wrapper to start, `version` the package's, `version_text` what the program says of itself.
    `from_cache` is True when nothing was fetched; `seconds` is what this call took.
    """

    version: str
    version_text: str
    debs: dict[str, str]
    program: Path
    packages: dict[str, str]
    warnings: tuple[str, ...]
    from_cache: bool
    seconds: float


async def install(
    spec: PackageSpec,
    *,
    prefix: Path,
    cache: Path,
    warn: Say,
    progress: Say | None = None,
) -> Installed:
    """Have the program ready in `prefix`; idempotent, and safe to kill at any moment.

    A complete installation whose program runs is returned as it is. Otherwise one is built beside the prefix, from
    the cache when that is complete (no network then), checked, and moved into place.

    Raises:
        NoProvider: the machine has no apt, keyring or mirror to get it from.
        InstallFailed: a step failed, or the prefix holds files that are not ours.
        OutOfSpace: the disk is too full.
        BinaryBroken: the program was unpacked but does not run.
    """
    started = time.monotonic()
    prefix = _named_well(prefix, forbidden=':;$"\\\n')
    cache = _named_well(cache, forbidden='"\\\n')
    say = progress or _silent
    with _typed_os_errors(prefix):
        found = await _standing(spec, prefix)
        if found is None:
            async with debian_cache.locked(prefix.parent / f".{prefix.name}.lock", _waiting(say)):
                found = await _standing(spec, prefix) or await _make(spec, prefix, cache, warn, say)
    return replace(found, seconds=time.monotonic() - started)


async def fetch(spec: PackageSpec, *, cache: Path, warn: Say, progress: Say | None = None) -> tuple[DebSet, bool]:
    """Have every package file in the cache, checked, so that `install` needs no network; idempotent.

    The set, and whether all of it was there before.

    Raises:
        NoProvider: the machine has no apt, keyring or mirror to get it from.
        InstallFailed: a step failed.
        OutOfSpace: the disk is too full.
    """
    cache = _named_well(cache, forbidden='"\\\n')
    with _typed_os_errors(cache):
        async with _stocked(spec, cache, warn, progress or _silent) as (_, found, from_cache):
            return found, from_cache


@contextlib.asynccontextmanager
async def _stocked(spec: PackageSpec, cache: Path, warn: Say, say: Say) -> AsyncGenerator[tuple[Path, DebSet, bool]]:
    """The cache's folder with the whole set in it, which nobody changes meanwhile; and whether the cache had it."""
    arch = await debian_apt.architecture()
    store = cache / "debian" / arch / spec.suite / spec.name
    async with debian_cache.locked(store.with_name(f"{store.name}.lock"), _waiting(say)):
        yield store, *(await _have_debs(spec, store, warn, say))


async def _make(spec: PackageSpec, prefix: Path, cache: Path, warn: Say, say: Say) -> Installed:
    _refuse_foreign(prefix)
    _need_space(prefix.parent, UNPACK_BYTES)
    async with _stocked(spec, cache, warn, say) as (store, found, from_cache):
        with debian_cache.scratch(prefix.parent, prefix.name) as folder:
            say(f"unpacking {len(found.debs)} packages")
            built = folder / "prefix"
            built.mkdir(mode=0o755)
            await debian_prefix.unpack([store / deb.file for deb in found.debs], built)
            say("checking libraries and program")
            installed = await _finish(spec, found, built)
            _swap(built, prefix, folder / "replaced")
    return replace(installed, program=prefix / debian_prefix.BIN / spec.program, from_cache=from_cache)


async def _have_debs(spec: PackageSpec, store: Path, warn: Say, say: Say) -> tuple[DebSet, bool]:
    """The complete set, and whether the cache had it. What was to be warned of then is warned of again."""
    held = debian_cache.load_set(store)
    if held is not None and held.exclude == spec.exclude:
        damaged = debian_cache.drop_damaged(store, held.debs)
        if not damaged:
            for text in held.warnings:
                warn(f"packages cached on {held.fetched}: {text}")
            return held, True
        warn(f"cached files were damaged or gone and are fetched again: {', '.join(damaged)}")
    return await _fetch(spec, store, warn, say), False


async def _fetch(spec: PackageSpec, store: Path, warn: Say, say: Say) -> DebSet:
    warnings: list[str] = []
    machine = await debian_apt.look_at_machine()
    _need_space(store, FETCH_BYTES)
    with debian_cache.scratch(store, "fetch") as folder:
        apt = debian_apt.PrivateApt.create(machine, folder, spec.suite, spec.variables)
        say(f"reading the package index of {spec.suite}")
        await apt.update(warnings.append)
        for text in warnings:
            warn(text)
        packages = await apt.resolve(spec.name, spec.exclude)
        held = debian_cache.held_checksums(store)
        wanted = [package for package in packages if package.sha256 not in held]
        say(f"downloading {len(wanted)} packages, {sum(p.size for p in wanted) / 1e6:.1f} MB")
        downloaded = await apt.download(wanted)
        found = DebSet(
            name=spec.name,
            exclude=spec.exclude,
            fetched=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            debs=tuple(debian_cache.take_in(downloaded, store, packages)),
            warnings=tuple(warnings),
        )
        debian_cache.save_set(store, found)
    return found


async def _finish(spec: PackageSpec, found: DebSet, built: Path) -> Installed:
    """Write the wrappers, prove that they work, and write the record last."""
    for launch in _launches(spec, built):
        debian_prefix.write_wrapper(built, launch)
    await _check_programs(spec, built)
    wrapper = built / debian_prefix.BIN / spec.program
    installed = Installed(
        version=found.version(),
        version_text=await self_test_version(wrapper),
        debs={deb.file: deb.sha256 for deb in found.debs},
        program=wrapper,
        packages={deb.name: deb.version for deb in found.debs},
        warnings=found.warnings,
        from_cache=True,
        seconds=0.0,
    )
    plain = asdict(installed) | {"spec": asdict(spec), "fetched": found.fetched}
    for passing in ("program", "from_cache", "seconds"):
        del plain[passing]
    debian_cache.write_json(built / RECORD, plain)
    return installed


def _launches(spec: PackageSpec, prefix: Path) -> list[debian_prefix.Launch]:
    found = (debian_prefix.find_launch(prefix / debian_prefix.ROOT, p) for p in (spec.program, *spec.companions))
    return [launch for launch in found if launch]


async def _check_programs(spec: PackageSpec, prefix: Path) -> None:
    """A missing library may hide, as the loader then takes the system's: so it is asked for each program."""
    for launch in _launches(spec, prefix):
        await debian_prefix.check_libraries(prefix / debian_prefix.ROOT, launch)


async def _standing(spec: PackageSpec, prefix: Path) -> Installed | None:
    """The complete installation that stands in the prefix already, if its program still runs."""
    program = prefix / debian_prefix.BIN / spec.program
    try:
        plain: dict[str, Any] = json.loads((prefix / RECORD).read_text())
        if plain["spec"] != json.loads(json.dumps(asdict(spec))):
            return None
        await _check_programs(spec, prefix)
        return Installed(
            version=plain["version"],
            version_text=await self_test_version(program),
            debs=plain["debs"],
            program=program,
            packages=plain["packages"],
            warnings=tuple(plain["warnings"]),
            from_cache=True,
            seconds=0.0,
        )
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None
    except (BinaryBroken, InstallFailed):  # it was complete and has been damaged since
        return None


def _swap(built: Path, prefix: Path, aside: Path) -> None:
    """Put the new installation in place of the old. A running program keeps its files until it ends."""
    if prefix.exists():
        prefix.rename(aside)
    built.rename(prefix)


def _named_well(folder: Path, *, forbidden: str) -> Path:
    """The absolute folder, refused if its path holds a character that the loader or apt reads as its own."""
    bad = sorted(set(str(folder.absolute())) & set(forbidden))
    if bad:
        said = f"the path {str(folder.absolute())!r} holds {' '.join(map(repr, bad))}: choose another folder"
        raise InstallFailed("use this folder", last_lines=[said])
    return folder.absolute()


def _refuse_foreign(prefix: Path) -> None:
    foreign = sorted({path.name for path in prefix.iterdir()} - OURS) if prefix.exists() else []
    if foreign:
        said = f"{prefix} holds files that are not ours ({', '.join(foreign[:3])}): choose an empty folder"
        raise InstallFailed("use this folder", last_lines=[said])


def _need_space(folder: Path, needed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OutOfSpace(folder, needed=needed, free=free)


@contextlib.contextmanager
def _typed_os_errors(prefix: Path) -> Generator[None]:
    """A full disk or a folder that can't be written becomes one of our errors."""
    full = os.strerror(errno.ENOSPC)
    try:
        yield
    except (OSError, InstallFailed) as error:
        if full in str(error):
            free = shutil.disk_usage(prefix.anchor).free
            raise OutOfSpace(prefix.parent, needed=FETCH_BYTES, free=free) from error
        if isinstance(error, InstallFailed):
            raise
        raise InstallFailed("write the installation", last_lines=[str(error)]) from error


def _waiting(say: Say) -> Callable[[], None]:
    return lambda: say("waiting for another installation to finish")


def _silent(_: str) -> None:
    """Stands in when the caller wants no progress."""
