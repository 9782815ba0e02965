"""What a person woken at night can try by hand, per kind of failure; for the report of an escalation.

Commands work as they stand, most useful first, each marked safe (it looks, or stops nothing of worth) or destructive.
"""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from shiftboss.model.failure import FailureKind as Kind
from shiftboss.packs.mining.binaries import daemon_program
from shiftboss.packs.mining.diagnosis_start import own_log
from shiftboss.packs.mining.layout import DAEMON, WALLET, adopted, layout, log_file, rpc_url
from shiftboss.system.workbench import Workbench

SAFE, DESTRUCTIVE = "safe", "destructive"
Advice = tuple[str, str]


def commands(component: str, kind: Kind | None, bench: Workbench) -> Sequence[Advice]:
    """Commands a person can try by hand, each marked safe or destructive."""
    part = component.partition(".")[0]
    special = _BY_KIND.get(kind, _nothing)(part, bench) if kind else []
    return list(dict.fromkeys([*special, *_general(part, bench)]))


def _general(part: str, bench: Workbench) -> list[Advice]:
    """Where it tells its troubles, and how it is started in sight."""
    logs = [log_file(bench, part), *([own_log(bench)] if part in (DAEMON, WALLET) else [])]
    found = [(f"tail -n 50 {_quoted(log)}", SAFE) for log in logs if log.is_file()]
    if part == DAEMON and not adopted(bench) and daemon_program(bench):
        found.append((_daemon(bench, "-printtoconsole=1"), SAFE))
    return [*found, (f"shiftboss status --workdir {_quoted(bench.home)}", SAFE)]


def _daemon(bench: Workbench, *more: str) -> str:
    places = layout(bench)
    program = daemon_program(bench) or Path("bitcoind")
    words = (str(program), f"-datadir={places.data}", f"-conf={places.daemon_config}", *more)
    return shlex.join(words)


def _rpc(bench: Workbench, *words: str) -> str:
    places = layout(bench)
    program = daemon_program(bench)
    client = program.with_name("bitcoin-cli") if program else Path("bitcoin-cli")
    port = rpc_url(bench).rpartition(":")[2].strip("/")
    return shlex.join((str(client), f"-datadir={places.data}", f"-rpcport={port}", *words))


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _nothing(_part: str, _bench: Workbench) -> list[Advice]:
    return []


def _ports(_part: str, bench: Workbench) -> list[Advice]:
    numbers = [bench.ports[name] for name in ("rpc", "stratum", "pool_status")]
    listed = " or ".join(f"sport = :{number}" for number in numbers)
    move = "shiftboss up --set ports.rpc=NUMBER --set ports.stratum=NUMBER"
    return [(f"ss -ltnp '( {listed} )'", SAFE), (move, SAFE), ("kill PID", DESTRUCTIVE)]


def _lock(_part: str, bench: Workbench) -> list[Advice]:
    lock = _quoted(layout(bench).chain_data / ".lock")
    return [
        (f"fuser -v {lock}", SAFE),
        (f"lsof {lock}", SAFE),
        (_rpc(bench, "stop"), DESTRUCTIVE),
    ]


def _space(_part: str, bench: Workbench) -> list[Advice]:
    home = _quoted(bench.home)
    return [
        (f"df -h {home} /", SAFE),
        (f"du -xh --max-depth=3 {home} | sort -h | tail -n 20", SAFE),
        (f"rm -r {_quoted(bench.home / 'aside')}", DESTRUCTIVE),
    ]


def _damage(_part: str, bench: Workbench) -> list[Advice]:
    places = layout(bench)
    copy = shlex.join(("cp", "-a", str(places.chain_data), f"{places.chain_data}.copy"))
    return [
        (f"df -h {_quoted(places.data)}", SAFE),
        (copy, SAFE),
        ("dmesg --level=err,warn | tail -n 30", SAFE),
        (f"fsck -N {_quoted(places.data)}", SAFE),
        (_daemon(bench, "-reindex-chainstate"), DESTRUCTIVE),
        (_daemon(bench, "-reindex"), DESTRUCTIVE),
        *_restore(bench),
    ]


def _restore(bench: Workbench) -> list[Advice]:
    """Data that a reset moved aside comes back with one command; what is there now is moved aside in turn."""
    home = _quoted(bench.home)
    return [(f"ls {_quoted(bench.home / 'aside')}", SAFE), (f"shiftboss restore ID --workdir {home}", DESTRUCTIVE)]


