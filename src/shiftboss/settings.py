"""Reads the settings: defaults < ./shiftboss.toml < WORKDIR/shiftboss.toml < SHIFTBOSS_GROUP__KEY variables < --set.

Called once by app.py; everybody else gets the Settings value. Everything wrong is reported at once, with its place and
what to do. The table of keys is settings_table.py. Nothing here looks whether a named file exists: that may change
while we run, and is for the probes to say.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.settings_kinds import Kind, Origin, is_loopback, split_address
from shiftboss.settings_table import (
    Cache,
    Daemon,
    Limits,
    Miner,
    Pool,
    Ports,
    Probes,
    Proof,
    Row,
    Settings,
    Store,
    Templates,
    Wallet,
    groups,
    table,
)

__all__ = [
    "FILE_NAME",
    "Cache",
    "Daemon",
    "Limits",
    "Miner",
    "Pool",
    "Ports",
    "Probes",
    "Proof",
    "Row",
    "Settings",
    "Sources",
    "Store",
    "Templates",
    "Wallet",
    "is_loopback",
    "load_settings",
    "read_sources",
    "split_address",
]

FILE_NAME = "shiftboss.toml"
COMMAND_LINE = "command line"
ENVIRONMENT = "environment"
_PREFIX = "SHIFTBOSS_"
_TEST_PREFIX = "SHIFTBOSS_TEST_"
_RPC_LOGIN_ARGUMENT = r"(?i)-{1,2}rpc(password|user|auth)\b"
_OF_ENVIRONMENT = r"env\.([^.]+)\.(.+)"
"""A key that holds in one environment only."""
_PLACEHOLDER = r"\{(\w*)\}"
POOL_PLACEHOLDERS = ("rpc", "rpc_cookie_file", "stratum_port", "address", "zmq")


class Written(NamedTuple):
    """One value as a person wrote it, and where."""

    key: str
    value: object
    place: str
    origin: Origin
    line: int | None = None
    path: str = ""  #: how the key is spelt there


class _Findings:
    """What was found so far: good values with their place, bad keys, diagnostics."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.written: dict[str, Written] = {}
        self.bad: set[str] = set()
        self.diagnostics: list[Diagnostic] = []

    def add(self, place: Written, what: str, remedy: str) -> None:
        self.diagnostics.append(
            Diagnostic(place=place.place, line=place.line, path=place.path, what=what, remedy=remedy)
        )


def load_settings(workdir: Path, *, sets: Sequence[str] = (), environ: Mapping[str, str], cwd: Path) -> Settings:
    """The settings of a run, from all sources; `sets` are the KEY=VALUE arguments of --set.

    Raises:
        BadInput: with every finding of every source.
    """
    return read_sources(workdir, sets=sets, environ=environ, cwd=cwd).settings()


class Sources:
    """Everything a person has written, read once; makes the settings of the whole, and those of one environment.

    A key that begins with `env.NAME.` holds in that environment only, and there above the same key without it.
    """

    def __init__(self, written: Sequence[Written], findings: Sequence[Diagnostic], cache: Path) -> None:
        self._written = written
        self._findings = findings
        self._cache = cache

    @property
    def environments(self) -> set[str]:
        """Names of the environments that something is written for."""
        return {found[1] for one in self._written if (found := re.match(_OF_ENVIRONMENT, one.key))}

    def settings(self, environment: str = "", defaults: Mapping[str, str] = MappingProxyType({})) -> Settings:
        """The settings, those of one environment where it is named; `defaults` are weaker than anything written.

        Raises:
            BadInput: with every finding of every source.
        """
        findings = _Findings()
        findings.diagnostics += self._findings
        findings.values = {"cache.folder": self._cache}
        origin = Origin(folder=Path(), environ={})
        weakest = [Written(key=key, value=text, place="profile", origin=origin) for key, text in defaults.items()]
        own = [one._replace(key=key) for one in self._written if (key := _within(one.key, environment))]
        general = [one for one in self._written if not re.match(_OF_ENVIRONMENT, one.key)]
        known = table()
        for one in (*weakest, *general, *own):
            _take(one, known, findings)
        for keys, what, remedy in contradictions(_with_defaults(findings.values)):
            if not findings.bad.intersection(keys):
                findings.add(_place_of(keys, findings.written), what, remedy)
        if findings.diagnostics:
            raise BadInput(findings.diagnostics)
        return _build(findings.values)


def _within(key: str, environment: str) -> str:
    """The key inside of `env.NAME.`, if it is of that environment; empty if not."""
    found = re.match(_OF_ENVIRONMENT, key)
    return found[2] if found and environment and found[1] == environment else ""


