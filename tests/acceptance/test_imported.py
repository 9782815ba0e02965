"""A folder of the original design: imported, checked, and run with a scripted model through every stage and loop."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from command import document, no_traceback, shiftboss

PLANNER = {"id": "planner", "systemPrompt": "Plan it.", "decisions": ["plan_ready", "needs_input"]}
CODER = {
    "id": "coder",
    "system_prompt_template": "Code it.",
    "decisions": [{"name": "code_done", "description": "x"}, {"name": "code_failed", "description": "y"}],
}
REVIEWER = {
    "agent_name": "reviewer",
    "systemPrompt": "Review it.",
    "decisions": {"approved": {"description": "good"}, "rejected": {"description": "not good"}},
}
INNER = {
    "id": "inner",
    "stages": [{"id": "code", "agent": "coder"}, {"id": "look", "agent": "reviewer", "inputs": ["code"]}],
    "flow": {
        "connections": [
            {"from": "code", "to": "look", "condition": "code_done"},
            {"from": "look", "to": "code", "condition": "rejected"},
            {"from": "look", "to": None, "condition": "approved"},
        ]
    },
}
OUTER = {
    "id": "outer",
    "stages": [
        {"id": "plan", "agent": "planner"},
        {"id": "build", "type": "sub_pipeline", "pipelineId": "inner", "decisions": ["built", "build_failed"]},
        {"id": "final", "agent": "reviewer", "inputs": ["build"]},
    ],
    "connections": [
        {"from": "plan", "to": "build", "condition": "plan_ready"},
        {"from": "plan", "to": "plan", "condition": "needs_input"},
        {"from": "build", "to": "final", "condition": "built"},
        {"from": "final", "to": "end", "condition": {"value": "APPROVED"}},
        {"from": "final", "to": "plan", "condition": "rejected"},
    ],
}
SCRIPT = [
    ("plan", "needs_input"),
    ("plan", "plan_ready"),
    ("build.code", "code_done"),
    ("build.look", "rejected"),
    ("build.code", "code_done"),
    ("build.look", "approved"),
    ("final", "rejected"),
    ("plan", "plan_ready"),
    ("build.code", "code_done"),
    ("build.look", "approved"),
    ("final", "approved"),
]


class _Model(BaseHTTPRequestHandler):
    """Answers in the order of SCRIPT, in the shape that is asked for."""

    server: "_Server"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = "\n".join(str(one["content"]) for one in body["messages"])
        stage, decision = SCRIPT[len(self.server.asked)]
        self.server.asked.append(re.search(r"Order: (\S+) in", text)[1])
        said = json.dumps(
            {"action": "finish", "argument": f"words of {stage}", "decision": decision, "reasoning": "so"}
        )
        message: dict[str, Any] = {"role": "assistant", "content": said}
        if body.get("tools"):
            function = {"name": body["tools"][0]["function"]["name"], "arguments": said}
            message |= {"content": None, "tool_calls": [{"id": "t", "type": "function", "function": function}]}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        answer = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


class _Server(ThreadingHTTPServer):
    asked: list[str]


@contextmanager
def model() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Model) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def write(folder: Path) -> None:
    files = {"agents/planner": PLANNER, "agents/coder": CODER, "agents/reviewer": REVIEWER}
    for name, held in {**files, "templates/inner": INNER, "templates/outer": OUTER}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(held))


def test_a_folder_without_templates_is_refused_with_what_is_looked_for(place):
    write(place / "project" / "old")
    result = no_traceback(shiftboss(place, "import", "project"))
    assert result.returncode == 2
    assert "there are no templates in project" in result.stderr
    assert [path.name for path in place.iterdir()] == ["project"]


def test_an_imported_pipeline_of_prompts_goes_through_every_stage_and_loop(place):
    write(place / "old")
    assert no_traceback(shiftboss(place, "import", "old")).returncode == 0
    again = document(shiftboss(place, "import", "old", "--json"))
    assert (again["written"], len(again["unchanged"])) == ([], 5)
    assert shiftboss(place, "validate", "old-imported").returncode == 0
    with model() as server:
        sets = ["brain.model=openai:m", f"brain.base_url=http://127.0.0.1:{server.server_port}/v1"]
        file = "old-imported/pipelines/outer.json"
        found = document(
            shiftboss(place, "run", file, "--json", "--set", sets[0], "--set", sets[1], OPENAI_API_KEY="x")
        )
    assert found["ending"] == "converged"
    assert server.asked == [stage for stage, _ in SCRIPT]
    assert found["delegations"][-1]["output"] == "words of final"
