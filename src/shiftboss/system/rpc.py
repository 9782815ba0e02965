"""A JSON-RPC client for bitcoind, with errors that say which kind of trouble it is.

Called by probes, handlers and the pool. The log-in is the daemon's cookie file: read when first needed, read
again once when the daemon answers 401 (it writes a new one at every start). It must never show the cookie's
text in an error or a repr, and never retry a call beyond that one case: a call may change state.
"""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any, cast

from shiftboss.system import http

WARMING_UP = -28  #: bitcoind's RPC_IN_WARMUP

_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class RpcFailure(Exception):
    """A call that brought no result; each subclass is one kind of trouble."""


class RpcRefused(RpcFailure):
    """Nobody listens at the address."""


class RpcTimeout(RpcFailure):
    """The answer did not come in time; the call may or may not have had its effect."""


class RpcUnauthorized(RpcFailure):
    """The daemon does not accept the log-in (also after reading the cookie again), or there is no cookie."""


class RpcWarming(RpcFailure):
    """The daemon is starting; the text is its own account of how far it is."""


class RpcUnreadable(RpcFailure):
    """What answered does not speak bitcoind's JSON-RPC, or broke off."""


class RpcError(RpcFailure):
    """The daemon understood the call and refused it.

    Attributes:
        code: bitcoind's error number.
        message: bitcoind's text, word for word.
    """

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{message} (code {code})")


class Rpc:
    """One daemon (and one wallet of it, if named) at one address; holds no connection between calls."""

    def __init__(self, url: str, cookie_file: Path, *, wallet: str | None = None, timeout: float = 10.0) -> None:
        self.url = url.rstrip("/")
        self.cookie_file = cookie_file
        self.wallet = wallet
        self.timeout = timeout
        self._login: str | None = None

    def __repr__(self) -> str:
        return f"Rpc({self.url!r}, wallet={self.wallet!r})"

    def for_wallet(self, name: str) -> "Rpc":
        """The same daemon, with calls going to the wallet of that name."""
        return Rpc(self.url, self.cookie_file, wallet=name, timeout=self.timeout)

    async def call(self, method: str, *params: Any) -> Any:
        """Call one method and return its result.

        Raises:
            RpcFailure: one of its subclasses, by the kind of trouble.
        """
        body = json.dumps({"jsonrpc": "1.0", "id": 0, "method": method, "params": params}).encode()
        known = self._login is not None
        response = await self._send(method, body)
        if response.status == 401 and known:
            self._login = None  # the daemon was started anew since the cookie was read
            response = await self._send(method, body)
        if response.status == 401:
            self._login = None
            raise RpcUnauthorized(f"{self.url} does not accept the log-in in {self.cookie_file}")
        return _result(response, f"{self.url} ({method})")

    async def _send(self, method: str, body: bytes) -> http.Response:
        if self._login is None:
            self._login = _read_login(self.cookie_file)
        path = "/" if self.wallet is None else f"/wallet/{_quote(self.wallet)}"
        headers = {"Authorization": self._login, "Content-Type": "application/json"}
        try:
            return await http.request("POST", self.url + path, headers=headers, body=body, timeout=self.timeout)
        except http.Refused as error:
            raise RpcRefused(str(error)) from None
        except http.TimedOut as error:
            raise RpcTimeout(f"{error} ({method})") from None
        except http.HttpError as error:
            raise RpcUnreadable(f"{error} ({method})") from None


def _read_login(cookie_file: Path) -> str:
    """The Authorization header made from a cookie file (`user:password` on one line)."""
    try:
        text = cookie_file.read_bytes().strip()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RpcUnauthorized(f"the cookie file {cookie_file} can't be read: {reason}") from None
    if b":" not in text:
        raise RpcUnauthorized(f"the cookie file {cookie_file} holds no log-in")
    return "Basic " + b64encode(text).decode("ascii")


def _result(response: http.Response, where: str) -> Any:
    """The result in an answer; raises the RpcFailure it stands for otherwise."""
    try:
        answer = _as_object(json.loads(response.body))
    except ValueError:
        start = response.body[:80].decode("utf-8", "replace")
        raise RpcUnreadable(f"{where} answered HTTP {response.status} without JSON: {start!r}") from None
    if answer is None or not ("result" in answer or "error" in answer):
        raise RpcUnreadable(f"{where} answered with JSON that is no JSON-RPC answer")
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    raise _error_of(error)


def _error_of(error: Any) -> RpcFailure:
    parts = _as_object(error) or {"message": str(error)}
    code, message = parts.get("code", 0), str(parts.get("message", ""))
    if not isinstance(code, int):
        code = 0
    return RpcWarming(message) if code == WARMING_UP else RpcError(code, message)


def _as_object(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None  # JSON keys are text


def _quote(name: str) -> str:
    """Percent-encode a wallet name for a URL path (RFC 3986), without importing urllib for it."""
    return "".join(char if char in _SAFE else "".join(f"%{b:02X}" for b in char.encode()) for char in name)
