"""What tools may look at and run, and how much of it comes back."""

import asyncio
import http.server
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from handler_parts import CANARY, Told, order
from shiftboss.errors import Failed
from shiftboss.handlers.tool_place import ToolPlace
from shiftboss.handlers.tools import LOOKING, RESULT, TOOLS, tools_named, use_tool
from shiftboss.model.consent import Answer
from shiftboss.model.events import ToolUsed
from shiftboss.model.move import Risk


@pytest.fixture
def told(home: Path) -> Told:
    home.mkdir()
    return Told(home)


def use(told: Told, tool: str, argument: str = "", allowed=tuple(TOOLS), commands=(), seconds: float = 20.0):
    place = ToolPlace(bench=told.bench, order=order(), commands=commands, seconds=seconds)
    used = asyncio.run(use_tool(tool, argument, allowed, place))
    event = told.of(ToolUsed)[-1]
    assert (event.tool, event.allowed, event.delegation) == (tool, used.allowed, "r1/1/0")
    assert len(event.result) <= 300
    return used


def test_only_those_that_look_are_given_unasked():
    assert tools_named((), "x") == LOOKING
    assert "run_command" not in LOOKING
    assert tools_named(("run_command", "run_command"), "x") == ("run_command",)
    with pytest.raises(Failed, match="rm_rf"):
        tools_named(("rm_rf",), "x")


def test_a_file_of_the_environment_is_read(told):
    (told.folder / "notes.txt").write_text(f"hello\nrpcpassword={CANARY}\n\x1b[2Jbye")
    used = use(told, "read_file", "notes.txt")
    assert used.text == "hello\nrpcpassword=[removed]\nbye"
    assert use(told, "read_file", str(told.folder / "notes.txt")).allowed
    assert CANARY not in repr(told.events)


@pytest.mark.parametrize(
    "path", ["../../outside.txt", "/etc/passwd", "link", "links/outside.txt", "sub/../../../outside.txt"]
)
def test_nothing_outside_is_read(told, path):
    (told.home / "outside.txt").write_text(CANARY)
    (told.folder / "link").symlink_to(told.home / "outside.txt")
    (told.folder / "links").symlink_to(told.home)
    used = use(told, "read_file", path)
    assert not used.allowed
    assert CANARY not in repr((used, told.events))
    assert not use(told, "list_files", str(Path(path).parent) if path != "link" else "links").allowed or "sub" in path


@pytest.mark.parametrize(
    "name",
    [
        ".cookie",
        "wallet.json",
        "my_key",
        "api-keys.txt",
        "id_rsa",
        "store.sqlite3",
        "store.sqlite3-wal",
        "wallets/x.dat",
    ],
)
def test_secrets_are_not_read_also_not_through_a_link(told, name):
    path = told.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(CANARY)
    path.chmod(0o600)
    (told.folder / "plain.txt").symlink_to(path)
    for way in (name, "plain.txt"):
        used = use(told, "read_file", way)
        assert not used.allowed
        assert CANARY not in used.text


def test_what_is_no_ordinary_text_file_is_refused_at_once(told):
    os.mkfifo(told.folder / "fifo")
    (told.folder / "program").write_bytes(b"\x7fELF\0\0")
    assert not use(told, "read_file", "fifo").allowed
    assert not use(told, "read_file", ".").allowed
    assert "not a text file" in use(told, "read_file", "program").text
    assert "No such file" in use(told, "read_file", "none").text
    assert "too long" in use(told, "read_file", "x" * 900).text


def test_what_is_read_is_bounded(told):
    (told.folder / "big.txt").write_text("line\n" * 100_000)
    assert len(use(told, "read_file", "big.txt").text) < RESULT + 60
    assert use(told, "tail_log", "big.txt").text.endswith("line\n")
    assert len(use(told, "tail_log", "big.txt").text) < RESULT


def test_a_component_s_log_is_found_by_name(told):
    (told.bench.environment.log_folder / "pool.log").write_text(f"start\npassword={CANARY}\nend\n")
    assert use(told, "tail_log", "pool").text == "start\npassword=[removed]\nend\n"


def test_a_secret_cut_in_half_is_not_shown(told):
    (told.folder / "big.log").write_text("password=" + "canary" * 20_000)
    assert "canary" not in use(told, "tail_log", "big.log").text
    assert "canary" not in use(told, "read_file", "big.log").text


