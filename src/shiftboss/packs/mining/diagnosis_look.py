"""Gathers the evidence for a diagnosis: who holds what, what is denied, what was said. Looks only, changes nothing."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Observation
from shiftboss.packs.mining.binaries import daemon_program
from shiftboss.packs.mining.diagnosis import Finding, Holder, Scene
from shiftboss.packs.mining.diagnosis_start import log_since, note_of, output_since
from shiftboss.packs.mining.layout import DAEMON, broken, daemon_ports, died, layout, log_file
from shiftboss.packs.mining.logs import complaints_in
from shiftboss.system import net, proc
from shiftboss.system.filelock import lock_holder
from shiftboss.system.files import free_bytes
from shiftboss.system.instance import alive, marks_of
from shiftboss.system.listeners import listeners
from shiftboss.system.workbench import Workbench

MB = 1_000_000
NEEDED_MB = 60.0
"""Bitcoin Knots and Core end when less than 50 MiB (52.4 MB) are free; measured with Knots 29."""
NEW_CHAIN_MB = 25.0
"""What a new regtest chain with its wallet takes (18 MB measured)."""
ENDING_SECONDS = 5.0


def free_mb(bench: Workbench) -> float:
    """The least free space where the environment and the daemon's data are, in MB."""
    return min(free_bytes(path) for path in (bench.environment.folder, layout(bench).data)) / MB


def vitals(pid: int) -> dict[str, float]:
    """What a process of ours takes: memory in MB, and its open files as a share of its limit."""
    found: dict[str, float] = {}
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        found["rss_mb"] = round(pages * os.sysconf("SC_PAGE_SIZE") / MB, 1)
        limit = next(line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if "open files" in line)
        soft = limit.split()[3]
        if soft.isdigit():
            found["fds"] = round(sum(1 for _ in os.scandir(f"/proc/{pid}/fd")) / max(1, int(soft)), 4)
    except (OSError, ValueError, IndexError, StopIteration):
        pass  # it has just ended, or is not ours to read
    return found


def is_ours(bench: Workbench, pid: int | None) -> bool:
    """Whether a process carries the marks of this environment of this working directory."""
    marks = marks_of(pid) if pid else None
    return marks is not None and (marks.home, marks.environment) == (str(bench.home.resolve()), bench.environment.name)


def port_holder(bench: Workbench, port: int, apart: int | None = None) -> Holder | None:
    """Who listens on a port, unless it is the process `apart`."""
    found = net.holder(port)
    if found is None or (apart is not None and found.pid == apart):
        return None
    return Holder(pid=found.pid, name=_name(found.command), ours=is_ours(bench, found.pid))


def held_port(bench: Workbench) -> tuple[str, int, Holder | None]:
    """The first of the ports that our daemon needs and somebody has; else that of its RPC, held by nobody."""
    for name in daemon_ports(bench):
        holder = port_holder(bench, bench.ports[name])
        if holder:
            return name, bench.ports[name], holder
    return "rpc", bench.ports["rpc"], None


def listens(pid: int, port: int) -> bool:
    """Whether a process itself listens on a port; far cheaper than asking who does."""
    inodes = {one.inode for one in listeners() if one.port == port}
    return bool(inodes and inodes & proc.open_sockets(pid))


def folder_holder(bench: Workbench) -> Holder | None:
    """The living process that holds the lock of the daemon's data folder; a file left over holds nothing."""
    pid = lock_holder(layout(bench).chain_data / ".lock")
    return None if pid is None else Holder(pid=pid, name=_name(proc.command(pid)), ours=is_ours(bench, pid))


def in_between(bench: Workbench, component: str) -> bool:
    """Whether our last process is neither there nor gone: being loaded, or killed with threads that hold on a moment.

    Then its environment can't be read, its ports and locks are held by nobody to be seen, and a look proves nothing.
    """
    last = bench.processes.recorded(component)
    if last is not None and last.boot == proc.boot_id() and proc.start_ticks(last.pid) == last.started:
        marks = marks_of(last.pid)
        if alive(last) and (marks is None or is_ours(bench, last.pid)):
            return True
        if not alive(last) and _threads(last.pid) > 1:
            return True
    pid = lock_holder(layout(bench).chain_data / ".lock") if component == DAEMON else None
    return pid is not None and not proc.is_running(pid)


async def until_ended(bench: Workbench, component: str) -> None:
    """Wait until a process that was killed or stopped has let go of everything, a few seconds at most."""
    end = bench.clock.monotonic() + ENDING_SECONDS
    while in_between(bench, component) and bench.clock.monotonic() < end:
        if bench.processes.find(component):
            return  # it was only being loaded
        await bench.clock.sleep(0.01)


