"""Spans of model calls reach the collector that OpenTelemetry's own variables name: a real one, on loopback."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

PROGRAM = """
import asyncio, os
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from shiftboss.minds.client import ClientMind
from shiftboss.minds.key import Scrubber
from shiftboss.minds.telemetry import send_spans
from shiftboss.model.mind import Field, FieldKind, Question

def answer(_messages, info):
    return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, {"decision": "a"})])

send_spans(os.environ)
send_spans(os.environ)
fields = (Field(name="decision", kind=FieldKind.CHOICE, options=("a", "b"), doc="what"),)
question = Question(purpose="decide", system="s3cret-system", text="s3cret-text", fields=fields)
mind = ClientMind("test:f", FunctionModel(answer), "tool", Scrubber(None, {}), telemetry="spans")
print(asyncio.run(mind.ask(question, 5.0)).values["decision"])
"""


def test_spans_reach_a_collector_and_hold_no_content():
    got: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_COMPRESSION": "none", "PATH": "/usr/bin"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (done.returncode, done.stdout) == (0, "a\n"), done.stderr
    assert {path for path, _ in got} == {"/v1/traces"}
    sent = b"".join(body for _, body in got)
    assert b"shiftboss decide" in sent
    assert b"s3cret" not in sent
