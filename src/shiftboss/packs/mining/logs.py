"""What the parts wrote about their trouble: recent lines, secrets removed. Evidence only, never a verdict."""

from shiftboss.model.redact import redact

_WORDS = ("error", "failed", "cannot", "corrupt", "fatal", "refused", "denied", "in use", "not found")
_LINES = 6


def complaints_in(text: str, lines: int = _LINES) -> list[str]:
    """The last lines of a text that speak of trouble."""
    found = [line.strip() for line in text.splitlines() if any(word in line.lower() for word in _WORDS)]
    return [redact(line)[:300] for line in found[-lines:]]
