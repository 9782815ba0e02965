"""Faults of processes: a part was killed, stopped or frozen, starts slowly, or dies again after every repair."""

import asyncio
import os
import shutil
import signal
import sys
from contextlib import suppress

from shiftboss.errors import Refused
from shiftboss.model.failure import FailureKind
from shiftboss.model.fault import ENSURE, Fault, Moment
from shiftboss.model.observation import Health
from shiftboss.model.run import Ending
from shiftboss.packs.mining import miner, pool, wallet
from shiftboss.packs.mining.configs import stratum_endpoint
from shiftboss.packs.mining.faults.foreign import end_all, send, start_python, until
from shiftboss.packs.mining.faults.keeping import Note, folder_of, load, save
from shiftboss.packs.mining.faults.parts import ask, end, must_be_down, part, program, replace
from shiftboss.packs.mining.layout import DAEMON, MINER, POOL, age, layout, read_json
from shiftboss.system import proc
from shiftboss.system.instance import Instance, alive
from shiftboss.system.workbench import Workbench

_HERE = "shiftboss.packs.mining.faults.processes"
_END_ALL = "shiftboss.packs.mining.faults.foreign:end_all"

PROCESS_FAULTS = (
    Fault(
        name="daemon_killed",
        what="the daemon is killed with -9 just after it wrote its chain to disk",
        component="daemon",
        kinds=(FailureKind.DIED,),
        mended_by=("restart_one",),
        untouched=("pool", "miner"),
        inject=f"{_HERE}:kill_daemon",
        kills=("daemon",),
        cures=("restart_one",),
    ),
    Fault(
        name="daemon_stopped",
        what="somebody stops the daemon cleanly",
        component="daemon",
        kinds=(FailureKind.DIED,),
        mended_by=("restart_one", ENSURE),
        untouched=("pool", "miner"),
        inject=f"{_HERE}:stop_daemon",
        kills=("daemon",),
        cures=("restart_one", ENSURE),
    ),
    Fault(
        name="daemon_frozen",
        what="the daemon is stopped in its tracks (SIGSTOP)",
        component="daemon",
        kinds=(FailureKind.FROZEN,),
        mended_by=("thaw", "restart_one"),
        untouched=("pool", "miner"),
        inject=f"{_HERE}:freeze_daemon",
        clear=f"{_HERE}:thaw",
        cures=("thaw", "restart_one"),
    ),
    Fault(
        name="daemon_slow_warmup",
        what="the daemon was just started and takes seconds to warm up (-28)",
        component="daemon",
        moment=Moment.STOPPED,
        mended_by=(ENSURE,),
        untouched=("daemon",),
        inject=f"{_HERE}:slow_warmup",
        clear=f"{_HERE}:end_slowness",
        breaks=Health.STARTING,
        cures=("wait", ENSURE),
    ),
    Fault(
        name="height_back",
        what="the daemon is killed with -9 before it wrote its newest blocks to disk: after a start they are gone",
        component="daemon",
        kinds=(FailureKind.DATA_LOST, FailureKind.DIED),
        mended_by=("restart_one", "reindex"),
        untouched=("pool", "miner"),
        inject=f"{_HERE}:lose_height",
        kills=("daemon",),
        cures=("reindex", "reset_environment"),
    ),
    Fault(
        name="pool_killed",
        what="the pool is killed with -9",
        component="pool",
        kinds=(FailureKind.DIED,),
        mended_by=("restart_one",),
        untouched=("daemon", "miner"),
        inject=f"{_HERE}:kill_pool",
        kills=("pool",),
        cures=("restart_one",),
    ),
    Fault(
        name="pool_frozen",
        what="the pool is stopped in its tracks (SIGSTOP)",
        component="pool",
        kinds=(FailureKind.FROZEN,),
        mended_by=("thaw", "restart_one"),
        untouched=("daemon", "miner"),
        inject=f"{_HERE}:freeze_pool",
        clear=f"{_HERE}:thaw",
        cures=("thaw", "restart_one"),
    ),
    Fault(
        name="pool_template_stale",
        what="the daemon died under the pool, which goes on with a template that grows old",
        component="pool",
        kinds=(FailureKind.DISCONNECTED, FailureKind.DIED),
        mended_by=("wait", "restart_one"),
        untouched=("pool", "miner"),
        inject=f"{_HERE}:starve_pool",
        kills=("daemon",),
        cures=("wait", "restart_one", "restart_rest"),
    ),
    Fault(
        name="miner_killed",
        what="the miner is killed with -9",
        component="miner",
        kinds=(FailureKind.DIED,),
        mended_by=("restart_one",),
        untouched=("daemon", "pool"),
        inject=f"{_HERE}:kill_miner",
        kills=("miner",),
        cures=("restart_one",),
    ),
    Fault(
        name="miner_all_rejected",
        what="the miner runs, but every share of it is refused",
        component="miner",
        kinds=(FailureKind.REJECTED,),
        mended_by=("restart_one",),
        untouched=("daemon", "pool"),
        inject=f"{_HERE}:reject_all",
        clear=_END_ALL,
        cures=("restart_one",),
    ),
    Fault(
        name="pool_crash_loop",
        what="something kills the pool soon after every start",
        component="pool",
        kinds=(FailureKind.DIED,),
        mended_by=("restart_one", ENSURE),
        untouched=("daemon",),
        ending=Ending.ESCALATED,
        recurs=True,
        inject=f"{_HERE}:loop_pool",
        clear=_END_ALL,
        kills=("pool",),
        cures=("restart_one", ENSURE),
    ),
    Fault(
        name="daemon_crash_loop",
        what="something kills the daemon soon after every start",
        component="daemon",
        kinds=(FailureKind.DIED, FailureKind.DATA_LOST),
        mended_by=("restart_one", "reindex", "reset_environment", ENSURE),
        ending=Ending.ESCALATED,
        recurs=True,
        inject=f"{_HERE}:loop_daemon",
        clear=_END_ALL,
        kills=("daemon",),
        cures=("restart_one", "reset_environment", ENSURE),
    ),
)

