"""A small HTTP/1.1 client over asyncio streams, for services on this machine.

Called by `system.rpc`, by probes of status pages and by the pool. It exists because the standard library has
no asyncio client and start-up must stay light: one connection per request, no redirects, no TLS, no proxy.
It must not retry: whoever asks decides what a failure means.
"""

import asyncio
from collections.abc import Mapping

from shiftboss.model.value import Value

MAX_BYTES = 64 * 1024 * 1024  #: a full block as hex inside a template is about 8 MB
_MAX_HEAD = 64 * 1024


class HttpError(Exception):
    """A request that got no usable answer; the text names the place and the cause."""


class Refused(HttpError):
    """No connection came about: nobody listens there, or the machine refuses."""


class TimedOut(HttpError):
    """The answer was not complete within the time limit."""


class Malformed(HttpError):
    """What came back is no HTTP answer, broke off, or is larger than allowed."""


class Response(Value):
    """An answer: status code, headers with lower-case names, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    timeout: float = 10.0,  # noqa: ASYNC109 - a limit for the whole exchange, turned into TimedOut
    max_bytes: int = MAX_BYTES,
) -> Response:
    """Send one request and return the whole answer, whatever its status.

    Args:
        method: GET, POST or another HTTP method in capitals.
        url: `http://host:port/path`; other schemes and log-in data in the URL are refused.
        headers: further request headers; Host, Content-Length and Connection are set here.
        body: request body.
        timeout: seconds for connecting, sending and reading together.
        max_bytes: largest body accepted.

    Raises:
        Refused: no connection.
        TimedOut: not complete in time.
        Malformed: not HTTP, broken off, or too large.
        ValueError: the URL is not one of the kind above.
    """
    host, port, path = split_url(url)
    head = _head(method, path, f"{host}:{port}", headers or {}, len(body))
    try:
        async with asyncio.timeout(timeout):
            return await _exchange(host, port, head + body, method, max_bytes)
    except TimeoutError:
        raise TimedOut(f"{host}:{port} did not answer within {timeout:g} s") from None


def split_url(url: str) -> tuple[str, int, str]:
    """Host, port and path of an `http://` URL; raises ValueError with the reason otherwise."""
    scheme, found, rest = url.partition("://")
    if not found or scheme.lower() != "http":
        raise ValueError(f"{url!r} is not an http:// address")
    netloc, slash, path = rest.partition("/")
    if "@" in netloc:
        raise ValueError("an address with log-in data in it is not accepted; use a cookie file")
    host, colon, port = netloc.rpartition(":")
    if not colon or netloc.endswith("]"):
        host, port = netloc, "80"
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{url!r} has no usable host and port")
    target = slash + path if slash else "/"
    if any(char <= " " or char == "\x7f" for char in target):
        raise ValueError(f"{url!r} has a blank or a control character in its path")
    return host, int(port), target


def _head(method: str, path: str, host: str, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    if length or method != "GET":
        lines.append(f"Content-Length: {length}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in a header is not allowed")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _exchange(host: str, port: int, message: bytes, method: str, max_bytes: int) -> Response:
    try:
        reader, writer = await asyncio.open_connection(host, port, limit=_MAX_HEAD)
    except OSError as error:
        raise Refused(f"{host}:{port} takes no connection: {error.strerror or error}") from None
    try:
        writer.write(message)
        return await _read(reader, method, max_bytes, f"{host}:{port}")
    except (OSError, asyncio.IncompleteReadError):
        raise Malformed(f"{host}:{port} broke off before the answer was complete") from None
    except asyncio.LimitOverrunError:
        raise Malformed(f"{host}:{port} sent a header larger than {_MAX_HEAD} bytes") from None
    finally:
        # Not awaited: the answer is complete, or the connection is of no more use.
        writer.transport.abort()


async def _read(reader: asyncio.StreamReader, method: str, max_bytes: int, where: str) -> Response:
    while True:
        status, headers = _parse_head(await reader.readuntil(b"\r\n\r\n"), where)
        if status >= 200 or status == 101:  # everything below is an interim answer (RFC 9110, 15.2)
            break
    if method == "HEAD" or status in {101, 204, 304}:
        return Response(status=status, headers=headers, body=b"")
    body = await _read_body(reader, headers, max_bytes, where)
    return Response(status=status, headers=headers, body=body)


def _parse_head(raw: bytes, where: str) -> tuple[int, dict[str, str]]:
    first, *rest = raw.decode("latin-1").split("\r\n")
    version, _, tail = first.partition(" ")
    code = tail[:3]
    if not version.startswith("HTTP/1.") or not code.isascii() or not code.isdigit() or len(code) != 3:
        raise Malformed(f"{where} does not speak HTTP: it began with {first[:40]!r}")
    headers: dict[str, str] = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return int(code), headers


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str], max_bytes: int, where: str) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _read_chunks(reader, max_bytes, where)
    length = headers.get("content-length")
    if length is None:
        return await _read_to_end(reader, max_bytes, where)
    if not length.isascii() or not length.isdigit():
        raise Malformed(f"{where} sent an unreadable Content-Length")
    _check_size(int(length), max_bytes, where)
    return await reader.readexactly(int(length))


async def _read_to_end(reader: asyncio.StreamReader, max_bytes: int, where: str) -> bytes:
    body = bytearray()
    while piece := await reader.read(65536):
        body += piece
        _check_size(len(body), max_bytes, where)
    return bytes(body)


async def _read_chunks(reader: asyncio.StreamReader, max_bytes: int, where: str) -> bytes:
    body = bytearray()
    while True:
        size = _chunk_size(await reader.readuntil(b"\r\n"), where)
        _check_size(len(body) + size, max_bytes, where)
        if size == 0:
            break
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise Malformed(f"{where} sent a chunk of another length than announced")
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers say nothing that is used here
    return bytes(body)


def _chunk_size(line: bytes, where: str) -> int:
    text = line.split(b";")[0].strip()
    if not text or len(text) > 8 or any(char not in b"0123456789abcdefABCDEF" for char in text):
        raise Malformed(f"{where} sent an unreadable chunk size")
    return int(text, 16)


def _check_size(size: int, max_bytes: int, where: str) -> None:
    if size > max_bytes:
        raise Malformed(f"{where} sent more than {max_bytes} bytes")