def _wallet(_part: str, bench: Workbench) -> list[Advice]:
    name, backup = bench.settings.wallet.name, layout(bench).wallet_backup
    found = [(f"ls -la {_quoted(layout(bench).wallets)}", SAFE), (_rpc(bench, "listwalletdir"), SAFE)]
    if backup.is_file():
        found.append((_rpc(bench, "restorewallet", f"{name}-copy", str(backup)), SAFE))
    return [*found, *_restore(bench)]


def _load(_part: str, bench: Workbench) -> list[Advice]:
    return [(_rpc(bench, "listwallets"), SAFE), (_rpc(bench, "loadwallet", bench.settings.wallet.name), SAFE)]


def _rights(_part: str, bench: Workbench) -> list[Advice]:
    folder = bench.environment.folder
    return [
        (f"ls -laR {_quoted(folder)} | head -n 60", SAFE),
        (f"findmnt -T {_quoted(folder)}", SAFE),
        (f"sudo chown -R $(id -u):$(id -g) {_quoted(folder)}", DESTRUCTIVE),
    ]


def _program(_part: str, bench: Workbench) -> list[Advice]:
    program = daemon_program(bench)
    found = [(f"{_quoted(program)} -version", SAFE), (f"ldd {_quoted(program)}", SAFE)] if program else []
    return [*found, ("shiftboss up --set daemon.binary=PATH", SAFE)]


def _died(part: str, bench: Workbench) -> list[Advice]:
    home = _quoted(bench.home)
    return [(f"shiftboss logs {part} --workdir {home}", SAFE), ("dmesg --ctime | tail -n 20", SAFE)]


def _process(part: str, bench: Workbench) -> list[Advice]:
    pid = f"$(grep -o '\"pid\": [0-9]*' {_quoted(bench.environment.run_folder / f'{part}.pid')} | grep -o '[0-9]*$')"
    return [
        (f"ps -o pid,stat,etime,rss,cmd -p {pid}", SAFE),
        (f"kill -CONT {pid}", SAFE),
        (f"shiftboss restart {part} --workdir {_quoted(bench.home)}", DESTRUCTIVE),
    ]


def _config(part: str, bench: Workbench) -> list[Advice]:
    found = [(f"shiftboss validate --workdir {_quoted(bench.home)}", SAFE)]
    settings = layout(bench).chain_data / "settings.json"
    if part == DAEMON and settings.is_file():
        found += [
            (f"python3 -m json.tool {_quoted(settings)}", SAFE),
            (f"mv {_quoted(settings)} {_quoted(settings)}.bad", DESTRUCTIVE),
        ]
    return found


def _login(part: str, bench: Workbench) -> list[Advice]:
    cookie = layout(bench).chain_data / ".cookie"
    again = f"shiftboss restart {part} --workdir {_quoted(bench.home)}"
    return [(f"ls -la {_quoted(cookie)}", SAFE), (again, DESTRUCTIVE)]


def _clock(_part: str, _bench: Workbench) -> list[Advice]:
    return [("timedatectl", SAFE), ("date -u", SAFE)]


_BY_KIND: dict[Kind, Callable[[str, Workbench], list[Advice]]] = {
    Kind.PORT_FOREIGN: _ports,
    Kind.PORT_ORPHAN: _ports,
    Kind.LOCKED: _lock,
    Kind.NO_SPACE: _space,
    Kind.DATA_DAMAGED: _damage,
    Kind.DATA_LOST: _damage,
    Kind.WALLET_DAMAGED: _wallet,
    Kind.WALLET_MISSING: _wallet,
    Kind.WALLET_NOT_LOADED: _load,
    Kind.PERMISSION: _rights,
    Kind.MISSING_BINARY: _program,
    Kind.NO_PROVIDER: _program,
    Kind.FROZEN: _process,
    Kind.DIED: _died,
    Kind.TIMEOUT: _process,
    Kind.LEAK: _process,
    Kind.REJECTED: _process,
    Kind.DISCONNECTED: _process,
    Kind.CONFIG: _config,
    Kind.CREDENTIAL: _login,
    Kind.EXTERNAL_DOWN: _ports,
    Kind.CLOCK: _clock,
}
