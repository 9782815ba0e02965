"""A stack driven through the command line, as a user would, and looked at past it: processes, RPC, journal."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from helpers import eventually, free_ports
from shiftboss.store.database import Database
from shiftboss.store.journal import Journal
from shiftboss.system import proc
from shiftboss.system.rpc import Rpc

SHIFTBOSS = [sys.executable, "-m", "shiftboss.frontends.cli"]


class Stack:
    """A working directory with ports of its own."""

    def __init__(self, home: Path, bitcoind: Path | None, **settings):
        self.home = home
        self.ports = dict(zip(("rpc", "stratum", "pool_status", "p2p"), free_ports(4), strict=True))
        self.settings = {f"ports.{name}": port for name, port in self.ports.items()}
        if bitcoind:
            self.settings["daemon.binary"] = bitcoind
        self.settings.update(settings)

    @property
    def folder(self) -> Path:
        return self.home / "env" / "regtest"

    def command(self, *words, **settings):
        sets = [f"--set={key}={value}" for key, value in {**self.settings, **settings}.items()]
        return [*SHIFTBOSS, *words, "--workdir", str(self.home), *sets]

    def run(self, *words, code=0, timeout=150, **settings):
        """Run a verb with --json; its document. Fails if the exit code is another than `code`."""
        done = subprocess.run(
            self.command(*words, "--json", **settings),
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return json.loads(done.stdout)

    def up(self, *words, **more):
        return self.run("up", "mining", *words, **more)

    def start(self, *words, **settings):
        """Start a verb in the background; what it prints goes to `self.printed`."""
        self.printed = self.home.parent / "printed.txt"
        with self.printed.open("wb") as out:
            return subprocess.Popen(
                self.command(*words, **settings), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )

    def pid(self, component):
        return json.loads((self.folder / "run" / f"{component}.pid").read_text())["pid"]

    def kill(self, component, number=signal.SIGKILL):
        """Signal a part, and wait until it is gone if that ends it."""
        pid = self.pid(component)
        os.kill(pid, number)
        if number == signal.SIGKILL:
            eventually(lambda: not proc.is_running(pid), what=f"the end of {component}")
        return pid

    def rpc(self, method, *params, wallet=None):
        ports = self.moved()
        client = Rpc(f"http://127.0.0.1:{ports['rpc']}", self.folder / "daemon" / "regtest" / ".cookie", wallet=wallet)
        return asyncio.run(client.call(method, *params))

    def moved(self):
        """The ports in force."""
        ports = dict(self.ports)
        try:
            moved = json.loads((self.folder / "ports.json").read_text())
        except FileNotFoundError:
            return ports
        return {**ports, **{name: entry["port"] for name, entry in moved.items()}}

    def height(self):
        return self.rpc("getblockcount")

    def processes(self):
        """Pids of all living processes that carry this working directory's mark."""
        home = str(self.home.resolve())
        marked = ((pid, proc.environ(pid, having="SHIFTBOSS_HOME")) for pid in proc.pids())
        found = [pid for pid, values in marked if values and values["SHIFTBOSS_HOME"] == home]
        return [pid for pid in found if proc.is_running(pid) and pid != os.getpid()]

    def events(self, run=None):
        """The journal of a run (the newest), as the events it holds."""
        database = Database(self.home / "state.sqlite3", readonly=True)
        journal = Journal(database)
        records = journal.read(run or journal.last_run())
        database.close()
        return [record.event for record in records]

    def end(self):
        """Leave nothing behind."""
        if (self.home / "env").exists():
            subprocess.run(self.command("down", "-q"), capture_output=True, timeout=100, check=False)
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)


def keywords(document):
    """The keywords of a run in order, each at its first occurrence."""
    return list(dict.fromkeys(word for decision in document["decisions"] for word in decision["keywords"]))


def collapsed(document):
    """The keywords of a run with neighbouring repeats as one."""
    words = [word for decision in document["decisions"] for word in decision["keywords"]]
    return [word for index, word in enumerate(words) if index == 0 or words[index - 1] != word]


def touched(document):
    """The components of a run's delegations."""
    return {delegation["component"] for delegation in document["delegations"]}
