"""The pool's status page: one JSON document over HTTP, for probes and people.

`ok` is the pool's own claim of health: it has a template the daemon confirmed just now. Loopback unless configured
otherwise; a slow or oversized request is cut off.
"""

import asyncio
import json
import os
import time
from typing import Any

from shiftboss.packs.mining.stratum.floor import Floor
from shiftboss.packs.mining.stratum.target import difficulty_of_target

MAX_HEAD = 8 * 1024
MAX_SECONDS = 5.0
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


class StatusPage:
    """Serves `GET /` and `GET /status`."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._started = time.time()

    def facts(self) -> dict[str, Any]:
        """The document."""
        source = self._floor.source
        template = source.template
        age = source.age
        return {
            "ok": source.usable() and not source.why,
            "why": self._why(age),
            "pid": os.getpid(),
            "started": self._started,
            "template_age": None if age is None else round(age, 3),
            "template_height": None if template is None else template.height,
            "tip": source.tip or None,
            "connections": len(self._floor.clients),
            "network_difficulty": None if template is None else difficulty_of_target(template.target),
            "share_difficulty": self._floor.config.share_difficulty,
            "address": self._floor.config.address,
            **self._floor.ledger.facts(),
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            async with asyncio.timeout(MAX_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()

    def _answer(self, head: bytes) -> bytes:
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return _response(400, {"error": "that is no HTTP request"})
        if words[0] != b"GET":
            return _response(405, {"error": "only GET is served"})
        if words[1].split(b"?", 1)[0] not in {b"/", b"/status"}:
            return _response(404, {"error": "the status is at / and /status"})
        return _response(200, self.facts())

    def _why(self, age: float | None) -> str:
        source = self._floor.source
        if source.why or age is None:
            return source.why
        if not source.usable():
            return f"the template is {age:.0f} s old"
        return ""


def _response(status: int, facts: dict[str, Any]) -> bytes:
    body = json.dumps(facts).encode()
    allow = "Allow: GET\r\n" if status == 405 else ""
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{allow}Connection: close\r\n\r\n"
    )
    return head.encode() + body