def read_sources(workdir: Path, *, sets: Sequence[str] = (), environ: Mapping[str, str], cwd: Path) -> Sources:
    """Read all sources; what is wrong with them is told by `Sources.settings`."""
    findings = _Findings()
    written: list[Written] = []
    for folder in dict.fromkeys((cwd.absolute(), workdir.absolute())):
        written += _from_file(folder / FILE_NAME, environ, findings)
    written += _from_environment(environ, cwd)
    written += _from_arguments(sets, environ, cwd, findings)
    findings.diagnostics += _misspelt_variables(environ, table())
    return Sources(written, findings.diagnostics, _cache_folder(environ, cwd))


def contradictions(values: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """What is wrong between settings that are each right: the keys, what, and the remedy."""
    if bool(values["daemon.rpc"]) != bool(values["daemon.cookie_file"]):
        given, missing = ("daemon.rpc", "daemon.cookie_file")[:: 1 if values["daemon.rpc"] else -1]
        yield (
            (given, missing),
            f"{given} is set without {missing}",
            f"Set {missing} too: one is no use without the other.",
        )
    for one, other in (("pool.command", "pool.attach"), ("daemon.binary", "daemon.rpc")):
        if values[one] and values[other]:
            yield (
                (one, other),
                f"{one} and {other} are both set",
                f"Keep one of them; an empty {one} or {other} unsets it.",
            )
    for key in ("daemon.zmq", "daemon.peer"):
        if values[key] and values["daemon.rpc"]:
            yield (key, "daemon.rpc"), f"{key} is for a daemon that shiftboss starts", f"Leave {key} or daemon.rpc out."
    yield from _equal_ports(values)
    yield from _bad_arguments(values)


def _equal_ports(values: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    ports = [key for key in values if key.startswith("ports.")]
    for count, key in enumerate(ports):
        for other in ports[:count]:
            if values[key] == values[other]:
                yield (other, key), f"{other} and {key} are both {values[key]}", "Give each its own port."


def _bad_arguments(values: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    known = " ".join(f"{{{name}}}" for name in POOL_PLACEHOLDERS)
    for name in re.findall(_PLACEHOLDER, " ".join(values["pool.command"])):
        if name not in POOL_PLACEHOLDERS:
            yield ("pool.command",), f"pool.command holds the unknown placeholder {{{name}}}", f"Known ones: {known}."
        elif name == "zmq" and not values["daemon.zmq"]:
            yield ("pool.command",), "pool.command holds {zmq}, but daemon.zmq is off", "Set daemon.zmq = yes."
    for word in values["daemon.args"]:
        if re.match(_RPC_LOGIN_ARGUMENT, word):
            yield (
                ("daemon.args",),
                f"daemon.args holds {word.partition('=')[0]}, which everybody on this machine can read",
                "Leave it out: the daemon's cookie file is used.",
            )


def _take(one: Written, known: Mapping[str, Any], findings: _Findings) -> None:
    """Read one written value into the findings; a stronger source overwrites a weaker one."""
    row = known.get(one.key)
    if row is None:
        findings.bad.add(one.key)
        findings.add(one, *_unknown(one.key, known))
        return
    kind: Kind = row.metadata["kind"]
    try:
        value = kind.read(one.value, one.origin)
    except ValueError as error:
        findings.bad.add(one.key)
        findings.add(one, f"{one.key} {error}", f"Give {kind.name}.")
        return
    if value is None and one.key == "cache.folder":
        return  # empty: as if it were not set
    findings.values[one.key] = value
    findings.written[one.key] = one


def _unknown(key: str, known: Mapping[str, Any]) -> tuple[str, str]:
    """What to say of a key that is not in the table."""
    import difflib

    if key in groups():
        inside = ", ".join(name for name in known if name.startswith(f"{key}."))
        return f"{key} is a group of settings, not a setting", f"It holds: {inside}."
    near = difflib.get_close_matches(key, known, n=1) or [name for name in known if name.endswith(f".{key}")]
    remedy = f"Did you mean {' or '.join(near)}?" if near else f"The groups are: {', '.join(groups())}."
    return f"there is no setting {key}", remedy


def _from_file(path: Path, environ: Mapping[str, str], findings: _Findings) -> list[Written]:
    try:
        text = path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):  # the working directory itself is judged when it is opened
        return []
    except (OSError, UnicodeDecodeError) as error:
        what = (
            "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"it can't be read: {error.strerror}"
        )
        findings.diagnostics.append(Diagnostic(place=str(path), what=what, remedy="Mend it, or move it away."))
        return []
    import tomllib

    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        findings.diagnostics.append(_syntax(path, text, str(error)))
        return []
    lines = key_lines(text)
    origin = Origin(folder=path.parent, environ=environ)
    return [
        Written(key=key, value=value, place=str(path), line=_line_of(key, lines), origin=origin)
        for key, value in _flat(content)
    ]


def _syntax(path: Path, text: str, message: str) -> Diagnostic:
    found = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = int(found[1]) if found and found[1] else text.count("\n") + 1
    what = message[: found.start()] if found else message
    remedy = 'Write KEY = VALUE under its [group]; texts stand in "quotes", lists in [brackets].'
    return Diagnostic(place=str(path), line=line, what=what, remedy=remedy)


def _flat(content: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in content.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and (value or key in groups()):
            yield from _flat(cast("dict[str, object]", value), f"{key}.")
        else:
            yield key, value


_HEADER = r"\s*\[\[?\s*([^\[\]#]+?)\s*\]"
_KEY = r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""


def key_lines(text: str) -> dict[str, int]:
    """On which line each key and each [group] of a TOML text stands."""
    lines: dict[str, int] = {}
    prefix = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(_HEADER, line):
            prefix = _bare(header[1])
            lines.setdefault(prefix, number)
        elif key := re.match(_KEY, line):
            lines.setdefault(f"{prefix}.{_bare(key[1])}".lstrip("."), number)
    return lines


def _bare(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))


def _line_of(key: str, lines: Mapping[str, int]) -> int | None:
    """The key's line, or that of the nearest thing it stands in (an inline table)."""
    while key and key not in lines:
        key = key.rpartition(".")[0]
    return lines.get(key)


def _from_environment(environ: Mapping[str, str], cwd: Path) -> list[Written]:
    """Variables like SHIFTBOSS_DAEMON__BINARY; those without two underscores in a row are not settings."""
    origin = Origin(folder=cwd.absolute(), environ=environ)
    return [
        Written(
            key=name.removeprefix(_PREFIX).replace("__", ".").lower(),
            value=value,
            place=ENVIRONMENT,
            path=name,
            origin=origin,
        )
        for name, value in sorted(environ.items())
        if name.startswith(_PREFIX) and "__" in name and not name.startswith(_TEST_PREFIX)
    ]


def _misspelt_variables(environ: Mapping[str, str], known: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Variables that would be a setting with one more underscore: silently they would do nothing."""
    for key in known:
        group, _, name = key.upper().partition(".")
        written, right = f"{_PREFIX}{group}_{name}", f"{_PREFIX}{group}__{name}"
        if written in environ:
            what = f"{written} is not read: two underscores stand between a group and its setting"
            remedy = f"Call it {right}" + (", or unset it: that one is set too." if right in environ else ".")
            yield Diagnostic(place=ENVIRONMENT, path=written, what=what, remedy=remedy)


def _from_arguments(
    sets: Sequence[str], environ: Mapping[str, str], cwd: Path, findings: _Findings
) -> Iterator[Written]:
    origin = Origin(folder=cwd.absolute(), environ=environ)
    for argument in sets:
        key, equals, value = argument.partition("=")
        one = Written(key=key.strip(), value=value, place=COMMAND_LINE, path=f"--set {key}", origin=origin)
        if equals:
            yield one
        else:
            findings.add(one, f"--set {argument} has no value", "Write --set KEY=VALUE.")


def _cache_folder(environ: Mapping[str, str], cwd: Path) -> Path:
    if own := environ.get("SHIFTBOSS_CACHE"):
        return cwd.absolute() / own
    shared = environ.get("XDG_CACHE_HOME", "")
    if shared.startswith("/"):  # the specification: a relative one must be ignored
        return Path(shared) / "shiftboss"
    home = environ.get("HOME")
    return Path(home) / ".cache" / "shiftboss" if home else Settings().cache.folder


def _with_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: values.get(key, row.default) for key, row in table().items()}


def _place_of(keys: Sequence[str], written: Mapping[str, Written]) -> Written:
    """Where to mend a contradiction: at the last written of its keys."""
    order = list(written)
    return written[max((key for key in keys if key in written), key=order.index)]


def _build(values: Mapping[str, Any]) -> Settings:
    parts: dict[str, Any] = {}
    for name, group in groups().items():
        given = {key.partition(".")[2]: value for key, value in values.items() if key.startswith(f"{name}.")}
        parts[name] = group(**given)
    return Settings(**parts)
