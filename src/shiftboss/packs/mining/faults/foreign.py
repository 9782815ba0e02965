"""Real processes that stand in for other people's, and for left-overs of ours: started detached, ended for certain.

Used by the faults that need somebody else on a port, a lock or the neck of a part. A foreign process carries none of
our marks and an empty environment; its command line holds the fault's token, by which it is found again even if whoever
started it died before writing down its pid. Only such processes are ever ended here, by pid and start time.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from shiftboss.errors import Refused
from shiftboss.packs.mining.faults.keeping import Note, folder_of, load, save
from shiftboss.system import net, proc
from shiftboss.system.files import free_bytes
from shiftboss.system.instance import Instance, Marks, alive, instance_of
from shiftboss.system.workbench import Workbench

HELD = "held.json"
READY_SECONDS, END_SECONDS, KILL_SECONDS = 20.0, 20.0, 5.0

_LAUNCH = """\
import json, os, subprocess, sys
os.setsid()
order = json.loads(sys.argv[1])
quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
child = subprocess.Popen(order["argv"], env=order["env"], cwd=order["cwd"], **quiet)
print(child.pid)
child.returncode = 0
"""
"""Starts a program in a session that it does not lead and ends at once, so that the program is nobody's child."""

_LISTEN = """\
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    time.sleep(3600)
"""


def start(
    note: Note, argv: Sequence[str], marks: Mapping[str, str] | None = None, *, passing: bool = False
) -> Instance:
    """Start a program detached; its command line must hold the note's token.

    `marks` make it a left-over of ours, `passing` says that it ends by itself.
    """
    plain = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    order = json.dumps({"argv": list(argv), "env": {**plain, **(marks or {})}, "cwd": str(folder_of(note))})
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", _LAUNCH, order], env=plain, capture_output=True, text=True, check=True
    )
    instance = instance_of(int(done.stdout))
    if instance is None:
        raise Refused(f"{argv[0]} ended as soon as it was started, so this fault can't be put in here.")
    save(note, HELD, [*load(note, HELD), {**vars(instance), "passing": passing}])
    return instance


def start_python(
    note: Note, code: str, *words: object, marks: Mapping[str, str] | None = None, passing: bool = False
) -> Instance:
    """Start a small Python program detached, with the token as its last argument."""
    argv = [sys.executable, "-S", "-E", "-c", code, *map(str, words), str(note["token"])]
    return start(note, argv, marks, passing=passing)


def listen(note: Note, port: int, marks: Mapping[str, str] | None = None) -> Instance:
    """Start a process that listens on a port and says nothing; returns when it does."""
    if net.holder(port) is not None:
        raise Refused(f"Port {port} is held already, so nobody can be put on it.")
    instance = start_python(note, _LISTEN, port, marks=marks)
    until(lambda: net.holder(port) is not None, f"a process to listen on port {port}")
    return instance


def marks_for(bench: Workbench, component: str) -> dict[str, str]:
    """The marks of a left-over of ours from a run that nobody knows any more."""
    marks = Marks(
        home=str(bench.home.resolve()),
        environment=bench.environment.name,
        component=component,
        run="20200101-000000-dead",
        delegation="20200101-000000-dead/1",
    )
    return marks.variables()


def held(note: Note) -> list[Instance]:
    """The processes of this fault that were ever started, living or not."""
    known = [Instance(pid=one["pid"], started=one["started"], boot=one["boot"]) for one in load(note, HELD)]
    return list(dict.fromkeys([*known, *_with_token(str(note["token"]))]))


def end_all(_bench: Workbench, note: Note) -> None:
    """End every process of this fault that still runs; idempotent."""
    found = [one for one in held(note) if alive(one)]
    for number, seconds in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        for one in found:
            send(one, number)
            send(one, signal.SIGCONT)
        if wait(lambda: not any(alive(one) for one in found), seconds):
            return
    raise Refused(f"A process of the fault {note['name']} did not end: {[one.pid for one in found if alive(one)]}.")


def send(instance: Instance, number: signal.Signals) -> None:
    """Signal exactly this process, if it is still there."""
    if alive(instance):
        os.kill(instance.pid, number)


def wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether a condition became true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def until(condition: Callable[[], bool], what: str, seconds: float = READY_SECONDS) -> None:
    """Wait for a condition.

    Raises:
        Refused: it did not come true in time.
    """
    if not wait(condition, seconds):
        raise Refused(f"The fault can't be put in here: waited {seconds:g} s for {what} in vain.")


def daemon_beside(note: Note, program: Path, data: Path, port: int, marks: Mapping[str, str] | None = None) -> Instance:
    """Start another bitcoind on a data folder and an RPC port; its own files lie in the note's folder."""
    place = folder_of(note)
    if free_bytes(place) < 100_000_000:
        raise Refused("A second daemon needs 100 MB of free space.")
    config = place / "other.conf"
    config.write_text("")
    argv = [
        str(program),
        f"-datadir={data}",
        f"-conf={config}",
        "-chain=regtest",
        "-listen=0",
        "-dnsseed=0",
        "-allowignoredconf=1",
    ]
    argv += [f"-rpcport={port}", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1", "-printtoconsole=0", "-disablewallet"]
    argv += [f"-rpccookiefile={place / 'other.cookie'}", f"-pid={place / 'other.pid'}"]
    argv += [f"-debuglogfile={place / 'other.log'}", f"-uacomment={note['token']}"]
    instance = start(note, argv, marks)
    until(lambda: _listens(port, instance), f"another daemon to answer on port {port}")
    return instance


def _listens(port: int, instance: Instance) -> bool:
    found = net.holder(port)
    return found is not None and found.pid == instance.pid


def _with_token(token: str) -> Iterable[Instance]:
    for pid in proc.pids():
        if pid != os.getpid() and token in proc.command(pid).split("=")[-1].split(" "):
            instance = instance_of(pid)
            if instance is not None:
                yield instance


def free_port(*avoid: int) -> int:
    """A port that nobody uses now."""
    return net.free_port(20_000 + os.getpid() % 20_000, avoid=avoid)
