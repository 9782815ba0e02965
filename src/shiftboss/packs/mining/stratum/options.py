"""Reads the JSON configuration files of the two programs and gathers every finding before it complains.

Called by `config` and `miner_config`. Hand-written instead of pydantic because both programs start within a
fresh set-up's time budget and pydantic's import alone costs more than their whole start.
"""

import json
from pathlib import Path
from typing import Any, cast

from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic


class Section:
    """One JSON object of a configuration, read key by key; findings go to the list shared by all sections."""

    def __init__(self, values: dict[str, Any], place: str, findings: list[Diagnostic], path: str = "") -> None:
        self._values = values
        self._place = place
        self._path = path
        self._known: list[str] = []
        self.findings = findings

    def overlay(self, values: dict[str, Any]) -> None:
        """Put values from elsewhere (the command line) over what was written."""
        self._values = {**self._values, **values}

    def has(self, key: str) -> bool:
        """Whether the key was written; makes it a known key."""
        self._known.append(key)
        return key in self._values

    def section(self, key: str) -> "Section":
        """The object under a key; an empty one, when it is missing or no object."""
        found: Any = self._values.get(key, {}) if self.has(key) else {}
        if not isinstance(found, dict):
            self.find(key, f"{found!r} is not an object", "write it as { ... }")
            found = {}
        return Section(cast("dict[str, Any]", found), self._place, self.findings, self._at(key))

    def text(self, key: str, default: str | None = None, *, choices: tuple[str, ...] = ()) -> str:
        """A text that is not empty; required when there is no default."""
        value = self._value(key, default, "a text")
        if not isinstance(value, str) or (not value and default is None):
            return self._wrong(key, value, "a text in quotes") or ""
        if choices and value not in choices:
            return self._wrong(key, value, "one of " + ", ".join(choices)) or ""
        return value

    def number(self, key: str, default: float | None, *, least: float, most: float) -> float:
        """A number within bounds (both included)."""
        value = self._value(key, default, "a number")
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self._wrong(key, value, f"a number between {least:g} and {most:g}")
            return least
        return float(value)

    def whole(self, key: str, default: int | None, *, least: int, most: int) -> int:
        """A whole number within bounds (both included)."""
        value = self._value(key, default, "a whole number")
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self._wrong(key, value, f"a whole number between {least} and {most}")
            return least
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._value(key, default, "true or false")
        if not isinstance(value, bool):
            self._wrong(key, value, "true or false")
            return default
        return value

    def endpoint(self, key: str, default_host: str, *, allow_remote: bool) -> tuple[str, int]:
        """An object with `host` and `port`; a host that is not this machine needs `allow_remote`."""
        part = self.section(key)
        host = part.text("host", default_host)
        port = part.whole("port", None, least=0, most=65535)
        if host and not allow_remote and not _is_loopback(host):
            part.find("host", f"{host!r} is not on this machine", 'use 127.0.0.1, or set "allow_remote": true')
        part.finish()
        return host, port

    def raw(self, key: str, default: Any) -> Any:
        """The value as it stands, for shapes the other readers do not know."""
        return self._values[key] if self.has(key) else default

    def finish(self) -> None:
        """Report each key that nobody asked for."""
        for key in self._values:
            if key not in self._known:
                known = ", ".join(sorted(set(self._known)))
                self.find(key, "is not a known key", f"{_nearest(key, self._known)}the keys here are {known}")

    def find(self, key: str, what: str, remedy: str) -> None:
        """Add a finding about one key."""
        self.findings.append(Diagnostic(place=self._place, path=self._at(key), what=what, remedy=remedy))

    def _value(self, key: str, default: Any, kind: str) -> Any:
        if self.has(key):
            return self._values[key]
        if default is None:
            self.find(key, "is missing", f"give {kind}")
            return _MISSING
        return default

    def _wrong(self, key: str, value: Any, wanted: str) -> None:
        if value is not _MISSING:
            self.find(key, f"{value!r} is not {wanted}", f"give {wanted}")

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


_MISSING = object()


def read_file(path: Path, findings: list[Diagnostic]) -> Section:
    """The top object of a JSON file; raises BadInput when there is none to read."""
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(path, f"can't be read: {error.strerror or error}", "give a readable file") from None
    except json.JSONDecodeError as error:
        line, what = error.lineno, f"is not JSON: {error.msg} at column {error.colno}"
        raise _unusable(path, what, "mend the file", line) from None
    except (UnicodeDecodeError, RecursionError):
        raise _unusable(path, "is not JSON text", "give a JSON file in UTF-8") from None
    if not isinstance(values, dict):
        raise _unusable(path, "holds no JSON object", "write it as { ... }")
    return Section(cast("dict[str, Any]", values), str(path), findings)


def complain(findings: list[Diagnostic]) -> None:
    """Raise BadInput with all findings, if there are any."""
    if findings:
        raise BadInput(findings)


def _unusable(path: Path, what: str, remedy: str, line: int | None = None) -> BadInput:
    return BadInput([Diagnostic(place=str(path), line=line, what=what, remedy=remedy)])


def _is_loopback(host: str) -> bool:
    """Whether a host is this machine, judged without asking a name service."""
    parts = host.split(".")
    is_address = len(parts) == 4 and all(part.isascii() and part.isdigit() for part in parts)
    return host in {"localhost", "::1"} or (is_address and parts[0] == "127")


def _nearest(key: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, known, n=1)
    return f"perhaps {near[0]!r} was meant; " if near else ""
