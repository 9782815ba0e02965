"""The download cache by hand: what is in it, fill it before it is needed, check it.

Called by frontends/verbs_cache.py. Only the cache's folder is written, no working directory is needed, nothing is
started. What `up` does by itself (fetch what is missing, fetch anew what is damaged) it does without this.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from shiftboss.app import Session
from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.value import Value
from shiftboss.system import debian_cache
from shiftboss.system.debian_cache import Deb, DebSet
from shiftboss.system.packages import PackageSpec
from shiftboss.system.packages import fetch as fetch_package


class Held(Value):
    """A package with all it needs, as the cache holds it."""

    folder: Path
    name: str
    version: str  #: empty when the set is not whole
    fetched: str  #: UTC
    files: Sequence[Deb]

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(deb.size for deb in self.files)


class Damage(Value):
    """Files of the cache that can't be used as they are."""

    folder: Path
    name: str
    files: Sequence[str]  #: gone or altered; none: the list of files itself can't be read


class Fetched(Value):
    """What `fetch` made sure of."""

    held: Held
    new: bool  #: something was downloaded
    warnings: Sequence[str]


def held(session: Session) -> list[Held]:
    """Everything in the cache; changes nothing.

    Raises:
        BadInput: where it should be is something else than a folder.
    """
    return [_held(folder, debian_cache.load_set(folder)) for folder in _folders(session)]


def _folders(session: Session) -> list[Path]:
    folder = session.settings.cache.folder
    try:
        nearest = next(one for one in (folder, *folder.absolute().parents) if one.exists())
        if not nearest.is_dir():
            raise _unusable(folder, f"{nearest} is no folder")
        return debian_cache.set_folders(folder)
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from None


def _unusable(folder: Path, why: str) -> BadInput:
    what = f"the cache {folder} can't be used: {why}"
    remedy = "Name a folder that is yours, in the variable SHIFTBOSS_CACHE or the setting cache.folder"
    return BadInput([Diagnostic(place="cache.folder", what=what, remedy=remedy)])


def _held(folder: Path, found: DebSet | None) -> Held:
    if found is None:
        return Held(folder=folder, name=folder.name, version="", fetched="", files=())
    return Held(folder=folder, name=found.name, version=found.version(), fetched=found.fetched, files=found.debs)


def damaged(session: Session) -> list[Damage]:
    """What is not as it was recorded, each file compared with its SHA-256; changes nothing."""
    found: list[Damage] = []
    for folder in _folders(session):
        whole = debian_cache.load_set(folder)
        files = debian_cache.find_damaged(folder, whole.debs) if whole else []
        if whole is None or files:
            found.append(Damage(folder=folder, name=folder.name, files=files))
    return found


async def fetch(session: Session, say: Callable[[str], None]) -> Fetched:
    """Have everything in the cache that `up` would fetch, so that it needs no network; idempotent.

    Raises:
        BadInput: the cache's folder can't be made.
        ShiftbossError: it can't be had here, with the reason.
    """
    warnings: list[str] = []
    folder = session.settings.cache.folder
    _folders(session)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from None
    found, had = await fetch_package(_package(session), cache=folder, warn=warnings.append, progress=say)
    here = next(one for one in held(session) if (one.name, one.fetched) == (found.name, found.fetched))
    return Fetched(held=here, new=not had, warnings=warnings)


def _package(session: Session) -> PackageSpec:
    module, _, name = session.pack.download.partition(":")
    return getattr(import_module(module), name)