FROZEN = "frozen.json"
LOST_BLOCKS = 6
SLOW_SECONDS = 3.0
PEERS, PIPE_BYTES = "peers.dat", 65_536
LOOP_SECONDS = 0.3
"""How long a part in a crash loop lives: about as long as it takes to look well."""

_FEED = """\
import os, stat, sys, time
pipe, kept, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
content = open(kept, "rb").read()
time.sleep(seconds)
end = time.monotonic() + 60
while time.monotonic() < end:
    try:
        if not stat.S_ISFIFO(os.stat(pipe).st_mode):
            break
        handle = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        os.set_blocking(handle, True)
        os.write(handle, content)
        os.close(handle)
    except OSError:
        pass
    time.sleep(0.05)
"""
"""Hands a file to whoever reads it from a pipe, but only after some seconds, as a very slow disk would."""

_KILLER = """\
import json, os, signal, sys, time
path, delay = sys.argv[1], float(sys.argv[2])
def started(pid):
    try:
        fields = open(f"/proc/{pid}/stat", "rb").read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in b"ZX" else int(fields[19])
seen, since = None, 0.0
while True:
    time.sleep(0.05)
    try:
        facts = json.load(open(path))
    except (OSError, ValueError):
        continue
    key = facts["pid"], facts["started"]
    if started(key[0]) != key[1]:
        continue
    if key != seen:
        seen, since = key, time.monotonic()
    if time.monotonic() - since >= delay:
        try:
            os.kill(key[0], signal.SIGKILL)
        except ProcessLookupError:
            pass
"""
"""Kills the process that a pid file names, some time after it first saw it, again and again."""


def kill_daemon(bench: Workbench, _note: Note) -> None:
    """Let the daemon write its chain to disk, then kill it."""
    ask(bench, "gettxoutsetinfo")
    end(bench, DAEMON, signal.SIGKILL)


def stop_daemon(bench: Workbench, _note: Note) -> None:
    """Ask the daemon to stop, as `bitcoin-cli stop` does."""
    instance = part(bench, DAEMON)
    ask(bench, "stop")
    until(lambda: not alive(instance), "the end of the daemon", 60.0)


def lose_height(bench: Workbench, _note: Note) -> None:
    """Make blocks, and kill the daemon before it wrote them to disk."""
    ask(bench, "generatetoaddress", LOST_BLOCKS, wallet.address(bench))
    end(bench, DAEMON, signal.SIGKILL)