def _threads(pid: int) -> int:
    try:
        return sum(1 for _ in os.scandir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def _name(command: str) -> str:
    return command.partition(" ")[0].rpartition("/")[2] or "not visible"


def denied(paths: Iterable[Path]) -> str:
    """The first of our folders and files that we may not write, in a sentence; empty when there is none."""
    for path in paths:
        if not path.exists():
            continue
        if path.suffix != ".log" and not path.is_dir():
            return f"{path} is in the way: it is not a folder"
        if not os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0)):
            return f"{path} may not be written by this user"
    return ""


def scene(bench: Workbench, *, changed: bool = False) -> Scene:
    """All that can be seen of a daemon that does not run."""
    places = layout(bench)
    last = died(bench, DAEMON)
    has_chain = (places.chain_data / "blocks").is_dir()
    folders = [places.folder, places.data, places.chain_data]
    folders += [places.chain_data / name for name in ("debug.log", "blocks", "chainstate", "wallets")]
    name, number, holder = held_port(bench)
    now = Scene(
        free_mb=free_mb(bench),
        needed_mb=NEEDED_MB + (0.0 if has_chain else NEW_CHAIN_MB),
        denied=denied(folders),
        lock=folder_holder(bench),
        port=holder,
        port_name=name,
        number=number,
        data_there=has_chain,
        ended=last is not None,
    )
    return now if last is None else _with_words(bench, now, changed=changed)


def _with_words(bench: Workbench, now: Scene, *, changed: bool) -> Scene:
    """The same, with what the process that ended had said."""
    from shiftboss.packs.mining.diagnosis_words import blame, unbound_port

    output, log = output_since(bench, DAEMON), log_since(bench, DAEMON)
    said = blame(output, log)
    wallet = Path(str(said.evidence.get("wallet_path") or "")) if said else Path()
    file = wallet / "wallet.dat" if wallet.is_dir() else wallet
    other = unbound_port(output)
    return now.but(
        output=output,
        log=log,
        # A later start in its log is not ours: somebody has tried by hand, so these words are not the last any more.
        changed=changed or log.count(" version v") > 1,
        touched=_touched(bench, file),
        wallet_there=file.is_file() or not wallet.name,
        bound=port_holder(bench, other) if other else None,
        bound_number=other or 0,
        evidence=ending(bench, DAEMON),
    )


def _touched(bench: Workbench, wallet: Path) -> set[FailureKind]:
    """The kinds of damage whose files were changed after the daemon had said its last words."""
    places, end = layout(bench), _changed_at(log_file(bench, DAEMON)) + 1.0
    data = [places.chain_data / name for name in ("blocks", "blocks/index", "chainstate")]
    files = {
        FailureKind.MISSING_BINARY: _program_folders(bench),
        FailureKind.CONFIG: [places.daemon_config, places.chain_data / "settings.json"],
        FailureKind.WALLET_DAMAGED: [wallet, wallet.parent] if wallet.name else [],
        FailureKind.DATA_DAMAGED: [one for folder in data for one in (folder, *folder.glob("*"))],
    }
    return {kind for kind, paths in files.items() if any(_changed_at(path) > end for path in paths)}


def _program_folders(bench: Workbench) -> list[Path]:
    """The daemon's program, and where the private one has its libraries."""
    program = daemon_program(bench)
    return [] if program is None else [program, *program.parent.parent.glob("root/usr/lib/*-linux-gnu")]


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def ending(bench: Workbench, component: str) -> dict[str, Any]:
    """Evidence of a process of ours that is gone: which it was, how it ended, what it said."""
    last = died(bench, component)
    said = complaints_in(output_since(bench, component), 3)
    if component == DAEMON:
        said += complaints_in(log_since(bench, component), 3)
    evidence: dict[str, Any] = {"pid": last.pid if last else None, "log": said}
    code = bench.processes.exit_code(component)
    if code is not None:
        evidence["exit_code" if code >= 0 else "signal"] = abs(code)
    if note_of(bench, component).get("once"):
        evidence["started_with"] = note_of(bench, component)["once"]
    return evidence


def bad(bench: Workbench, component: str, found: Finding, summary: str = "", **more: Any) -> Observation:
    """A finding as the observation of a broken component; `more` are further fields of it."""
    evidence = {**more.pop("evidence", {}), **found.evidence}
    return broken(bench, component, found.kind, summary or found.message, evidence=evidence, **more)
