"""The pool's configuration: what `shiftboss-pool --config FILE` reads.

Written by the pool's config handler, read once at start. All findings are reported together (BadInput).
"""

from dataclasses import dataclass
from pathlib import Path

from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.packs.mining.stratum import log, options
from shiftboss.system import http

MAX_TAG = 60  #: bytes; with height and extranonces a coinbase script stays below its 100 (BIP34 and consensus)


@dataclass(frozen=True, kw_only=True)
class PoolConfig:
    """Everything the pool is told; times in seconds."""

    rpc_url: str
    rpc_cookie_file: Path
    stratum: tuple[str, int]  #: host and port to listen on
    status: tuple[str, int]  #: host and port of the HTTP status
    address: str  #: who is paid
    share_difficulty: float = 0.0001
    coinbase_tag: str = "/shiftboss/"
    poll_seconds: float = 0.2  #: how often the daemon is asked for its best block
    template_seconds: float = 5.0  #: how often a new template is fetched while the tip stays
    stale_seconds: float = 30.0  #: from this template age on no share is taken
    client_seconds: float = 30.0  #: a client that completes no request in this time is cut off
    max_clients: int = 2000
    log_level: str = "info"


def load(path: Path, address: str | None) -> PoolConfig:
    """Read the file; `address` (from the command line) goes before the file's `payout.address`.

    Raises:
        BadInput: with every finding.
    """
    findings: list[Diagnostic] = []
    top = options.read_file(path, findings)
    config = _read(top, address)
    top.finish()
    options.complain(findings)
    return config


def _read(top: options.Section, address: str | None) -> PoolConfig:
    remote = top.flag("allow_remote", default=False)
    url, cookie = _rpc(top.section("rpc"))
    return PoolConfig(
        rpc_url=url,
        rpc_cookie_file=cookie,
        stratum=top.endpoint("stratum", "127.0.0.1", allow_remote=remote),
        status=top.endpoint("status", "127.0.0.1", allow_remote=remote),
        address=_address(top, address),
        share_difficulty=top.number("share_difficulty", 0.0001, least=1e-12, most=1e15),
        coinbase_tag=_tag(top),
        poll_seconds=top.number("poll_seconds", 0.2, least=0.01, most=60),
        template_seconds=top.number("template_seconds", 5.0, least=0.05, most=600),
        stale_seconds=top.number("stale_seconds", 30.0, least=0.1, most=3600),
        client_seconds=top.number("client_seconds", 30.0, least=0.1, most=3600),
        max_clients=top.whole("max_clients", 2000, least=1, most=100_000),
        log_level=top.text("log_level", "info", choices=log.LEVELS),
    )


def _rpc(part: options.Section) -> tuple[str, Path]:
    url = part.text("url")
    cookie = part.text("cookie_file")
    part.finish()
    if url:
        try:
            http.split_url(url)
        except ValueError as error:
            part.find("url", str(error), "give the daemon's RPC address, such as http://127.0.0.1:18443")
    return url, Path(cookie)


def _address(top: options.Section, given: str | None) -> str:
    part = top.section("payout")
    written = part.text("address", "")
    part.finish()
    if not (given or written):
        part.find("address", "nobody is to be paid", "set it, or give --address ADDRESS")
    return given or written


def _tag(top: options.Section) -> str:
    tag = top.text("coinbase_tag", "/shiftboss/")
    if len(tag.encode()) > MAX_TAG:
        top.find("coinbase_tag", f"is longer than {MAX_TAG} bytes", "shorten it")
    return tag


__all__ = ["MAX_TAG", "BadInput", "PoolConfig", "load"]
