"""Where everything of a mining environment lies, and how its parts are addressed."""

import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health, Observation
from shiftboss.model.value import Value
from shiftboss.packs.mining.chains import CHAINS
from shiftboss.system import proc
from shiftboss.system.process import Instance, alive
from shiftboss.system.rpc import Rpc
from shiftboss.system.workbench import Workbench

HOST = "127.0.0.1"
DAEMON, WALLET, POOL, MINER, CYCLE, PEER = "daemon", "wallet", "pool", "miner", "cycle", "peer"
CONFIG_MARK = "SHIFTBOSS_CONFIG"
"""Environment variable of our processes: hash of the configuration they were started with."""


class Layout(Value):
    """The paths of one environment."""

    folder: Path
    chain: str

    @property
    def data(self) -> Path:
        """The daemon's data folder."""
        return self.folder / "daemon"

    @property
    def chain_data(self) -> Path:
        """Where the daemon keeps this chain: a folder in its data folder, or that itself (main)."""
        return self.data / CHAINS[self.chain].folder

    @property
    def daemon_config(self) -> Path:
        """bitcoin.conf."""
        return self.data / "bitcoin.conf"

    @property
    def peer_data(self) -> Path:
        """The second node's data folder."""
        return self.folder / "peer"

    @property
    def peer_chain_data(self) -> Path:
        """Where the second node keeps this chain."""
        return self.peer_data / CHAINS[self.chain].folder

    @property
    def peer_config(self) -> Path:
        """The second node's bitcoin.conf."""
        return self.peer_data / "bitcoin.conf"

    @property
    def pool_config(self) -> Path:
        """The pool program's configuration."""
        return self.folder / "pool" / "pool.json"

    @property
    def miner_config(self) -> Path:
        """The miner program's configuration."""
        return self.folder / "miner" / "miner.json"

    @property
    def miner_status(self) -> Path:
        """What the miner program writes about itself."""
        return self.folder / "miner" / "status.json"

    @property
    def wallet_note(self) -> Path:
        """Which wallet and address are ours."""
        return self.folder / "wallet.json"

    @property
    def proof(self) -> Path:
        """Evidence of the last full cycle."""
        return self.folder / "proof.json"

    @property
    def wallets(self) -> Path:
        """Where the daemon keeps its wallets, one folder each."""
        return self.chain_data / "wallets"

    @property
    def wallet_backup(self) -> Path:
        """Our own copy of the wallet, made when it was made or funded."""
        return self.folder / "backup" / "wallet.dat"

    @property
    def chain_note(self) -> Path:
        """The tip after we last made blocks that matter."""
        return self.folder / "chain.json"


def layout(bench: Workbench) -> Layout:
    """The paths of the workbench's environment."""
    return Layout(folder=bench.environment.folder, chain=bench.environment.chain)


def log_file(bench: Workbench, component: str) -> Path:
    """What a process of ours prints."""
    return bench.environment.log_folder / f"{component}.log"


def adopted(bench: Workbench) -> bool:
    """Whether the daemon is the user's own."""
    return bool(bench.settings.daemon.rpc)


def rpc_url(bench: Workbench) -> str:
    """The daemon's RPC address."""
    given = bench.settings.daemon.rpc
    if not given:
        return f"http://{HOST}:{bench.ports['rpc']}"
    return given if given.startswith("http") else f"http://{given}"


def rpc_port(bench: Workbench) -> int:
    """The port of that address."""
    return int(rpc_url(bench).rsplit(":", 1)[1].strip("/"))


def daemon_ports(bench: Workbench) -> tuple[str, ...]:
    """The names of the ports that our daemon listens on with these settings."""
    asked = {"rpc": True, "zmq": bench.settings.daemon.zmq, "p2p": bench.settings.daemon.peer}
    return tuple(name for name, wanted in asked.items() if wanted)


def zmq_endpoint(bench: Workbench) -> str:
    """Where the daemon announces its blocks; empty where it does not."""
    return f"tcp://{HOST}:{bench.ports['zmq']}" if bench.settings.daemon.zmq else ""


def cookie_file(bench: Workbench) -> Path:
    """Where the daemon's RPC log-in is."""
    return bench.settings.daemon.cookie_file or layout(bench).chain_data / ".cookie"


def rpc(bench: Workbench, wallet: str | None = None, timeout: float = 4.0) -> Rpc:
    """A client for the daemon (and one wallet of it)."""
    return Rpc(rpc_url(bench), cookie_file(bench), wallet=wallet, timeout=timeout)


def observed(bench: Workbench, component: str, health: Health, summary: str, **more: Any) -> Observation:
    """An observation of this environment; `more` are further fields of it."""
    return Observation(environment=bench.environment.name, component=component, health=health, summary=summary, **more)


def broken(bench: Workbench, component: str, kind: FailureKind, summary: str, **more: Any) -> Observation:
    """A component that is there but does not do its job, for a known reason."""
    return observed(bench, component, Health.BROKEN, summary, failure=kind, **more)


def read_json(path: Path) -> dict[str, Any]:
    """A file of ours as a dictionary; empty when it is not there or not whole."""
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}


def digest(text: str) -> str:
    """A short hash that names a configuration."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def config_digest(path: Path) -> str:
    """The hash of a configuration file; empty when it is not there."""
    try:
        return digest(path.read_text())
    except OSError:
        return ""


def outdated(instance: Instance, wanted: str) -> bool:
    """Whether a process of ours was started with another configuration than the one of this hash."""
    environ = proc.environ(instance.pid)
    return bool(environ) and environ.get(CONFIG_MARK, "") != wanted


def unsettled(instance: Instance) -> bool:
    """Whether a process is just being loaded or about to be gone: then it has no environment to be read."""
    return not alive(instance) or not proc.environ(instance.pid)


def age(instance: Instance) -> float:
    """Seconds since a process was started."""
    return proc.seconds_alive(instance.started)


def died(bench: Workbench, component: str) -> Instance | None:
    """The recorded instance that ended without being stopped by us (since this boot), if there is one."""
    last = bench.processes.recorded(component)
    return last if last is not None and last.boot == proc.boot_id() and not alive(last) else None


FINDS_BACK_SECONDS = 6.0
"""A little more than the longest pause between two tries of our miner to connect (5 s)."""


def just_back(bench: Workbench, component: str, seconds: float = FINDS_BACK_SECONDS) -> bool:
    """Whether a part of ours was started so recently that those who need it may still be connecting to it."""
    instance = bench.processes.find(component)
    return instance is not None and age(instance) < seconds


@contextmanager
def counting(changes: list[str]) -> Generator[None]:
    """A failure inside tells what had been changed before it."""
    try:
        yield
    except Failed as error:
        error.changes = [*changes, *error.changes]
        raise