def starve_pool(bench: Workbench, _note: Note) -> None:
    """Take the daemon away under the pool, and wait until the pool itself knows."""
    instance = part(bench, POOL)
    until(lambda: age(instance) > pool.FIRST_TEMPLATE_SECONDS, "the pool to be past its start")
    ask(bench, "gettxoutsetinfo")
    end(bench, DAEMON, signal.SIGKILL)
    until(lambda: not _pool_well(bench), "the pool to notice that its daemon is gone")


def _pool_well(bench: Workbench) -> bool:
    return bool(asyncio.run(pool.status(bench))["ok"])


def kill_pool(bench: Workbench, _note: Note) -> None:
    """Kill the pool."""
    end(bench, POOL, signal.SIGKILL)


def kill_miner(bench: Workbench, _note: Note) -> None:
    """Kill the miner."""
    end(bench, MINER, signal.SIGKILL)


def freeze_daemon(bench: Workbench, note: Note) -> None:
    """Freeze the daemon."""
    _freeze(bench, note, DAEMON)


def freeze_pool(bench: Workbench, note: Note) -> None:
    """Freeze the pool."""
    _freeze(bench, note, POOL)


def _freeze(bench: Workbench, note: Note, component: str) -> None:
    instance = part(bench, component)
    save(note, FROZEN, [vars(instance)])
    send(instance, signal.SIGSTOP)
    until(lambda: proc.state(instance.pid) == "T", f"the {component} to stand still")


def thaw(_bench: Workbench, note: Note) -> None:
    """Let a frozen part go on; idempotent."""
    for entry in load(note, FROZEN):
        send(Instance(**entry), signal.SIGCONT)


def slow_warmup(bench: Workbench, note: Note) -> None:
    """Start the daemon as shiftboss does, on a disk that takes seconds to hand out the list of its peers."""
    must_be_down(bench, DAEMON)
    places = layout(bench)
    peers = places.chain_data / PEERS
    if not peers.is_file() or peers.stat().st_size > PIPE_BYTES:
        raise Refused(f"There is no small {PEERS} in {places.chain_data}. Bring the stack up once and down again.")
    kept = folder_of(note) / PEERS
    shutil.copy2(peers, kept)
    peers.unlink()
    os.mkfifo(peers, 0o600)
    start_python(note, _FEED, peers, kept, SLOW_SECONDS, passing=True)
    argv = [program(bench), f"-datadir={places.data}", f"-conf={places.daemon_config}", "-printtoconsole=0"]
    replace(bench, DAEMON, [*argv, *bench.settings.daemon.args])


def end_slowness(bench: Workbench, note: Note) -> None:
    """Bring the file back; idempotent. A daemon that still waits for it is ended, for it has nothing to wait for."""
    end_all(bench, note)
    peers, kept = layout(bench).chain_data / PEERS, folder_of(note) / PEERS
    if peers.is_fifo():
        with suppress(Refused):
            end(bench, DAEMON, signal.SIGKILL)
        peers.unlink()
    if kept.is_file() and not peers.exists():
        kept.replace(peers)
    kept.unlink(missing_ok=True)


def reject_all(bench: Workbench, note: Note) -> None:
    """Put a miner in the place of ours whose shares are all refused."""
    host, port = stratum_endpoint(bench)
    status = layout(bench).miner_status
    part(bench, MINER)
    status.unlink(missing_ok=True)
    words = ["--stratum", f"{host}:{port}", "--status-file", str(status), "--token", str(note["token"])]
    replace(bench, MINER, [sys.executable, "-m", "shiftboss.packs.mining.faults.bad_miner", *words])
    until(lambda: int(read_json(status).get("rejected", 0)) > miner.REJECTS, "enough refused shares")


def loop_pool(bench: Workbench, note: Note) -> None:
    """Kill the pool soon after every start."""
    _loop(bench, note, POOL)


def loop_daemon(bench: Workbench, note: Note) -> None:
    """Kill the daemon soon after every start."""
    _loop(bench, note, DAEMON)


def _loop(bench: Workbench, note: Note, component: str) -> None:
    instance = part(bench, component)
    start_python(note, _KILLER, bench.environment.run_folder / f"{component}.pid", LOOP_SECONDS)
    until(lambda: not alive(instance), f"the first end of the {component}")
