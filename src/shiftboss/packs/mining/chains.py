"""What differs from chain to chain: folders, configuration, who can make blocks, and whose blocks are nowhere else.

Everybody in this pack who would otherwise ask "is this regtest?" asks here. Pure.
"""

from shiftboss.model.value import Value
from shiftboss.system.workbench import Workbench

OP_TRUE = "51"
"""The signet challenge that anybody meets: a block needs no solution then (BIP325)."""


class Chain(Value):
    """One chain as the daemon knows it."""

    name: str
    folder: str  #: inside of the daemon's data folder; empty: that folder itself
    generates: bool = False  #: blocks cost nothing and are made at will
    seeds: bool = True  #: the daemon would look for peers by itself
    wallet: bool = True  #: a wallet may be kept there


_ALL = (
    Chain(name="regtest", folder="regtest", generates=True, seeds=False),
    Chain(name="testnet4", folder="testnet4"),
    Chain(name="signet", folder="signet"),
    Chain(name="main", folder="", wallet=False),
)
CHAINS = {one.name: one for one in _ALL}


def chain_of(bench: Workbench) -> Chain:
    """The chain of an environment."""
    return CHAINS[bench.environment.chain]


def everybody_mines(bench: Workbench) -> bool:
    """Whether our own miner makes the blocks: there is no work to speak of, and no signature that we lack.

    Those blocks are nowhere but here: no peer could give them back.
    """
    open_signet = bench.environment.chain == "signet" and bench.settings.daemon.signet_challenge == OP_TRUE
    return chain_of(bench).generates or open_signet


def own_lines(bench: Workbench) -> tuple[str, ...]:
    """What bitcoin.conf says on this chain only: no peers are looked for where there are any, and no keys on main."""
    chain = chain_of(bench)
    return (
        *(("connect=0",) if chain.seeds else ()),
        *((f"signetchallenge={bench.settings.daemon.signet_challenge}",) if chain.name == "signet" else ()),
        *(() if chain.wallet else ("disablewallet=1",)),
    )
