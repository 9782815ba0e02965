"""Claude's own program, really run, against a scripted stub of its service on this machine. Needs shiftboss[claude]."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handler_parts import CANARY, Told, agent, cancelled_once, marked, no_mind, order
from helpers import eventually
from shiftboss.errors import Failed
from shiftboss.handlers.making import handler_for
from shiftboss.model.brief import Brief
from shiftboss.model.consent import Answer
from shiftboss.model.events import Consulted, NoteAddressed, ToolUsed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Mode, Risk
from shiftboss.model.outcome import Status

pytest.importorskip("claude_agent_sdk")


class Service:
    """Gives one tool call after the other, and keeps every question."""

    def __init__(self) -> None:
        self.script: list[tuple[str, dict[str, Any]]] = []
        self.questions: list[dict[str, Any]] = []
        self.silent = threading.Event()
        self.refuse = 0

    def answer(self, question: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """The events of one streamed message."""
        place = sum(message["role"] == "assistant" for message in question["messages"])
        name, given = self.script[min(place, len(self.script) - 1)]
        head = {
            "id": f"msg_{place}",
            "type": "message",
            "role": "assistant",
            "model": question["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 10, "output_tokens": 1},
        }
        block = {"type": "tool_use", "id": f"toolu_{place}", "name": name, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(given)}
        yield "message_start", {"message": head}
        yield "content_block_start", {"index": 0, "content_block": block}
        yield "content_block_delta", {"index": 0, "delta": delta}
        yield "content_block_stop", {"index": 0}
        ending = {"stop_reason": "tool_use", "stop_sequence": None}
        yield "message_delta", {"delta": ending, "usage": {"output_tokens": 5}}
        yield "message_stop", {}


@pytest.fixture
def service(monkeypatch) -> Iterator[Service]:
    made = Service()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "count_tokens" in self.path:
                self.reply(200, {"input_tokens": 10})
                return
            made.questions.append(question)
            if made.refuse:
                self.reply(made.refuse, {"type": "error", "error": {"type": "authentication_error", "message": "no"}})
                return
            if made.silent.is_set():
                threading.Event().wait(20)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for kind, event in made.answer(question):
                self.wfile.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **event})}\n\n".encode())

        def reply(self, code, body):
            raw = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(raw)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    monkeypatch.setenv("OTHER_SECRET", CANARY)
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def told(home: Path) -> Told:
    home.mkdir()
    return Told(home)


def done(decision: str = "pool_ready", **more: str) -> tuple[str, dict[str, Any]]:
    return "StructuredOutput", {"decision": decision, "reasoning": "shares flow", **more}


def run(told: Told, mode: Mode = Mode.ENSURE, deadline: float = 60.0, **options: Any):
    handler = handler_for(agent("claude", **options), no_mind)
    return asyncio.run(handler(order(mode, deadline=deadline), told.bench))


def tool_results(service: Service) -> str:
    return json.dumps([question["messages"] for question in service.questions])


def test_it_reads_a_file_and_answers(told, service):
    told.brief = Brief(prompt="make it so", inputs={"plan": "a plan"}, notes={1: "hurry"})
    (told.folder / "pool.txt").write_text(f"shares: 12\nrpcpassword={CANARY}\n")
    service.script = [("Read", {"file_path": str(told.folder / "pool.txt")}), done(output="NOTE_ADDRESSED 1\nreport")]
    outcome = run(told)
    assert (outcome.status, outcome.summary, outcome.output) == (Status.DONE, "shares flow", "NOTE_ADDRESSED 1\nreport")
    asked = json.dumps(service.questions[0])
    for part in ("make it so", "a plan", "note 1: hurry", "You look after the pool."):
        assert part in asked
    assert "shares: 12" in tool_results(service)
    assert CANARY not in json.dumps(service.questions) + repr((outcome, told.events))
    assert [(event.tool, event.allowed) for event in told.of(ToolUsed)] == [("Read", True)]
    (consulted,) = told.of(Consulted)
    assert (consulted.verdict, consulted.chosen, consulted.purpose) == ("followed", ["pool_ready"], "work")
    assert consulted.tokens > 0
    assert [event.note for event in told.of(NoteAddressed)] == [1]
    assert (told.folder / "claude").stat().st_mode & 0o777 == 0o700
    assert eventually(lambda: not marked(told.home))


def test_only_the_tools_that_are_named_are_offered(told, service):
    service.script = [done("environment_reset")]
    assert run(told).special == "environment_reset"
    offered = {tool["name"] for tool in service.questions[0]["tools"]}
    assert offered <= {"Read", "Glob", "StructuredOutput", "DeferredToolPlaceholder"}  # the last does nothing


def test_it_is_kept_in_its_folder_and_away_from_secrets(told, service):
    (told.home / "outside.txt").write_text(CANARY)
    (told.folder / ".cookie").write_text(CANARY)
    (told.folder / "link.txt").symlink_to(told.home / "outside.txt")
    reads = [told.home / "outside.txt", told.folder / ".cookie", told.folder / "link.txt"]
    service.script = [*(("Read", {"file_path": str(path)}) for path in reads), done()]
    assert run(told).status is Status.DONE
    assert [event.allowed for event in told.of(ToolUsed)] == [False] * 3
    assert CANARY not in json.dumps(service.questions) + repr(told.events)


def test_commands_pass_consent_and_the_list_and_see_no_secrets(told, service):
    options = {"tools": ("Bash",), "commands": (("touch", "made"), ("env",))}
    service.script = [
        ("Bash", {"command": "touch made"}),
        ("Bash", {"command": "touch made; touch hacked"}),
        ("Bash", {"command": "rm made"}),
        ("Bash", {"command": "env"}),
        done(),
    ]
    outcome = run(told, **options)
    assert [event.allowed for event in told.of(ToolUsed)] == [True, False, False, True]
    assert outcome.changes == ("Bash touch made", "Bash env")
    assert (told.folder / "made").exists()
    assert not (told.folder / "hacked").exists()
    assert CANARY not in json.dumps(service.questions)
    told.rules = {Risk.DISRUPTIVE: Answer.ASK}
    (told.folder / "made").unlink()
    assert run(told, **options).changes == ()
    assert not (told.folder / "made").exists()


def test_failure_and_refusal(told, service):
    service.script = [done("pool_failure")]
    assert run(told).failure.kind is FailureKind.CRASHED
    service.refuse = 401
    with pytest.raises(Failed) as caught:
        run(told)
    assert caught.value.kind is FailureKind.NO_PROVIDER
    assert told.of(Consulted)[-1].verdict == "failed"


def test_its_answers_are_counted(told, service):
    service.script = [("Glob", {"pattern": "*"})]
    with pytest.raises(Failed) as caught:
        run(told, steps=2)
    assert caught.value.kind is FailureKind.CRASHED
    assert len(told.of(ToolUsed)) <= 2


def test_it_is_gone_when_its_time_is_up(told, service):
    service.silent.set()
    with pytest.raises(Failed) as caught:
        run(told, seconds=4.0)
    assert caught.value.kind is FailureKind.TIMEOUT
    assert eventually(lambda: not marked(told.home))


def test_it_is_gone_when_the_order_is_cancelled(told, service):
    service.silent.set()
    cancelled_once(lambda: bool(service.questions), agent("claude"), told)
    assert eventually(lambda: not marked(told.home))


def test_the_user_s_own_settings_are_not_read(told, service, monkeypatch):
    own = told.home / "own"
    (own / ".claude").mkdir(parents=True)
    (own / ".claude" / "CLAUDE.md").write_text("SAY-NOTHING-BUT-THIS")
    (told.folder / "CLAUDE.md").write_text("SAY-NOTHING-BUT-THIS")
    monkeypatch.setenv("HOME", str(own))
    service.script = [done()]
    run(told)
    assert "SAY-NOTHING-BUT-THIS" not in json.dumps(service.questions)
    assert [path.name for path in own.iterdir()] == [".claude"]
