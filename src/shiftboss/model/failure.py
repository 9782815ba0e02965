"""Typed bad outcomes and their stable signature (DESIGN sections 4 and 7)."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any, cast

from shiftboss.model.value import Value


class FailureKind(StrEnum):
    """What went wrong, judged from evidence and not from message text alone."""

    PORT_FOREIGN = "port_foreign"  #: a process that is not ours holds the port
    PORT_ORPHAN = "port_orphan"  #: a left-over process of ours holds the port or the data folder
    DIED = "died"  #: our process ended
    FROZEN = "frozen"  #: our process is alive but does not answer
    CREDENTIAL = "credential"  #: the other side refuses our credential
    CONFIG = "config"  #: a configuration is wrong or not what we would write
    WALLET_NOT_LOADED = "wallet_not_loaded"  #: the wallet is on disk but not loaded
    DISCONNECTED = "disconnected"  #: alive, but without its link to the part it needs
    EXTERNAL_DOWN = "external_down"  #: a part the user runs himself does not answer
    UNVERIFIED = "unverified"  #: the handler said done, the probe disagrees
    TIMEOUT = "timeout"  #: did not become ready, or did not end, in its time
    NO_PROVIDER = "no_provider"  #: nothing here can supply the missing program
    PERMISSION = "permission"  #: the system denies us what is needed
    NO_SPACE = "no_space"  #: the disk is full
    MISSING_BINARY = "missing_binary"  #: the program is not there or does not run
    DATA_DAMAGED = "data_damaged"  #: the part's data does not load
    DATA_LOST = "data_lost"  #: the data loads, but less of it than there was (the height went back)
    LOCKED = "locked"  #: a living process that is not ours holds the lock of our data folder
    WALLET_MISSING = "wallet_missing"  #: a wallet that was ours is not on disk any more
    WALLET_DAMAGED = "wallet_damaged"  #: the wallet's file does not load
    LEAK = "leak"  #: memory or file descriptors are running out
    CLOCK = "clock"  #: the machine's clock jumped
    REJECTED = "rejected"  #: work was done but not accepted (shares, blocks)
    CRASHED = "crashed"  #: the handler itself raised something unexpected


NOT_RETRYABLE = frozenset(
    {
        FailureKind.NO_PROVIDER,
        FailureKind.PERMISSION,
        FailureKind.EXTERNAL_DOWN,
    }
)


class Failure(Value):
    """A typed failure of one component, with the evidence it was judged from."""

    component: str
    kind: FailureKind
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def signature(self) -> str:
        """The stable key: component, kind and text without numbers, paths and ids."""
        return signature(self.component, self.kind, self.message)


_HEX = re.compile(r"\b(?:0x)?[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b", re.IGNORECASE)  # hashes, addresses, UUIDs
_PATH = re.compile(r"(?<![\w.])(?:~|\.)?/[^\s'\",;:]+")
_NUMBER = re.compile(r"\d+(?:\.\d+)*")
_SPACE = re.compile(r"\s+")


LOG_LINES = 8
"""So many lines of a log say what happened."""


def log_lines(evidence: Mapping[str, object]) -> tuple[str, ...]:
    """The last lines of the log that some evidence holds, as text or as a list of lines; none where it holds none."""
    said = evidence.get("log")
    if isinstance(said, str):
        said = said.splitlines()
    lines = cast("Sequence[object]", said) if isinstance(said, list | tuple) else ()
    return tuple(str(line) for line in lines[-LOG_LINES:])


def signature(component: str, kind: FailureKind, message: str) -> str:
    """The stable key of a failure: two failures with the same key are the same trouble again."""
    digest = hashlib.sha256(without_particulars(message).encode()).hexdigest()[:8]
    return f"{component}/{kind}/{digest}"


def without_particulars(text: str) -> str:
    """A text without what differs from time to time: numbers, paths, ids, white space, capitals."""
    text = _PATH.sub("PATH", _HEX.sub("#", text))
    return _SPACE.sub(" ", _NUMBER.sub("#", text)).strip().lower()
