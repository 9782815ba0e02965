"""Stratum v1 on the wire: lines of JSON, each a request or a notice. Framing and message shapes, nothing else."""

import json
from dataclasses import dataclass
from typing import Any, cast

MAX_LINE = 16 * 1024  #: bytes; a share is about 150, a subscribe about 100


class BadLine(Exception):
    """What came is not Stratum; the connection is not worth keeping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A call from the other side; `id` is echoed as it came."""

    id: Any
    method: str
    params: list[Any]


class LineBuffer:
    """Cuts a stream of bytes into lines of bounded length."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._rest = b""

    @property
    def partial(self) -> bool:
        """Whether a line has begun and not ended."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The lines completed by these bytes, without their ends; raises BadLine when one is too long."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > self._limit or any(len(line) > self._limit for line in lines):
            raise BadLine(f"a line is longer than {self._limit} bytes")
        return lines


def read_request(line: bytes) -> Request | None:
    """The request in a line; None for an empty line or an answer, which need no reply.

    Raises:
        BadLine: not JSON, or no JSON-RPC message.
    """
    if not line.strip():
        return None
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise BadLine("a line is not JSON") from None
    if not isinstance(message, dict):
        raise BadLine("a line is not a JSON object")
    found = cast("dict[str, Any]", message)  # JSON keys are text
    method = found.get("method")
    if method is None and ("result" in found or "error" in found):
        return None
    params: Any = found.get("params")
    if params is None:
        params = []
    if not isinstance(method, str) or not isinstance(params, list):
        raise BadLine("a message has no method or its params are no list")
    return Request(id=found.get("id"), method=method, params=cast("list[Any]", params))


def result_line(request_id: Any, result: Any) -> bytes:
    """An answer that says yes."""
    return json.dumps({"id": request_id, "result": result, "error": None}).encode() + b"\n"


def error_line(request_id: Any, code: int, text: str) -> bytes:
    """An answer that says no, with the code Stratum has for it."""
    return json.dumps({"id": request_id, "result": None, "error": [code, text, None]}).encode() + b"\n"
