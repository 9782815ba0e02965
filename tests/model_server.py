"""A server that speaks like OpenAI's, and misbehaves as a test wishes: real sockets, a thread, no model.

An answer is a function of an `Asked`, which writes to the connection what it likes. The server gives its answers in
turn, then the last one for ever.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

USAGE = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}


@dataclass
class Asked:
    """One request, and the connection to answer it on."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    handler: BaseHTTPRequestHandler
    closing: threading.Event

    @property
    def text(self) -> str:
        """What the model was shown."""
        return "\n".join(str(one.get("content")) for one in self.body.get("messages", ()))

    @property
    def options(self) -> list[str]:
        """The moves that may be chosen, as they are written in the question."""
        shown = self.text.rpartition("OPTIONS (in no order)\n")[2]
        return re.findall(r"^- (\S+): ", shown, re.MULTILINE)

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.handler.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()
        self.handler.wfile.write(body)


Answer = Callable[[Asked], None]


def completion(message: Mapping[str, Any], *, finish: str = "stop", usage: Any = USAGE) -> dict[str, Any]:
    """A chat completion with one message; without usage where that is None."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}
    whole = {"id": "c1", "object": "chat.completion", "created": 1, "model": "odd", "choices": [choice]}
    return whole if usage is None else {**whole, "usage": usage}


def said(asked: Asked, values: Mapping[str, Any]) -> dict[str, Any]:
    """A message with these values, in the shape that was asked for."""
    tools = asked.body.get("tools")
    if tools:
        name = tools[0]["function"]["name"]
        call = {"id": "t1", "type": "function", "function": {"name": name, "arguments": json.dumps(values)}}
        return {"content": None, "tool_calls": [call]}
    if "DECISION:" in asked.text and "response_format" not in asked.body and "schema" not in asked.text.lower():
        return {"content": "\n".join(f"{name.upper()}: {value}" for name, value in values.items())}
    return {"content": json.dumps(values)}


def good(**more: Any) -> Answer:
    """The first option, in the shape that was asked for; further values as wished."""

    def answer(asked: Asked) -> None:
        values = {"decision": asked.options[0], "reasoning": "it is missing", **more}
        asked.send(200, json.dumps(completion(said(asked, values))).encode())

    return answer


def message(content: Mapping[str, Any], **more: Any) -> Answer:
    """A chat completion with this message, whatever was asked."""
    return plain(200, json.dumps(completion(content, **more)))


def plain(status: int, body: str | bytes, **headers: str) -> Answer:
    """These bytes with this status."""
    return lambda asked: asked.send(status, body if isinstance(body, bytes) else body.encode(), **headers)


def late(seconds: float, answer: Answer | None = None) -> Answer:
    """Nothing for so long, or until the server is closed; then another answer."""

    def wait(asked: Asked) -> None:
        if not asked.closing.wait(seconds):
            (answer or good())(asked)

    return wait


def hang(asked: Asked) -> None:
    """No answer, ever."""
    asked.closing.wait()


def cut(asked: Asked) -> None:
    """The connection is closed without a word."""
    asked.handler.close_connection = True


def half(asked: Asked) -> None:
    """Less than was announced."""
    body = json.dumps(completion(said(asked, {"decision": asked.options[0]}))).encode()
    asked.handler.send_response(200)
    asked.handler.send_header("Content-Type", "application/json")
    asked.handler.send_header("Content-Length", str(len(body)))
    asked.handler.end_headers()
    asked.handler.wfile.write(body[: len(body) // 2])
    asked.handler.close_connection = True


def trickle(asked: Asked) -> None:
    """A byte now and then: never silent, never done."""
    asked.handler.send_response(200)
    asked.handler.send_header("Content-Type", "application/json")
    asked.handler.end_headers()
    while not asked.closing.wait(0.05):
        asked.handler.wfile.write(b" ")
        asked.handler.wfile.flush()


@dataclass
class ModelServer:
    """Serves on a port of the kernel's choice while it is entered."""

    answers: list[Answer]
    asked: list[Asked] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    port: int = 0  #: 0: one of the kernel's choice

    def __enter__(self) -> Self:
        self._closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                server.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length)
        found = Asked(handler.path, dict(handler.headers), json.loads(body or b"{}"), handler, self._closing)
        answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append(found)
        self.at.append(time.monotonic())
        with suppress(OSError):  # nobody waits any more
            answer(found)
