"""Faults of ports: somebody else, or a left-over of ours, listens where a part of the stack wants to.

What listens is a real process of its own. The part that used the port is ended cleanly first, so that the port is the
only trouble.
"""

from pathlib import Path

from shiftboss.model.failure import FailureKind
from shiftboss.model.fault import ENSURE, Fault
from shiftboss.model.observation import Health
from shiftboss.packs.mining.faults.foreign import daemon_beside, listen, marks_for
from shiftboss.packs.mining.faults.keeping import Note, folder_of
from shiftboss.packs.mining.faults.parts import end, part, program
from shiftboss.packs.mining.layout import DAEMON, POOL
from shiftboss.system.workbench import Workbench

_HERE = "shiftboss.packs.mining.faults.ports"
_CLEAR = "shiftboss.packs.mining.faults.foreign:end_all"

PORT_FAULTS = (
    Fault(
        name="stratum_port_foreign",
        what="the pool is gone and a foreign process listens on its Stratum port",
        component="pool",
        kinds=(FailureKind.PORT_FOREIGN, FailureKind.DIED),
        mended_by=("relocate_port", "restart_one", ENSURE),
        untouched=("daemon",),
        inject=f"{_HERE}:stratum_foreign",
        clear=_CLEAR,
        kills=("pool",),
        cures=("relocate_port", "stop_holder"),
    ),
    Fault(
        name="stratum_port_orphan",
        what="the pool is gone and a left-over process of ours listens on its Stratum port",
        component="pool",
        kinds=(FailureKind.PORT_ORPHAN, FailureKind.DIED),
        mended_by=("stop_orphan", "restart_one", ENSURE),
        untouched=("daemon", "miner"),
        inject=f"{_HERE}:stratum_orphan",
        clear=_CLEAR,
        kills=("pool",),
        cures=("stop_orphan",),
    ),
    Fault(
        name="rpc_port_foreign",
        what="the daemon was stopped and a foreign process listens on its RPC port",
        component="daemon",
        kinds=(FailureKind.PORT_FOREIGN, FailureKind.DIED),
        mended_by=("relocate_rpc_port", "restart_one", ENSURE),
        inject=f"{_HERE}:rpc_foreign",
        clear=_CLEAR,
        kills=("daemon",),
        cures=("relocate_rpc_port", "stop_holder"),
    ),
    Fault(
        name="rpc_port_orphan",
        what="the daemon was stopped and a left-over process of ours listens on its RPC port",
        component="daemon",
        kinds=(FailureKind.PORT_ORPHAN, FailureKind.DIED),
        mended_by=("stop_orphan", "restart_one", ENSURE),
        untouched=("pool", "miner"),
        inject=f"{_HERE}:rpc_orphan",
        clear=_CLEAR,
        kills=("daemon",),
        cures=("stop_orphan",),
    ),
    Fault(
        name="rpc_port_other_daemon",
        what="the daemon was stopped and another, foreign daemon answers on its RPC port",
        component="daemon",
        kinds=(FailureKind.PORT_FOREIGN, FailureKind.DIED),
        mended_by=("relocate_rpc_port", "restart_one", ENSURE),
        inject=f"{_HERE}:rpc_other_daemon",
        clear=_CLEAR,
        kills=("daemon",),
        cures=("relocate_rpc_port", "stop_holder"),
    ),
    Fault(
        name="p2p_port_foreign",
        what="a foreign process listens on the P2P port, which our daemon does not use (listen=0)",
        component="daemon",
        untouched=("daemon", "pool", "miner"),
        control=True,
        breaks=Health.READY,
        inject=f"{_HERE}:p2p_foreign",
        clear=_CLEAR,
    ),
    Fault(
        name="p2p_port_orphan",
        what="a left-over process of ours listens on the P2P port, which our daemon does not use (listen=0)",
        component="daemon",
        untouched=("daemon", "pool", "miner"),
        control=True,
        breaks=Health.READY,
        inject=f"{_HERE}:p2p_orphan",
        clear=_CLEAR,
    ),
)


def stratum_foreign(bench: Workbench, note: Note) -> None:
    """End the pool and put a foreign process on its Stratum port."""
    end(bench, POOL)
    listen(note, bench.ports["stratum"])


def stratum_orphan(bench: Workbench, note: Note) -> None:
    """End the pool and put a left-over of ours on its Stratum port."""
    end(bench, POOL)
    listen(note, bench.ports["stratum"], marks_for(bench, POOL))


def rpc_foreign(bench: Workbench, note: Note) -> None:
    """Stop the daemon and put a foreign process on its RPC port."""
    end(bench, DAEMON)
    listen(note, bench.ports["rpc"])


def rpc_orphan(bench: Workbench, note: Note) -> None:
    """Stop the daemon and put a left-over of ours on its RPC port."""
    end(bench, DAEMON)
    listen(note, bench.ports["rpc"], marks_for(bench, DAEMON))


def rpc_other_daemon(bench: Workbench, note: Note) -> None:
    """Stop the daemon and start another one, with data of its own, on its RPC port."""
    other = program(bench)
    end(bench, DAEMON)
    data = folder_of(note) / "other"
    data.mkdir()
    daemon_beside(note, Path(other), data, bench.ports["rpc"])


def p2p_foreign(bench: Workbench, note: Note) -> None:
    """Put a foreign process on the P2P port."""
    part(bench, DAEMON)
    listen(note, bench.ports["p2p"])


def p2p_orphan(bench: Workbench, note: Note) -> None:
    """Put a left-over of ours on the P2P port."""
    part(bench, DAEMON)
    listen(note, bench.ports["p2p"], marks_for(bench, DAEMON))
