"""Works out which Debian packages a program needs to run from a private folder.

Called by `debian_apt` with the text of `apt-cache show`. Pure and deterministic: the same text gives the same list.
It is no solver: one suite holds one version of each package, so version bounds are left to the library check that
ends every installation.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from shiftboss.model.value import Value
from shiftboss.system.debian_errors import InstallFailed
from shiftboss.system.debian_sources import stanzas

STEP = "work out the packages that are needed"


class Package(Value):
    """What the signed index says about one package. `needs` holds groups of alternatives, by name."""

    name: str
    version: str
    sha256: str
    size: int
    needs: tuple[tuple[str, ...], ...] = ()
    provides: tuple[str, ...] = ()


def parse_packages(text: str) -> dict[str, Package]:
    """Read the stanzas of `apt-cache show`; of a package named twice the first (newest) counts."""
    found: dict[str, Package] = {}
    for fields in stanzas(text):
        if "package" in fields and "sha256" in fields:
            package = _package(fields)
            found.setdefault(package.name, package)
    return found


def closure(packages: Mapping[str, Package], root: str, exclude: Sequence[str]) -> list[Package]:
    """The root and all it depends on, by name: of alternatives the first that exists.

    A dependency whose chosen alternative matches a pattern of `exclude` is dropped: such packages only serve
    package scripts, which never run here.

    Raises:
        InstallFailed: the root, or every alternative of a dependency, is not in the suite.
    """
    chosen: dict[str, Package] = {}
    open_groups: list[tuple[str, ...]] = [(root,)]
    while open_groups:
        group = open_groups.pop()
        name = _first_existing(group, packages)
        if name is None and _is_excluded(group[0], exclude):
            continue
        if name is None:
            raise InstallFailed(STEP, last_lines=[f"the suite has none of: {', '.join(group)}"])
        if name not in chosen and (name == root or not _is_excluded(name, exclude)):
            chosen[name] = packages[name]
            open_groups += packages[name].needs
    return [chosen[name] for name in sorted(chosen)]


def _package(fields: Mapping[str, str]) -> Package:
    depends = [fields.get(field, "") for field in ("pre-depends", "depends")]
    return Package(
        name=fields["package"],
        version=fields.get("version", ""),
        sha256=fields["sha256"].lower(),
        size=int(fields.get("size", "0")),
        needs=tuple(group for text in depends for group in _groups(text)),
        provides=tuple(name for group in _groups(fields.get("provides", "")) for name in group),
    )


def _groups(text: str) -> Iterator[tuple[str, ...]]:
    for group in text.replace("\n", " ").split(","):
        if group.strip():
            yield tuple(_bare_name(one) for one in group.split("|"))


def _bare_name(relation: str) -> str:
    """`libc6:any (>= 2.34)` -> `libc6`."""
    return relation.strip().partition(" ")[0].partition("(")[0].partition(":")[0]


def _first_existing(group: Sequence[str], packages: Mapping[str, Package]) -> str | None:
    for name in group:
        if name in packages:
            return name
    providers = (p.name for p in packages.values() if set(group) & set(p.provides))
    return min(providers, default=None)


def _is_excluded(name: str, exclude: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in exclude)
