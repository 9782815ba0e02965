"""Which machine this is, as far as it decides how long things take. Durations remembered elsewhere count less.

Read by control.py and looking.py once per run; cheap, starts no process, and never fails.
"""

import hashlib
import os
from pathlib import Path

LARGEST = 4096
"""Bytes of the processor's description: the first core's is enough, and a large machine has hundreds."""


def host() -> str:
    """The fingerprint of this machine."""
    return fingerprint(_processor(), os.cpu_count() or 1, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def fingerprint(processor: str, cores: int, memory: int) -> str:
    """A short text that changes with the processor's model, the number of cores, and memory (bytes, to half a GiB)."""
    facts = f"{processor.strip()}/{cores}/{round(memory / 2**29)}"
    return hashlib.sha256(facts.encode()).hexdigest()[:8]


def model(description: str) -> str:
    """The processor's model from /proc/cpuinfo (proc(5)); empty where it names none."""
    for line in description.splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() in ("model name", "cpu model", "cpu part", "uarch"):
            return value.strip()
    return ""


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            return model(file.read(LARGEST))
    except OSError:
        return ""
