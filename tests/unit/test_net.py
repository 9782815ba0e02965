"""Who holds a port, what answers, what is free: against real sockets on loopback."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.system import listeners as module
from shiftboss.system import net
from shiftboss.system.clock import SystemClock
from shiftboss.system.listeners import listeners
from shiftboss.system.process import Processes

LISTEN = (
    "import socket, sys\n"
    "s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)\n"
    "s.bind((sys.argv[1], 0)); s.listen()\n"
    "print(s.getsockname()[1], flush=True)\nsys.stdin.read()\n"
)


@contextlib.contextmanager
def foreign_listener(host: str) -> Iterator[tuple[int, int]]:
    """Pid and port of a process that is not ours and listens."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", LISTEN, host], stdin=pipe, stdout=pipe, text=True) as child:
        try:
            assert child.stdout is not None
            yield child.pid, int(child.stdout.readline())
        finally:
            child.kill()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.7", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"])
def test_the_foreign_holder_of_a_port_is_named(host):
    with foreign_listener(host) as (pid, port):
        found = net.holder(port)
    assert found is not None
    assert found.pid == pid
    assert found.command.startswith(f"{sys.executable} -c import socket")
    assert found.marks is None


def test_a_holder_of_ours_shows_its_marks(tmp_path):
    processes = Processes(tmp_path, "regtest", tmp_path / "run")
    clock = SystemClock()
    argv = [sys.executable, "-c", LISTEN.replace("sys.stdin.read()", "import signal; signal.pause()"), "127.0.0.1"]

    async def story() -> None:
        await processes.spawn("pool", argv, run="r", delegation="d", log=tmp_path / "log", cwd=tmp_path)
        try:
            while not (tmp_path / "log").read_text().endswith("\n"):
                await clock.sleep(0.01)
            found = net.holder(int((tmp_path / "log").read_text()))
            assert found is not None
            assert found.marks is not None
            assert (found.marks.component, found.marks.home) == ("pool", str(tmp_path.resolve()))
        finally:
            await processes.stop("pool", grace=5, clock=clock)

    asyncio.run(story())


def test_a_free_port_has_no_holder():
    assert net.holder(unused_port()) is None


def test_a_holder_that_can_not_be_seen_is_still_a_holder(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(net.proc, "open_sockets", lambda _pid: frozenset())  # as for another user's process
        assert net.holder(server.getsockname()[1]) == net.Holder(pid=None, command="", marks=None)


def test_without_netlink_the_tables_tell_the_same(monkeypatch):
    hosts = ("127.0.0.1", "0.0.0.0", "::1", "::")
    servers = [socket.create_server((h, 0), family=socket.AF_INET6 if ":" in h else socket.AF_INET) for h in hosts]
    ports = {server.getsockname()[1] for server in servers}
    quick = {one for one in listeners() if one.port in ports}

    def denied(_family: int) -> list[module.Listener]:
        raise PermissionError

    monkeypatch.setattr(module, "_ask_kernel", denied)
    slow = {one for one in listeners() if one.port in ports}
    for server in servers:
        server.close()
    assert len(quick) == 4
    assert slow == quick


@pytest.mark.parametrize(
    ("address", "local"),
    [
        (bytes([127, 0, 0, 1]), True),
        (bytes([127, 9, 9, 9]), True),
        (bytes(4), True),
        (bytes([10, 0, 0, 127]), False),
        (bytes(16), True),
        (bytes(15) + b"\x01", True),
        (bytes(10) + b"\xff\xff" + bytes([127, 0, 0, 1]), True),
        (bytes(10) + b"\xff\xff" + bytes([10, 0, 0, 1]), False),
        (b"\xfe\x80" + bytes(13) + b"\x01", False),
    ],
)
def test_only_loopback_and_wildcard_listeners_stand_in_the_way(address, local):
    assert net._is_local(address) is local


def test_can_connect_tells_listening_from_closed_and_gives_up_in_time():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert asyncio.run(net.can_connect("127.0.0.1", server.getsockname()[1], 5)) is True
    assert asyncio.run(net.can_connect("127.0.0.1", unused_port(), 5)) is False


def test_can_connect_gives_up_on_a_full_queue():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = []
        for _ in range(4):  # nobody accepts: the queue fills and the kernel drops what comes next
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            waiting.append(client)
        assert asyncio.run(net.can_connect("127.0.0.1", server.getsockname()[1], 0.2)) is False
        for client in waiting:
            client.close()


def test_the_preferred_port_is_taken_when_it_is_free():
    port = unused_port()
    assert net.free_port(port) == port


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
def test_a_held_or_avoided_port_is_passed_by(host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        port = server.getsockname()[1]
        found = net.free_port(port)
        assert port < found <= port + 200
        assert net.free_port(port, avoid={found}) > found


def test_a_bound_port_that_does_not_listen_yet_is_passed_by():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert net.free_port(bound.getsockname()[1]) != bound.getsockname()[1]


def test_no_free_port_is_a_typed_failure_that_says_what_to_do():
    with pytest.raises(Failed, match="--set ports") as caught:
        net.free_port(65000, avoid=range(65000, 65536))
    assert caught.value.kind == FailureKind.PORT_FOREIGN


def test_no_open_file_is_left():
    before = len(list(Path("/proc/self/fd").iterdir()))
    net.holder(unused_port())
    net.free_port(unused_port())
    asyncio.run(net.can_connect("127.0.0.1", unused_port(), 1))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("way", ["bound", "connected"])
def test_a_port_may_be_taken_though_nobody_listens(way):
    with socket.socket() as taken, socket.create_server(("127.0.0.1", 0)) as server:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        if way == "connected":
            taken.connect(server.getsockname())
        found = net.holder(port)
        assert found is not None
        assert (found.pid, found.marks) == (None, None), "nobody may be ended for it"
        assert net.free_port(port) != port
    assert net.holder(port) is None
