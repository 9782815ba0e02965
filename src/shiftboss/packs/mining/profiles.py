"""The kinds of mining environments: on which chain, and which parts "ready" is about there."""

from collections.abc import Collection

from shiftboss.model.profile import Profile
from shiftboss.packs.mining.chains import everybody_mines
from shiftboss.system.workbench import Workbench

OPTIONAL = {"peer.config": "daemon.peer", "peer": "daemon.peer"}
"""Components that belong to every environment whose settings ask for them -> the setting."""

_NODE = ("daemon.binary", "daemon.config", "daemon", *OPTIONAL)
_POOL = (*_NODE, "wallet", "pool.binary", "pool.config", "pool")

_ALL = (
    Profile(
        name="regtest",
        chain="regtest",
        what="blocks at will: daemon, wallet with coins, pool, miner, and a block followed from job to wallet",
    ),
    Profile(
        name="testnet4",
        chain="testnet4",
        what="real templates at difficulty 1, offline: daemon, wallet, and a pool that serves jobs",
        parts=_POOL,
    ),
    Profile(
        name="signet",
        chain="signet",
        what="a private signet, offline: as testnet4, and with blocks where its challenge lets everybody make them",
        # A block takes about 5 million hashes. With ten minutes from one to the next its difficulty stays what it is.
        settings={"pool.share_difficulty": "0.0001", "miner.block_interval": "600"},
    ),
    Profile(
        name="main",
        chain="main",
        what="the main chain, offline: the daemon only; nothing destructive is ever done there",
        parts=_NODE,
    ),
)
PROFILES = {one.name: one for one in _ALL}


def parts(bench: Workbench) -> Collection[str] | None:
    """The components wanted in an environment; None: all."""
    if bench.environment.chain == "signet" and not everybody_mines(bench):
        return _POOL
    return PROFILES[bench.environment.profile].parts or None
