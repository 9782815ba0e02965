"""A private apt: fetches Debian packages for an ordinary user, beside the system's apt and never through it.

Called by `packages` when the cache can't serve. Reads the machine's own apt settings (mirror, proxies and every
other Acquire setting), writes only below the folder it is given, and never switches a signature check off.
"""

import platform
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from shiftboss.model.value import Value
from shiftboss.system.debian_closure import Package, closure, parse_packages
from shiftboss.system.debian_command import Finished, run, run_checked
from shiftboss.system.debian_errors import NoProvider
from shiftboss.system.debian_sources import Source, choose_mirror, parse_shell, parse_sources

KEYRINGS = tuple(Path("/usr/share/keyrings") / f"debian-archive-keyring.{end}" for end in ("gpg", "pgp"))
TOOLS = ("apt-get", "apt-cache", "apt-config", "dpkg", "dpkg-deb")
UPDATE_SECONDS = 300.0
DOWNLOAD_SECONDS = 900.0
QUERY_SECONDS = 60.0
STEP_UPDATE = "read the suite's package index"
NOT_COPIED = (  # ours below, or optional indexes that nothing here reads
    "Acquire::IndexTargets",
    "Acquire::Languages",
    "Acquire::Check-",
    "Acquire::AllowInsecure",
    "Acquire::AllowWeak",
    "Acquire::AllowDowngrade",
)


class Machine(Value):
    """What the machine's own apt knows: `settings` are its Acquire lines as `apt-config dump` prints them."""

    architecture: str
    mirror: str
    keyring: Path
    settings: tuple[str, ...] = ()


async def architecture() -> str:
    """Debian's name of this machine's architecture, e.g. `amd64`.

    Raises:
        NoProvider: this is no Debian-like machine.
    """
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise NoProvider(f"this machine has no {', '.join(missing)}, so Debian's packages can't be fetched here")
    command = ["dpkg", "--print-architecture"]
    return (await run_checked(command, step="ask dpkg for the architecture", limit_seconds=QUERY_SECONDS)).strip()


async def look_at_machine() -> Machine:
    """Read the machine's apt settings; changes nothing.

    Raises:
        NoProvider: no mirror or no Debian archive keyring was found.
    """
    arch = await architecture()
    mirror = choose_mirror(await _machine_sources(), _codename())
    if mirror is None:
        raise NoProvider("no http(s) mirror of the running Debian release stands in this machine's apt sources")
    step = "read the machine's apt settings"
    dump = await run_checked(["apt-config", "dump"], step=step, limit_seconds=QUERY_SECONDS)
    return Machine(
        architecture=arch,
        mirror=mirror.uri,
        keyring=find_keyring(mirror.signed_by, KEYRINGS),
        settings=acquire_settings(dump),
    )


def find_keyring(signed_by: str, candidates: Sequence[Path]) -> Path:
    """The Debian archive keyring: the mirror's own if it is a file of that name, else the first that exists.

    Raises:
        NoProvider: there is none.
    """
    own = [Path(word) for word in signed_by.split() if word.startswith("/") and "debian-archive" in word]
    for path in (*own, *candidates):
        if path.is_file():
            return path
    raise NoProvider("this machine has no Debian archive keyring (package debian-archive-keyring)")


def acquire_settings(dump: str) -> tuple[str, ...]:
    """The machine's settings on how to fetch (proxies, retries, time limits), without what we decide ourselves."""
    lines = [line for line in dump.splitlines() if line.startswith("Acquire::")]
    return tuple(line for line in lines if not line.startswith(NOT_COPIED))


def config_text(machine: Machine, folder: Path, *, check_expiry: bool) -> str:
    """The apt.conf(5) of the private root. Hooks of the machine are not in it, so no foreign program runs."""
    wanted = str(check_expiry).lower()
    own = {
        "APT::Architecture": machine.architecture,
        "APT::Sandbox::User": "",
        "APT::Update::Error-Mode": "any",
        "APT::Get::AllowUnauthenticated": "false",
        "Acquire::AllowInsecureRepositories": "false",
        "Acquire::AllowWeakRepositories": "false",
        "Acquire::AllowDowngradeToInsecureRepositories": "false",
        "Acquire::Check-Date": "true",
        "Acquire::Check-Valid-Until": wanted,
        "Acquire::Languages": "none",
        "Dir::State": f"{folder}/state",
        "Dir::State::lists": f"{folder}/state/lists",
        "Dir::State::status": f"{folder}/status",
        "Dir::Cache": f"{folder}/cache",
        "Dir::Cache::pkgcache": "pkgcache.bin",
        "Dir::Cache::srcpkgcache": "",
        "Dir::Log": f"{folder}/log",
        "Dir::Etc::sourcelist": f"{folder}/sources.list",
    }
    off = ("sourceparts", "parts", "main", "preferences", "preferencesparts", "trusted", "trustedparts")
    own |= {f"Dir::Etc::{name}": "/dev/null" for name in off}
    written = [f'{key} "{value}";' for key, value in own.items()]
    lists = ["#clear APT::Architectures;", f'APT::Architectures {{ "{machine.architecture}"; }};']
    return "\n".join([*machine.settings, *lists, *written, ""])


