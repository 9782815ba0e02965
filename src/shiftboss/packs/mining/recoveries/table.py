"""The strategies of the mining stack as data: what each treats, how far it reaches, how it is taken back.

Read by the hub (through the pack), the simulator and the papers. An empty `undo` means that it can't be taken back;
the comment beside it says why that leaves nothing worse. What they do stands in the other modules of this folder.
"""

from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Risk
from shiftboss.model.recovery import Strategy
from shiftboss.packs.mining.layout import DAEMON, MINER, PEER, POOL, WALLET

_FILES_BACK = "our former ports and configurations are written back; their owners restart what used the new ones"

STRATEGIES = (
    Strategy(
        name="wait",
        rung="wait",
        treats={FailureKind.DISCONNECTED},
        components={POOL, MINER},
        uses=1,
        estimate=1.0,
        undo="",  # it changes nothing
        what="give it a few seconds to find its way back by itself",
    ),
    Strategy(
        name="thaw",
        rung="reload",
        treats={FailureKind.FROZEN},
        components={DAEMON, POOL, MINER, PEER},
        uses=1,
        estimate=1.0,
        undo="",  # nobody wants a process of ours stopped again
        what="let our own process go on that somebody stopped (SIGCONT)",
    ),
    Strategy(
        name="stop_orphan",
        rung="reload",
        treats={FailureKind.PORT_ORPHAN},
        components={DAEMON, POOL, PEER},
        uses=1,
        undo="",  # a process can't be un-ended; it was a left-over that nothing uses
        what="stop the left-over process of ours that holds the port or the data folder",
    ),
    Strategy(
        name="load_wallet",
        rung="reload",
        treats={FailureKind.WALLET_NOT_LOADED},
        components={WALLET},
        undo="",  # a loaded wallet is what is wanted, and its file is only read
        what="load the wallet again",
    ),
    Strategy(
        name="reinstall",
        rung="reconfigure",
        treats={FailureKind.MISSING_BINARY},
        components={DAEMON, "daemon.binary"},
        touches=("daemon.binary",),
        uses=1,
        estimate=10.0,
        undo="the new private folder is moved aside and the former one is put back",
        what="move our private copy of the program aside, install it again and test it",
    ),
    Strategy(
        name="rewrite_credentials",
        rung="reconfigure",
        treats={FailureKind.CREDENTIAL},
        components={POOL},
        touches=("pool.config",),
        risk=Risk.DISRUPTIVE,
        undo="the former configuration is written back; the pool's owner restarts it",
        what="write the pool's configuration again and restart the pool",
    ),
    Strategy(
        name="relocate_port",
        rung="relocate_port",
        treats={FailureKind.PORT_FOREIGN},
        components={POOL, PEER},
        touches=("pool.config", "miner.config", "peer.config"),
        undo=_FILES_BACK,
        what="leave its holder alone and move our port; configurations follow",
    ),
    Strategy(
        name="relocate_rpc_port",
        rung="relocate_port",
        treats={FailureKind.PORT_FOREIGN},
        components={DAEMON},
        touches=("daemon.config", "pool.config", "peer.config"),
        undo=_FILES_BACK,
        what="leave its holder alone and move the daemon's; configurations follow",
    ),
    Strategy(
        name="restart_one",
        rung="restart_one",
        treats={
            FailureKind.DIED,
            FailureKind.FROZEN,
            FailureKind.DISCONNECTED,
            FailureKind.CREDENTIAL,
            FailureKind.TIMEOUT,
            FailureKind.REJECTED,
            FailureKind.LEAK,
        },
        components={DAEMON, POOL, MINER, PEER},
        risk=Risk.DISRUPTIVE,
        uses=5,
        undo="",  # a process can't be un-ended; it was not doing its job, and its data is as it left it
        what="start it again, and nothing else",
    ),
    Strategy(
        name="restart_rest",
        rung="restart_rest",
        treats={FailureKind.REJECTED, FailureKind.DISCONNECTED, FailureKind.TIMEOUT},
        components={POOL},
        touches=(MINER,),
        risk=Risk.DISRUPTIVE,
        uses=1,
        estimate=3.0,
        undo="",  # as with restart_one
        what="start it again, and what depends on it",
    ),
    Strategy(
        name="stop_holder",
        rung="restart_rest",
        treats={FailureKind.PORT_FOREIGN, FailureKind.LOCKED},
        components={DAEMON, POOL},
        risk=Risk.FOREIGN,
        uses=1,
        estimate=5.0,
        undo="",  # a process that is not ours can't be started again by us: that is why it always asks
        what="end the process that is not ours and holds our port or data folder",
    ),
    Strategy(
        name="reindex",
        rung="repair_data",
        treats={FailureKind.DATA_DAMAGED, FailureKind.DATA_LOST},
        components={DAEMON},
        risk=Risk.DESTRUCTIVE,  # a chain too large to be copied is made anew in place
        uses=1,
        estimate=10.0,
        undo="what the repair left is moved aside and the copy of the chain's folder made before it is put back",
        what="copy the chain's folder, let the daemon repair it, and compare the heights",
    ),
    Strategy(
        name="restore_wallet",
        rung="restore",
        treats={FailureKind.WALLET_MISSING, FailureKind.WALLET_DAMAGED},
        components={DAEMON, WALLET},
        risk=Risk.DISRUPTIVE,
        uses=1,
        estimate=5.0,
        undo="the restored wallet is moved aside and what was left of the former one is put back",
        what="move what is left of the wallet aside and restore it from our own backup",
    ),
    Strategy(
        name="free_space",
        rung="free_space",
        treats={FailureKind.NO_SPACE},
        uses=1,
        undo="",  # only rotated logs, and packages that can be fetched again
        what="delete rotated logs of this working directory and packages in our own download cache",
    ),
    Strategy(
        name="reset_environment",
        rung="reset_environment",
        treats={
            FailureKind.DATA_DAMAGED,
            FailureKind.DATA_LOST,
            FailureKind.WALLET_MISSING,
            FailureKind.WALLET_DAMAGED,
        },
        components={DAEMON, WALLET},
        touches=(MINER, POOL, DAEMON, WALLET),
        risk=Risk.DESTRUCTIVE,
        uses=1,
        most=2,
        estimate=15.0,
        undo="the snapshot that was moved aside is put back, what came after it is moved aside",
        what="stop miner, pool and daemon and move chain, wallet note and proof aside: the environment starts afresh",
    ),
)
"""In the order of the ladder."""

BY_NAME = {strategy.name: strategy for strategy in STRATEGIES}
