"""What Claude's program may do with its tools; without the program."""

import asyncio
import sys
from pathlib import Path

import pytest

from handler_parts import CANARY, ScriptedMind, Told, agent, order
from shiftboss.errors import Failed
from shiftboss.handlers.claude_guard import Guard, only_looks, tools_named
from shiftboss.handlers.claude_program import variables_for
from shiftboss.handlers.making import handler_for
from shiftboss.handlers.tool_place import ToolPlace
from shiftboss.model.events import ToolUsed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Mode

ALL = ("Read", "Glob", "Grep", "Edit", "Write", "Bash")


@pytest.fixture
def told(home: Path) -> Told:
    home.mkdir()
    return Told(home)


def guard(told: Told, tools=ALL, commands=(("ls",),)) -> Guard:
    return Guard(tools, ToolPlace(bench=told.bench, order=order(), commands=commands, seconds=5.0))


ALLOWED = [
    ("Read", {"file_path": "a.txt"}),
    ("Glob", {"pattern": "**/*.log"}),
    ("Grep", {"pattern": "x", "path": "a.txt"}),
    ("Write", {"file_path": "new.txt", "content": "x"}),
    ("Edit", {"file_path": "a.txt"}),
    ("Bash", {"command": "ls -l logs"}),
    ("StructuredOutput", {}),
]
REFUSED = [
    ("Read", {"file_path": "/etc/passwd"}),
    ("Read", {"file_path": ".cookie"}),
    ("Read", {}),
    ("Read", {"file_path": "x\0y"}),
    ("Glob", {"pattern": "../*"}),
    ("Glob", {"pattern": "/etc/*"}),
    ("Glob", {"pattern": "*", "path": "/etc"}),
    ("Grep", {"pattern": "x"}),
    ("Grep", {"pattern": "x", "path": "."}),
    ("Write", {"file_path": "../x"}),
    ("Write", {"file_path": "wallet.json"}),
    ("Bash", {"command": "ls; rm -rf ."}),
    ("Bash", {"command": "ls $(rm x)"}),
    ("Bash", {"command": "ls\nrm x"}),
    ("Bash", {"command": "ls ../*"}),
    ("Bash", {"command": "ls 'x"}),
    ("Bash", {"command": "rm x"}),
    ("Bash", {}),
    ("WebFetch", {"url": "http://example.com"}),
    ("Task", {}),
]


@pytest.mark.parametrize(("tool", "given"), ALLOWED)
def test_allowed(told, tool, given):
    (told.folder / "a.txt").touch()
    assert guard(told).refusal(tool, given) == ""


@pytest.mark.parametrize(("tool", "given"), REFUSED)
def test_refused_and_told(told, tool, given):
    assert guard(told, (*ALL, "WebFetch")).refusal(tool, given)
    (event,) = told.of(ToolUsed)
    assert (event.tool, event.allowed) == (tool, False)


@pytest.mark.parametrize(("tool", "given"), ALLOWED[:-1])
def test_what_was_not_named_or_not_consented_to_is_refused(told, tool, given):
    (told.folder / "a.txt").touch()
    assert guard(told, ()).refusal(tool, given)
    told.rules = {}
    changes = tool in {"Write", "Edit", "Bash"}
    assert bool(guard(told).refusal(tool, given)) is changes


def test_names_are_ours_or_the_program_s():
    assert tools_named(("read_file", "Bash", "tail_log"), "x") == ("Read", "Bash")
    assert tools_named((), "x") == ("Read", "Glob")
    assert only_looks(("Grep",), "x")
    assert not only_looks(("run_command",), "x")
    with pytest.raises(Failed, match="http_get"):
        tools_named(("http_get",), "x")


def test_it_gets_its_key_and_no_other(told):
    environ = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": CANARY, "HOME": "/home/me", "PATH": "/bin"}
    seen = {**environ, **variables_for(order(), told.bench, environ)}
    assert CANARY not in seen.values()
    assert (seen["ANTHROPIC_API_KEY"], seen["PATH"]) == ("k", "/bin")
    assert seen["HOME"] == str(told.folder / "claude")


def test_without_the_package_it_says_what_to_install(told, monkeypatch):
    monkeypatch.setitem(sys.modules, "claude_agent_sdk", None)  # as if it were not installed
    handler = handler_for(agent("claude"), ScriptedMind().open)
    with pytest.raises(Failed, match=r"pip install 'shiftboss\[claude\]'") as caught:
        asyncio.run(handler(order(), told.bench))
    assert caught.value.kind is FailureKind.NO_PROVIDER
    assert asyncio.run(handler(order(Mode.REMOVE), told.bench)).summary == "kept"