def source_line(machine: Machine, suite: str) -> str:
    """The one line of the private sources.list: only this suite, only Debian's own signature."""
    return f"deb [arch={machine.architecture} signed-by={machine.keyring}] {machine.mirror} {suite} main\n"


def expiry(said: str) -> str | None:
    """How far past its Valid-Until the Release file is, when that is what apt refused; else None."""
    found = re.search(r"is expired \(invalid since ([^)]+)\)", said)
    return found[1] if found else None


class PrivateApt:
    """An apt root of our own inside `folder`, for one suite. Thrown away with the folder after use."""

    def __init__(self, machine: Machine, folder: Path, suite: str, variables: Mapping[str, str]) -> None:
        self._machine = machine
        self._folder = folder
        self._suite = suite
        self._variables = variables
        self._config = folder / "apt.conf"

    @classmethod
    def create(cls, machine: Machine, folder: Path, suite: str, variables: Mapping[str, str]) -> Self:
        """Lay the folders and files out; nothing is fetched yet. `variables` mark apt's processes as ours."""
        for name in ("state/lists/partial", "cache/archives/partial", "log", "debs"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        (folder / "sources.list").write_text(source_line(machine, suite))
        return cls(machine, folder, suite, variables)

    async def update(self, warn: Callable[[str], None]) -> None:
        """Fetch the signed package index, strictly first.

        An index past its Valid-Until is then accepted, in this private root only and with a warning: signatures are
        still checked, freshness no longer.

        Raises:
            InstallFailed: the index can't be had or its signature is not good.
        """
        finished = await self._update(check_expiry=True)
        late = expiry(finished.stderr + finished.stdout) if finished.exit_code else None
        if late is not None:
            finished = await self._update(check_expiry=False)
        if finished.exit_code:
            raise finished.failed(STEP_UPDATE)
        if late is not None:
            warn(
                f"the index of Debian's suite {self._suite} is {late} past its expiry date; it is used all the same,"
                " as the strict try failed for this reason alone. Its signatures were still checked",
            )

    async def resolve(self, name: str, exclude: Sequence[str]) -> list[Package]:
        """The package and all it needs, with the checksums of the signed index."""
        kinds = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
        options = [f"--no-{kind}" for kind in kinds]
        tree = await self._query("apt-cache", "depends", "--recurse", *options, name)
        names = sorted({line.strip() for line in tree.splitlines() if re.match(r"[a-z0-9]", line)} - {""})
        shown = await self._query("apt-cache", "show", "--no-all-versions", *names)
        return closure(parse_packages(shown), name, exclude)

    async def download(self, packages: Sequence[Package]) -> Path:
        """Fetch the packages at once and return the folder they are in. Checksums are the caller's to compare."""
        folder = self._folder / "debs"
        wanted = [f"{package.name}={package.version}" for package in packages]
        if wanted:
            await run_checked(
                ["apt-get", "download", *wanted],
                step="download the packages",
                limit_seconds=DOWNLOAD_SECONDS,
                environment=self._environment,
                folder=folder,
            )
        return folder

    @property
    def _environment(self) -> dict[str, str]:
        return {**self._variables, "APT_CONFIG": str(self._config)}

    async def _update(self, *, check_expiry: bool) -> Finished:
        self._config.write_text(config_text(self._machine, self._folder, check_expiry=check_expiry))
        return await run(
            ["apt-get", "update"],
            step=STEP_UPDATE,
            limit_seconds=UPDATE_SECONDS,
            environment=self._environment,
        )

    async def _query(self, *command: str) -> str:
        return await run_checked(
            command,
            step="read the package index",
            limit_seconds=QUERY_SECONDS,
            environment=self._environment,
        )


async def _machine_sources() -> list[Source]:
    command = ["apt-config", "shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"]
    step = "find the machine's apt sources"
    places = parse_shell(await run_checked(command, step=step, limit_seconds=QUERY_SECONDS))
    return read_sources(Path(places.get("LIST", "/dev/null")), Path(places.get("PARTS", "/dev/null")))


def read_sources(main: Path, parts: Path) -> list[Source]:
    """The entries of the main source file and of the folder of further ones, in apt's own order."""
    further = sorted(path for path in parts.glob("*") if path.suffix in (".list", ".sources"))
    return [source for path in (main, *further) if path.is_file() for source in _read_sources(path)]


def _read_sources(path: Path) -> list[Source]:
    try:
        text = path.read_text(errors="replace")
    except PermissionError:  # apt warns of such files and goes on; so do we
        return []
    return parse_sources(text, deb822=path.suffix == ".sources")


def _codename() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError as error:
        raise NoProvider("this machine does not say which system it is (no os-release file)") from error
    codename = release.get("DEBIAN_CODENAME") or release.get("VERSION_CODENAME")
    if not codename:
        raise NoProvider(f"{release.get('PRETTY_NAME', 'this system')} names no Debian release")
    return codename
