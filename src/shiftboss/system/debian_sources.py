"""Finds the Debian mirror that the machine itself uses, in its apt source files.

Called by `debian_apt` with the text of those files. Pure: no file is read here and no host name is known here.
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from shiftboss.model.value import Value

ALIASES = ("stable", "oldstable", "oldoldstable", "testing", "unstable", "sid")


class Source(Value):
    """One `deb` entry: where packages come from. `signed_by` is as written, empty when absent."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""


def parse_sources(text: str, *, deb822: bool) -> list[Source]:
    """Read one source file, in the deb822 form (`.sources`) or the one-line form (`.list`).

    Both are described in sources.list(5). Entries that are switched off, source-only or malformed are left out:
    apt itself reports those.
    """
    return list(_parse_deb822(text) if deb822 else _parse_lines(text))


def choose_mirror(sources: Sequence[Source], codename: str) -> Source | None:
    """The machine's own Debian mirror: the first entry that serves the running release over http(s).

    Security mirrors never qualify, as they do not carry other suites. Third parties name their suites like
    Debian's, so an entry that names Debian's keyring or archive goes before one that does not.
    """
    usable = [source for source in sources if _is_usable(source)]
    ranked = sorted(usable, key=lambda source: (not _is_debian(source), codename not in source.suites))
    for source in ranked:
        if codename in source.suites or set(ALIASES) & set(source.suites):
            return source
    return None


def _is_usable(source: Source) -> bool:
    url = urlsplit(source.uri)
    security = "security" in url.path or any("security" in s or "/updates" in s for s in source.suites)
    return url.scheme in ("http", "https") and "main" in source.components and not security


def _is_debian(source: Source) -> bool:
    return "debian-archive" in source.signed_by or "debian" in urlsplit(source.uri).path.split("/")


def _parse_lines(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        kind, *rest = line.partition("#")[0].split(maxsplit=1)[:2] or [""]
        if kind != "deb" or not rest:
            continue
        options, words = _split_options(rest[0])
        if len(words) >= 2:
            yield Source(
                uri=words[0],
                suites=(words[1],),
                components=tuple(words[2:]),
                signed_by=options.get("signed-by", ""),
            )


def _split_options(rest: str) -> tuple[dict[str, str], list[str]]:
    options = ""
    if rest.startswith("["):
        options, _, rest = rest[1:].partition("]")
    pairs = (word.partition("=") for word in options.split())
    return {key.lower(): value for key, _, value in pairs}, rest.split()


def _parse_deb822(text: str) -> Iterator[Source]:
    for fields in stanzas(text):
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        for uri in fields.get("uris", "").split():
            yield Source(
                uri=uri,
                suites=tuple(fields.get("suites", "").split()),
                components=tuple(fields.get("components", "").split()),
                signed_by=fields.get("signed-by", ""),
            )


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """Split deb822 text into stanzas of lower-case field name -> value, continuation lines joined."""
    fields: dict[str, str] = {}
    name = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0].isspace():
            if name:
                fields[name] += "\n" + line.strip()
        else:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()


def parse_shell(text: str) -> dict[str, str]:
    """Read the NAME='value' lines that `apt-config shell` prints."""
    words: Iterable[str] = shlex.split(text)
    return {name: value for name, _, value in (word.partition("=") for word in words)}
