"""The kinds of values a setting can have, and how each is read from what a person wrote.

Used by settings_table.py. A kind turns a TOML value, or the text of an environment variable or of --set, into the
typed value; it raises ValueError with the words that follow the key in a finding. Pure: no file is looked at.
"""

import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, cast

# Patterns stay plain texts: most runs set nothing that needs them, and compiling costs more than reading this file.
_HOST_AND_PORT = r"(?:http://)?(?:\[(?P<six>[0-9a-fA-F:]+)\]|(?P<host>[^\s/:@\[\]]+)):(?P<port>[0-9]{1,5})/?"
_LOOPBACK = r"localhost|::1|127(\.[0-9]{1,3}){3}"
_CONTROL = r"[\x00-\x1f\x7f]"
_LAST_PORT = 65535
_SWITCH = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}


class Origin(NamedTuple):
    """What a written value is relative to."""

    folder: Path
    environ: Mapping[str, str]


Reader = Callable[[object, Origin], object]


class Kind(NamedTuple):
    """One kind of value: its name for people, and its reader (raises ValueError)."""

    name: str
    read: Reader


def split_address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, `[IPV6]:PORT` or `http://HOST:PORT`.

    Raises:
        ValueError: it is none of them.
    """
    found = re.fullmatch(_HOST_AND_PORT, text.strip())
    if found is None or not 1 <= int(found["port"]) <= _LAST_PORT:
        raise ValueError(f"is {text!r}, not HOST:PORT")
    return found["six"] or found["host"], int(found["port"])


def is_loopback(host: str) -> bool:
    """Whether a host name stands for this machine only (127.0.0.0/8, ::1, localhost)."""
    return re.fullmatch(_LOOPBACK, host.lower()) is not None


def whole(low: int, high: int | None = None) -> Kind:
    """A whole number, as a number or as digits."""

    def read(value: object, _origin: Origin) -> object:
        text = str(value).strip()
        if isinstance(value, bool) or re.fullmatch(r"-?[0-9]{1,18}", text) is None:
            raise ValueError(f"is {value!r}, not a whole number")
        return _within(int(text), low, high)

    limit = f"of at least {low}" if high is None else f"from {low} to {high}"
    return Kind(name=f"a whole number {limit}", read=read)


def number(*, above: float | None = None, low: float = 0.0, off: bool = False) -> Kind:
    """A number greater than `above` or of at least `low`; with `off` also the word off (None)."""

    def read(value: object, _origin: Origin) -> object:
        text = str(value).strip()
        if off and text == "off":
            return None
        try:
            found = math.nan if isinstance(value, bool) else float(text)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise ValueError(f"is {value!r}, not a number")
        if above is not None and found <= above:
            raise ValueError(f"is {found:g}, but must be greater than {above:g}")
        return _within(found, low, None)

    limit = f"of at least {low:g}" if above is None else f"greater than {above:g}"
    return Kind(name=f"a number {limit}" + (", or the word off" if off else ""), read=read)


def choice(*allowed: str) -> Kind:
    """One of a few words."""

    def read(value: object, _origin: Origin) -> object:
        if value not in allowed:
            raise ValueError(f"is {value!r}")
        return value

    return Kind(name=" or ".join(allowed), read=read)


def _read_name(value: object, _origin: Origin) -> object:
    text = _text(value)
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text) is None:
        raise ValueError(f"is {text!r}")
    return text


def _read_switch(value: object, _origin: Origin) -> object:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in _SWITCH:
        raise ValueError(f"is {value!r}")
    return _SWITCH[word]


def _read_hex(value: object, _origin: Origin) -> object:
    text = _text(value).lower()
    if re.fullmatch(r"([0-9a-f]{2})+", text) is None:
        raise ValueError(f"is {value!r}")
    return text


def _read_path(value: object, origin: Origin) -> object:
    text = _text(value)
    return _path(text, origin) if text else None


def _read_words(value: object, _origin: Origin) -> object:
    return _words(value)


def _read_paths(value: object, origin: Origin) -> object:
    return tuple(_path(word, origin) for word in _words(value) if word)


def _read_address(value: object, _origin: Origin) -> object:
    text = _text(value).strip()
    if not text:
        return ""
    host, port = split_address(text)
    if not is_loopback(host):
        raise ValueError(f"names the host {host}, which is not this machine")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _read_model(value: object, _origin: Origin) -> object:
    text = _text(value).strip()
    if text and re.fullmatch(r"[a-z][a-z0-9_-]*:[^\s]+", text) is None:
        raise ValueError(f"is {text!r}, without a provider before its name")
    return text


def _read_url(value: object, _origin: Origin) -> object:
    text = _text(value).strip().rstrip("/")
    if text and re.fullmatch(r"https?://[^\s@]+", text) is None:
        raise ValueError(f"is {text!r}")
    return text


def _read_variable(value: object, _origin: Origin) -> object:
    text = _text(value).strip()
    if text and re.fullmatch(r"[A-Z_][A-Z0-9_]*", text) is None:
        raise ValueError("is no name of a variable (the key itself does not belong here)")  # never shown: it may be one
    return text


PORT = whole(1, _LAST_PORT)
MODEL = Kind(name="PROVIDER:NAME, such as openai:gpt-5-mini or ollama:llama3.2, or empty", read=_read_model)
URL = Kind(name="an http(s) address without log-in data, or empty", read=_read_url)
VARIABLE = Kind(name="a name in capitals, or empty", read=_read_variable)
NAME = Kind(name="a name of letters, digits, dot, dash and underscore", read=_read_name)
SWITCH = Kind(name="yes or no", read=_read_switch)
HEX = Kind(name="bytes as hexadecimal digits", read=_read_hex)
PATH = Kind(name="a path, or empty", read=_read_path)
PATHS = Kind(name="a list of paths", read=_read_paths)
WORDS = Kind(name="a list of texts", read=_read_words)
ADDRESS = Kind(name="HOST:PORT on 127.0.0.1, ::1 or localhost, or empty", read=_read_address)


def _within(found: float, low: float, high: float | None) -> float:
    if found < low or (high is not None and found > high):
        raise ValueError(f"is {found:g}" if high is None else f"is {found:g}, out of range")
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"is {value!r}, not a text")  # noqa: TRY004  # one kind of error for all that is wrong
    if re.search(_CONTROL, value):
        raise ValueError(f"is {value!r}, with a control character in it")
    return value


def _words(value: object) -> tuple[str, ...]:
    """A list of texts; in one text (environment, --set) a JSON list, or words quoted as for a shell."""
    if isinstance(value, str):
        value = _split(value)
    if not isinstance(value, list | tuple):
        raise ValueError(f"is {value!r}, not a list")  # noqa: TRY004  # one kind of error for all that is wrong
    return tuple(_text(word) for word in cast("list[object]", value))


def _split(text: str) -> object:
    if text.lstrip().startswith("["):
        import json

        try:
            return json.loads(text)
        except ValueError as error:
            raise ValueError(f"is no JSON list ({error}); texts in it stand in double quotes") from error
    import shlex

    return shlex.split(text)


def _path(text: str, origin: Origin) -> Path:
    home = origin.environ.get("HOME", "")
    if home and (text == "~" or text.startswith("~/")):
        text = home + text[1:]
    try:
        expanded = Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"is {text!r}, but there is no such home folder") from error
    return Path(os.path.normpath(origin.folder / expanded))
