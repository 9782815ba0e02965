"""The last words of a bitcoind that ended: which line counts, and what it speaks of. Pure.

Messages were measured with Bitcoin Knots 29 and litecoind 0.21. Called by diagnosis.py, which has looked at space,
rights, lock and ports before: words are believed only where nothing that can be seen explains them.
"""

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from shiftboss.model.failure import FailureKind
from shiftboss.model.redact import redact
from shiftboss.model.value import Value

LONGEST = 300
"""Letters of a line that are kept."""


class Words(Value):
    """What a program's last words speak of."""

    kind: FailureKind
    line: str
    passes: bool = False  #: the cause was looked for and is gone: it only ended
    part: str = ""  #: of the data
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])


class _Rule(Value):
    """A pattern in what the daemon printed, and what it means."""

    pattern: re.Pattern[str]
    kind: FailureKind
    passes: bool = False


def _rule(pattern: str, kind: FailureKind, *, passes: bool = False) -> _Rule:
    return _Rule(pattern=re.compile(pattern, re.IGNORECASE), kind=kind, passes=passes)


_RULES = (
    _rule(
        r"error while loading shared libraries|version `[^']+' not found|symbol lookup error|exec format error"
        r"|cannot execute|cannot open shared object|exec: .*: (?:not found|permission denied|exec format)",
        FailureKind.MISSING_BINARY,
    ),
    _rule(r"disk quota exceeded", FailureKind.NO_SPACE),
    _rule(
        r"disk space is (?:too )?low|no space left on device|disk is full|unable to write settings file",
        FailureKind.NO_SPACE,
        passes=True,
    ),
    _rule(
        r"permission denied|read-only file system|operation not permitted|unable to open settings file .* for writing",
        FailureKind.PERMISSION,
        passes=True,
    ),
    _rule(r"cannot obtain a lock on", FailureKind.LOCKED, passes=True),
    _rule(r"unable to start http server|unable to bind to|failed to listen on", FailureKind.PORT_FOREIGN, passes=True),
    _rule(
        r"error reading configuration file|error parsing command line|settings file could not be read"
        r"|specified (?:data directory|config file)|invalid (?:parameter|combination|-\w+)|unknown -?\w+ (?:in|value)",
        FailureKind.CONFIG,
    ),
    _rule(
        r"failed to load database path|sqlitedatabase:|wallet(?: file| database)? .*corrupt|error loading .*wallet"
        r"|wallet file verification failed",
        FailureKind.WALLET_DAMAGED,
    ),
    _rule(
        r"corrupted block database|error (?:opening|loading|initializing|upgrading) (?:the )?"
        r"(?:block|coins|chainstate)|rebuild the database|database corruption|leveldb error|error reading from database"
        r"|incorrect or no genesis block",
        FailureKind.DATA_DAMAGED,
    ),
)

_LAST_WORDS = re.compile(
    r"^(?:error: |: |terminate called|\s+what\(\):|assertion|.*error while loading|.*version `|.*\bexec: )",
    re.IGNORECASE,
)
_PARTS = (
    ("chainstate", re.compile(r"coins database|chainstate", re.IGNORECASE)),
    ("undo files", re.compile(r"bad undo|block undo|rev\d+\.dat", re.IGNORECASE)),
    ("block files", re.compile(r"readblock|readrawblock|block magic|blk\d+\.dat|bad block at", re.IGNORECASE)),
    ("block index", re.compile(r"(?:opening|initializing) block database", re.IGNORECASE)),
)
_DATA_PATH = re.compile(r"database path '([^']+)'")
_PORT = re.compile(r"Unable to bind to \S+:(\d+) ")


def blame(output: str, log: str) -> Words | None:
    """What the program's own last words mean; None when it said nothing of the kind. `log` gives details only."""
    said = _said(output)
    for rule in _RULES:
        line = next((one for one in said if rule.pattern.search(one)), None)
        if line:
            return Words(kind=rule.kind, line=line, passes=rule.passes, **_details(rule.kind, line, log))
    if not said:
        return None
    return Words(kind=FailureKind.DIED, line=said[-1], passes=True)


def _said(output: str) -> list[str]:
    """The lines that count, without their prefix, secrets removed."""
    lines = [line.rstrip() for line in output.splitlines() if _LAST_WORDS.match(line)]
    return [
        redact(line).strip().lstrip(": ").removeprefix("Error: ").removeprefix("Error: ")[:LONGEST] for line in lines
    ]


def _details(kind: FailureKind, line: str, log: str) -> dict[str, Any]:
    if kind is FailureKind.DATA_DAMAGED:
        part = _part(line, log)
        return {"part": part, "evidence": {"part": part}}
    path = _DATA_PATH.search(line)
    if kind is FailureKind.WALLET_DAMAGED:
        return {"evidence": {"wallet_path": path.group(1) if path else last_wallet(log)}}
    return {}


def _part(line: str, log: str) -> str:
    """Which part of the data is damaged: the message names it, or the errors logged before it do."""
    errors = "\n".join(one for one in log.splitlines() if "[error]" in one or "ERROR" in one)
    for text in (line, errors):
        for part, pattern in _PARTS:
            if pattern.search(text):
                return part
    return "block data"


def last_wallet(log: str) -> str:
    """The path of the wallet that the daemon was at when it stopped; empty when it was at none."""
    found = re.findall(r"Using wallet (/.+)$", log, re.MULTILINE)
    return found[-1] if found else ""


def unbound_port(output: str) -> int | None:
    """The port that it could not have, other than RPC's, if it named one."""
    found = _PORT.search(output)
    return int(found.group(1)) if found else None