def test_a_folder_is_listed(told):
    (told.folder / "a.txt").write_text("abc")
    assert "a.txt  3 bytes\nlogs/\nrun/" in use(told, "list_files").text
    for number in range(300):
        (told.folder / "run" / f"{number}").touch()
    assert use(told, "list_files", "run").text.endswith("and 100 more")


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://192.0.2.1/")
            self.end_headers()
            return
        body = f'{{"result": {{"rpcpassword": "{CANARY}"}}, "height": 3}}'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_page_on_this_machine_is_read(told, page):
    used = use(told, "http_get", f"http://127.0.0.1:{page}/status")
    assert used.text == 'status 200\n{"result": {"rpcpassword": [removed], "height": 3}'
    assert "not followed" in use(told, "http_get", f"http://localhost:{page}/moved").text
    assert use(told, "check_port", str(page)).text == f"port {page} takes connections"
    assert CANARY not in repr(told.events)


@pytest.mark.parametrize(
    ("tool", "argument"),
    [
        ("http_get", "http://192.0.2.1/"),
        ("http_get", "http://example.com/"),
        ("http_get", "http://127.0.0.1.example.com/"),
        ("http_get", "http://2130706433/"),
        ("http_get", "http://0.0.0.0:80/"),
        ("check_port", "192.0.2.1:80"),
        ("check_port", "example.com:80"),
    ],
)
def test_no_other_machine_is_asked(told, tool, argument):
    assert not use(told, tool, argument).allowed


@pytest.mark.parametrize(
    ("tool", "argument"),
    [
        ("http_get", "file:///etc/passwd"),
        ("http_get", "http://user:pw@127.0.0.1/"),
        ("http_get", ""),
        ("check_port", "0"),
        ("check_port", "99999"),
        ("check_port", "x"),
    ],
)
def test_what_is_no_address_fails_in_words(told, tool, argument):
    assert use(told, tool, argument).text.startswith("it failed")


def test_nobody_answers_on_a_free_port(told):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert use(told, "check_port", str(port)).text == f"port {port} takes no connection"
    assert "takes no connection" in use(told, "http_get", f"http://127.0.0.1:{port}/").text


ECHO = (("echo", "hello"),)


def test_a_command_that_is_listed_is_run(told):
    used = use(told, "run_command", "echo hello 'my world'", commands=ECHO)
    assert (used.text, used.change) == ("exit code 0\nstdout: hello my world\n", "ran echo hello 'my world'")


@pytest.mark.parametrize(
    "line",
    [
        "echo",
        "rm -rf /",
        "echo hell",
        "/bin/echo hello",
        "env echo hello",
        "",
        "echo 'hello there'",
        "sh -c 'echo hello'",
    ],
)
def test_no_other_command_is(told, line):
    used = use(told, "run_command", line, commands=ECHO)
    assert not used.allowed
    assert used.change == ""


def test_no_shell_reads_a_command(told):
    used = use(told, "run_command", "echo hello ; touch hacked $(touch hacked) | `touch hacked`", commands=ECHO)
    assert used.text == "exit code 0\nstdout: hello ; touch hacked $(touch hacked) | `touch hacked`\n"
    assert not use(told, "run_command", "echo hello; touch hacked", commands=ECHO).allowed
    assert not list(told.home.rglob("hacked"))


@pytest.mark.parametrize("rules", [{}, {Risk.DISRUPTIVE: Answer.ASK}, {Risk.DISRUPTIVE: Answer.DENY}])
def test_no_command_without_consent(told, rules):
    told.rules = rules
    assert not use(told, "run_command", "echo hello", commands=ECHO).allowed


def test_a_command_gets_no_secrets_and_ends_in_time(told, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    assert CANARY not in use(told, "run_command", "env", commands=(("env",),)).text
    slow = (sys.executable, "-c", "import time; time.sleep(60)")
    used = use(told, "run_command", f"{sys.executable} -c 'import time; time.sleep(60)'", commands=(slow,), seconds=0.3)
    assert "took longer" in used.text
    assert used.change


@pytest.mark.parametrize("name", ["run_command", "rm", "finish\n", ""])
def test_a_tool_that_was_not_given_does_nothing(told, name):
    (told.folder / "x").touch()
    assert not use(told, name, "rm x", allowed=LOOKING, commands=(("rm",),)).allowed
    assert (told.folder / "x").exists()
