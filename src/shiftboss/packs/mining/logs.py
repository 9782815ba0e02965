"""What the parts wrote about their trouble: recent lines, secrets removed. Evidence only, never a verdict."""

from pathlib import Path

from shiftboss.model.redact import redact
from shiftboss.packs.mining.layout import DAEMON, layout, log_file
from shiftboss.system.files import read_text_tail
from shiftboss.system.workbench import Workbench

_WORDS = ("error", "failed", "cannot", "corrupt", "fatal", "refused", "denied", "in use")
_LINES = 6


def complaints(path: Path, lines: int = _LINES) -> list[str]:
    """The last lines of a log that speak of trouble."""
    try:
        text = read_text_tail(path, 20_000)
    except OSError:
        return []
    found = [line.strip() for line in text.splitlines() if any(word in line.lower() for word in _WORDS)]
    return [redact(line)[:300] for line in found[-lines:]]


def daemon_complaints(bench: Workbench) -> list[str]:
    """What the daemon said on its output and in its own log."""
    return complaints(log_file(bench, DAEMON), 3) + complaints(layout(bench).chain_data / "debug.log", 3)
