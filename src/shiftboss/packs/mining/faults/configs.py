"""Faults of configurations and log-ins: edited by hand, wrong, or not what the other side expects.

The file is kept before it is changed; `clear` brings it back only while it is still as the fault left it.
"""

import asyncio
import json
from typing import Any

from shiftboss.model.failure import FailureKind
from shiftboss.model.fault import ENSURE, Fault
from shiftboss.packs.mining import pool, wallet
from shiftboss.packs.mining.binaries import own_program
from shiftboss.packs.mining.faults.foreign import free_port, until
from shiftboss.packs.mining.faults.keeping import Note, append, folder_of, overwrite
from shiftboss.packs.mining.faults.parts import part, replace
from shiftboss.packs.mining.layout import DAEMON, MINER, POOL, cookie_file, layout
from shiftboss.system import http
from shiftboss.system.workbench import Workbench

_HERE = "shiftboss.packs.mining.faults.configs"
_CLEAR = "shiftboss.packs.mining.faults.keeping:put_back"
_ALL = ("daemon", "pool", "miner")

CONFIG_FAULTS = (
    Fault(
        name="config_syntax",
        what="a line of bitcoin.conf has no equals sign",
        component="daemon.config",
        mended_by=(ENSURE,),
        untouched=_ALL,
        inject=f"{_HERE}:break_syntax",
        clear=_CLEAR,
        cures=(ENSURE,),
    ),
    Fault(
        name="config_unknown_key",
        what="bitcoin.conf has a key that no daemon knows (and that it would ignore in silence)",
        component="daemon.config",
        mended_by=(ENSURE,),
        untouched=_ALL,
        inject=f"{_HERE}:add_unknown_key",
        clear=_CLEAR,
        cures=(ENSURE,),
    ),
    Fault(
        name="config_edited",
        what="the pool's configuration was edited by hand",
        component="pool.config",
        mended_by=(ENSURE,),
        untouched=_ALL,
        inject=f"{_HERE}:edit_pool",
        clear=_CLEAR,
        cures=(ENSURE,),
    ),
    Fault(
        name="pool_credential",
        what="the pool runs with a log-in that the daemon refuses",
        component="pool",
        kinds=(FailureKind.CREDENTIAL,),
        mended_by=("rewrite_credentials", "restart_one"),
        untouched=("daemon", "miner"),
        inject=f"{_HERE}:wrong_login",
        cures=("rewrite_credentials", "restart_one"),
    ),
    Fault(
        name="cookie_replaced",
        what="the daemon's cookie file holds another text than the daemon expects",
        component="daemon",
        kinds=(FailureKind.CREDENTIAL,),
        mended_by=("restart_one",),
        untouched=("miner",),
        inject=f"{_HERE}:replace_cookie",
        clear=_CLEAR,
        cures=("restart_one",),
    ),
    Fault(
        name="miner_wrong_port",
        what="the miner's configuration names a port where no pool is, and the miner runs with it",
        component="miner.config",
        mended_by=(ENSURE,),
        untouched=("daemon", "pool"),
        inject=f"{_HERE}:misdirect_miner",
        clear=_CLEAR,
        cures=(ENSURE,),
    ),
)


def break_syntax(bench: Workbench, note: Note) -> None:
    """Add a line without an equals sign to bitcoin.conf."""
    part(bench, DAEMON)
    append(note, layout(bench).daemon_config, "rpcuser\n")


def add_unknown_key(bench: Workbench, note: Note) -> None:
    """Add a key to bitcoin.conf that no daemon knows."""
    part(bench, DAEMON)
    append(note, layout(bench).daemon_config, "minerfriendly=1\n")


def edit_pool(bench: Workbench, note: Note) -> None:
    """Change the share difficulty in the pool's configuration."""
    part(bench, POOL)
    _change(note, bench, "pool", {"share_difficulty": 0.5})


def wrong_login(bench: Workbench, note: Note) -> None:
    """Run the pool with a cookie file of another daemon; what lies on disk is right."""
    part(bench, POOL)
    place = folder_of(note)
    (place / "cookie").write_text("__cookie__:0000000000000000")
    config: dict[str, Any] = json.loads(layout(bench).pool_config.read_text())
    config["rpc"]["cookie_file"] = str(place / "cookie")
    (place / "pool.json").write_text(json.dumps(config))
    replace(
        bench, POOL, [*own_program("pool"), "--config", str(place / "pool.json"), "--address", wallet.address(bench)]
    )
    until(lambda: _pool_answers(bench), "the pool to say that it is refused")


def replace_cookie(bench: Workbench, note: Note) -> None:
    """Write another text into the daemon's cookie file."""
    part(bench, DAEMON)
    overwrite(note, cookie_file(bench), b"__cookie__:ffffffffffffffff")


def misdirect_miner(bench: Workbench, note: Note) -> None:
    """Point the miner at a port where nobody is, and start it anew with that."""
    part(bench, MINER)
    _change(note, bench, "miner", {"stratum": {"host": "127.0.0.1", "port": free_port(*bench.ports.values())}})
    replace(bench, MINER, [*own_program("miner"), "--config", str(layout(bench).miner_config)])


def _change(note: Note, bench: Workbench, name: str, values: dict[str, Any]) -> None:
    path = layout(bench).pool_config if name == "pool" else layout(bench).miner_config
    config: dict[str, Any] = json.loads(path.read_text())
    overwrite(note, path, json.dumps({**config, **values}, indent=1).encode())


def _pool_answers(bench: Workbench) -> bool:
    try:
        told = asyncio.run(pool.status(bench))
    except (http.HttpError, ValueError):
        return False
    return not told["ok"]
