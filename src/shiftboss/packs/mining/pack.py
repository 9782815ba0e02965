"""The mining pack's table of contents: what the hub is told of it, apart from the agent files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shiftboss.contracts import Pack
from shiftboss.model.failure import FailureKind
from shiftboss.packs.mining import wallet
from shiftboss.packs.mining.binaries import daemon_program
from shiftboss.packs.mining.configs import stratum_endpoint
from shiftboss.packs.mining.cycle import instances
from shiftboss.packs.mining.layout import HOST, cookie_file, layout, log_file, read_json, rpc_url
from shiftboss.packs.mining.pool import is_ours
from shiftboss.packs.mining.recovery import STRATEGIES
from shiftboss.system.workbench import Workbench


async def endpoints(bench: Workbench) -> Mapping[str, Any]:
    """Where the parts are reached, for people and scripts."""
    host, port = stratum_endpoint(bench)
    found: dict[str, Any] = {
        "rpc": rpc_url(bench),
        "rpc_cookie_file": str(cookie_file(bench)),
        "wallet": wallet.name(bench),
        "address": wallet.address(bench),
        "stratum": f"{host}:{port}",
    }
    if is_ours(bench):
        found["pool_status"] = f"http://{HOST}:{bench.ports['pool_status']}/status"
    return found


async def proof(bench: Workbench) -> Mapping[str, Any]:
    """The evidence of the last full cycle; empty when there is none, or when it is of other instances."""
    found = read_json(layout(bench).proof)
    return found if found.get("instances") == instances(bench) else {}


def advise(component: str, kind: FailureKind | None, bench: Workbench) -> Sequence[tuple[str, str]]:
    """Commands a person can try by hand, each marked safe or destructive."""
    part = component.partition(".")[0]
    logs = [log_file(bench, part)]
    if part == "daemon":
        logs.append(layout(bench).chain_data / "debug.log")
    found: list[tuple[str, str]] = [(f"less {log}", "safe") for log in logs if log.is_file()]
    program = daemon_program(bench) if component == "daemon" else None
    if program is not None:
        found.append((f"{program} -datadir={layout(bench).data} -conf={layout(bench).daemon_config}", "safe"))
    if kind in (FailureKind.PORT_FOREIGN, FailureKind.PORT_ORPHAN):
        found.append(("ss -ltnp", "safe"))
    if kind is FailureKind.NO_SPACE:
        found.append((f"df -h {bench.home}", "safe"))
    if kind is FailureKind.PERMISSION:
        found.append((f"ls -la {bench.environment.folder}", "safe"))
    return found


PACK = Pack(
    name="mining",
    folder=Path(__file__).parent,
    default_pipeline="intelligent-mining-infrastructure-setup",
    strategies=STRATEGIES,
    advise=advise,
    endpoints=endpoints,
    proof=proof,
    logs={
        "daemon": "daemon/{chain}/debug.log",
        "pool": "logs/pool.log",
        "miner": "logs/miner.log",
    },
)
