"""The miner's configuration: a JSON file, command-line flags, or both (flags go first).

Written by the miner's config handler, read once at start. All findings are reported together (BadInput).
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from shiftboss.model.diagnostic import Diagnostic
from shiftboss.packs.mining.stratum import log, options

DEFAULT_WORKER = "shiftboss.1"


@dataclass(frozen=True, kw_only=True)
class MinerConfig:
    """Everything the miner is told."""

    host: str
    port: int
    workers: tuple[str, ...] = (DEFAULT_WORKER,)
    threads: int = 1
    block_interval: float | None = 30.0  #: seconds between blocks; 0 = no pause; None = connected and idle
    status_file: Path | None = None
    log_level: str = "info"


def load(name: str, arguments: Sequence[str]) -> MinerConfig:
    """Read flags and file.

    Raises:
        BadInput: with every finding.
    """
    given = _parser(name).parse_args(arguments)
    findings: list[Diagnostic] = []
    place = "command line" if given.config is None else str(given.config)
    top = options.Section({}, place, findings)
    if given.config is not None:
        top = options.read_file(given.config, findings)
    _overlay(top, given)
    config = _read(top)
    top.finish()
    options.complain(findings)
    return config


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=name, description="A Stratum v1 miner in pure Python that paces itself.")
    parser.add_argument("--config", type=Path, metavar="FILE", help="JSON configuration")
    parser.add_argument("--stratum", metavar="HOST:PORT", help="the pool")
    parser.add_argument("--worker", action="append", metavar="NAME", help="worker name; may be repeated")
    parser.add_argument("--threads", help="hash loops; 0 = one per core")
    parser.add_argument("--block-interval", metavar="SECONDS", help="pause between blocks, 0, or off")
    parser.add_argument("--status-file", metavar="FILE", help="where to keep the status as JSON")
    parser.add_argument("--log-level", help=", ".join(log.LEVELS))
    return parser


def _overlay(top: options.Section, given: argparse.Namespace) -> None:
    """Put the flags over the file's values, in the file's own shape, so that one set of checks sees both."""
    flags: dict[str, Any] = {
        "workers": given.worker,
        "threads": _number(given.threads),
        "block_interval": _number(given.block_interval),
        "status_file": given.status_file,
        "log_level": given.log_level,
    }
    if given.stratum is not None:
        host, _, port = given.stratum.rpartition(":")
        flags["stratum"] = {"host": host or "127.0.0.1", "port": _number(port)}
    top.overlay({key: value for key, value in flags.items() if value is not None})


def _read(top: options.Section) -> MinerConfig:
    # A miner only goes out: it may be pointed at a pool elsewhere without further consent.
    host, port = top.endpoint("stratum", "127.0.0.1", allow_remote=True)
    if port == 0:
        top.find("stratum.port", "0 is no port to connect to", "give the pool's Stratum port")
    status_file = top.text("status_file", "")
    return MinerConfig(
        host=host,
        port=port,
        workers=_workers(top),
        threads=top.whole("threads", 0, least=0, most=1024) or len(os.sched_getaffinity(0)),
        block_interval=_interval(top),
        status_file=Path(status_file) if status_file else None,
        log_level=top.text("log_level", "info", choices=log.LEVELS),
    )


def _workers(top: options.Section) -> tuple[str, ...]:
    value: Any = top.raw("workers", [DEFAULT_WORKER])
    names = cast("list[Any]", value) if isinstance(value, list) else []
    good = [name for name in names if isinstance(name, str) and 0 < len(name) <= 128]
    if not names or len(good) != len(names) or len(set(good)) != len(good):
        top.find("workers", f"{value!r} is no list of distinct names", f'write it as ["{DEFAULT_WORKER}"]')
    return tuple(good)


def _interval(top: options.Section) -> float | None:
    value: Any = top.raw("block_interval", 30)
    if value == "off":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        top.find("block_interval", f"{value!r} is no pause", 'give seconds (0 to 86400), or "off"')
        return None
    return float(value)


def _number(text: str | None) -> Any:
    """The number a flag spells, or its text as it is, for the checks to judge."""
    if text is None:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
