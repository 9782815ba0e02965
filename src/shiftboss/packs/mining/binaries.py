"""The programs of the stack: are they there, do they run, and if not, get them (agent dependency_installer)."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining.layout import adopted, observed, read_json
from shiftboss.system.files import write_atomic
from shiftboss.system.workbench import Workbench

OWN_MODULES = {"pool": "shiftboss.packs.mining.stratum.pool", "miner": "shiftboss.packs.mining.stratum.miner"}

BY_HAND = (
    "Install a bitcoind (Bitcoin Core or Knots, 24 or newer) by hand and give its path with"
    " --set daemon.binary=PATH, or use a running one with --set daemon.rpc=HOST:PORT --set daemon.cookie_file=PATH"
)


def _note(bench: Workbench) -> Path:
    return bench.home / "binaries.json"


def private_prefix(bench: Workbench) -> Path:
    """Where a daemon that was fetched lies."""
    return bench.home / "prefix" / "bitcoin-knots"


def daemon_program(bench: Workbench) -> Path | None:
    """The bitcoind to use: the one given, else the one on PATH, else the private one; None when none is there."""
    given = bench.settings.daemon.binary
    if given:
        return given if given.is_file() else None
    found = shutil.which("bitcoind")
    if found:
        return Path(found)
    private = private_prefix(bench) / "bin" / "bitcoind"
    return private if private.is_file() else None


def fingerprint(program: Path) -> str:
    """What changes when a program is replaced."""
    facts = program.stat()
    return f"{facts.st_size}:{facts.st_mtime_ns}"


def versions(bench: Workbench) -> dict[str, str]:
    """The daemon's version as its self-test told it; empty when none was tested."""
    program = daemon_program(bench)
    version = read_json(_note(bench)).get(str(program), {}).get("version") if program else None
    return {"bitcoind": str(version)} if version else {}


async def probe_daemon_binary(bench: Workbench) -> Observation:
    """READY when the program that would be started has passed its self-test unchanged."""
    if adopted(bench):
        return observed(bench, "daemon.binary", Health.READY, "not needed: the daemon is yours")
    program = daemon_program(bench)
    if program is None:
        return observed(bench, "daemon.binary", Health.ABSENT, "no bitcoind is known yet")
    note = read_json(_note(bench)).get(str(program), {})
    if note.get("fingerprint") != fingerprint(program):
        summary = f"{program} has not been tested yet"
        return observed(bench, "daemon.binary", Health.ABSENT, summary, evidence={"path": str(program)})
    evidence = {"path": str(program), "version": note["version"]}
    return observed(bench, "daemon.binary", Health.READY, note["version"], evidence=evidence)


async def probe_pool_binary(bench: Workbench) -> Observation:
    """READY when the pool's program can be started."""
    pool = bench.settings.pool
    if pool.attach:
        return observed(bench, "pool.binary", Health.READY, "not needed: the pool is yours")
    return _program(bench, "pool.binary", list(pool.command), OWN_MODULES["pool"])


async def probe_miner_binary(bench: Workbench) -> Observation:
    """READY when the miner's program can be started."""
    return _program(bench, "miner.binary", miner_program(bench), OWN_MODULES["miner"])


def miner_program(bench: Workbench) -> list[str]:
    """The user's miner program, if one is configured; empty for our own."""
    miner = bench.settings.miner
    if miner.command:
        return list(miner.command)
    return [str(miner.binary or "minerd")] if miner.kind == "minerd" else []


def absolute(command: Sequence[str]) -> list[str]:
    """A command whose program is found from where shiftboss was called, as it is started in another folder."""
    found = shutil.which(command[0])
    return [str(Path(found).absolute()) if found else command[0], *command[1:]]


def own_program(name: str) -> list[str]:
    """How our own pool or miner is started, by the Python that runs us."""
    return [sys.executable, "-m", OWN_MODULES[name]]


def _program(bench: Workbench, component: str, command: list[str], own: str) -> Observation:
    if not command:
        return observed(bench, component, Health.READY, "shiftboss's own", evidence={"module": own})
    found = shutil.which(command[0])
    if found is None:
        return observed(bench, component, Health.ABSENT, f"{command[0]} is not there or can't be executed")
    return observed(bench, component, Health.READY, found, evidence={"path": found})


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Get and test the program."""
    if order.mode is Mode.REMOVE:
        return done("programs are kept")
    if order.component == "daemon.binary":
        return await _ensure_daemon(bench)
    seen = await (probe_pool_binary if order.component == "pool.binary" else probe_miner_binary)(bench)
    if seen.health is not Health.READY:
        raise Failed(FailureKind.NO_PROVIDER, f"{seen.summary}: correct its path in the settings")
    return done(f"{order.component} is there")


async def _ensure_daemon(bench: Workbench) -> Outcome:
    program, changes, facts = daemon_program(bench), list[str](), dict[str, object]()
    given = bench.settings.daemon.binary
    if program is None and given:
        raise Failed(FailureKind.NO_PROVIDER, f"{given} (daemon.binary) is not there. {BY_HAND}")
    if program is None:
        program, facts = await _install(bench)
        changes.append(f"installed {facts['package']} {facts['version']} into {private_prefix(bench)}")
    version = await _self_test(program)
    known = read_json(_note(bench))
    known[str(program)] = {"fingerprint": fingerprint(program), "version": version, **facts}
    write_atomic(_note(bench), json.dumps(known, indent=1))
    return done(f"{program} runs: {version}", *changes, path=str(program), **{"version": version, **facts})


async def _self_test(program: Path) -> str:
    from shiftboss.system.packages import BinaryBroken, self_test_version

    if not os.access(program, os.X_OK):
        raise Failed(FailureKind.PERMISSION, f"{program} may not be executed by this user")
    try:
        return await self_test_version(program)
    except BinaryBroken as error:
        raise Failed(FailureKind.MISSING_BINARY, str(error)) from error


async def _install(bench: Workbench) -> tuple[Path, dict[str, object]]:
    from shiftboss.packs.mining.download import KNOTS
    from shiftboss.system.packages import BinaryBroken, InstallFailed, NoProvider, OutOfSpace, install

    marks = bench.processes.helper_variables(bench.run, bench.delegation)
    spec = KNOTS.but(variables=marks)
    try:
        got = await install(spec, prefix=private_prefix(bench), cache=bench.settings.cache.folder, warn=bench.warn)
    except NoProvider as error:
        raise Failed(FailureKind.NO_PROVIDER, f"{error} {BY_HAND}") from error
    except OutOfSpace as error:
        raise Failed(FailureKind.NO_SPACE, str(error)) from error
    except BinaryBroken as error:
        raise Failed(FailureKind.MISSING_BINARY, f"{error} {BY_HAND}") from error
    except InstallFailed as error:
        raise Failed(FailureKind.NO_PROVIDER, f"{error} {BY_HAND}") from error
    facts: dict[str, object] = {
        "package": spec.name,
        "sha256": dict(got.debs),
        "packages": dict(got.packages),
        "from_cache": got.from_cache,
    }
    return got.program, {**facts, "version": got.version}
