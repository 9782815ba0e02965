"""A folder of agents and pipelines in any dialect -> a folder of ours, with every finding on the way.

Called by frontends/verbs_import.py. What is in error is not written, and neither is what needs it; an existing file
that differs is never overwritten. Agents that no pipeline sends for go into a folder that is not loaded.
"""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic, Severity
from shiftboss.model.pipeline import Catalogue
from shiftboss.model.value import Value
from shiftboss.system.files import write_atomic
from shiftboss.templates.extends import needs
from shiftboss.templates.finding import listing
from shiftboss.templates.native import as_file
from shiftboss.templates.user import Reading, is_spare, read
from shiftboss.templates.userfile import UserFile

UNUSED = "unused"  #: folder of agents in no pipeline; nothing is loaded from it
_MODE = 0o644


class Imported(Value):
    """What has become of a folder."""

    folder: Path  #: where the files were written
    found: tuple[tuple[str, Diagnostic], ...]  #: every finding, with what it is counted under
    written: tuple[Path, ...]  #: new files
    unchanged: tuple[Path, ...]  #: files that were there already, just so
    left_out: tuple[str, ...]  #: files whose agent or pipeline shiftboss has itself
    refused: Mapping[str, str]  #: file that could not be written, and why

    @property
    def complete(self) -> bool:
        """Whether everything could be taken over."""
        return not self.refused and all(found.severity is not Severity.ERROR for _, found in self.found)


def import_folder(folder: Path, to: Path | None, base: Catalogue) -> Imported:
    """Read the folder, and write what is right in it to another one, by default beside it.

    Raises:
        BadInput: the other folder lies in this one, where it would be read as well; or there is nothing to import.
    """
    out = to or folder.absolute().with_name(f"{folder.absolute().resolve().name}-imported")
    if folder.is_dir() and out.resolve().is_relative_to(folder.resolve()):
        what, remedy = f"{out} lies in the folder that is read", "Name another one with --to."
        raise BadInput([Diagnostic(place="command line", what=what, remedy=remedy)])
    reading = read([folder], base)
    if folder.is_dir() and not reading.files:
        what, remedy = f"there are no templates in {folder}", "Name the folder that holds 'agents' and 'templates'."
        raise BadInput([Diagnostic(place="command line", what=what, remedy=remedy)])
    left_out = [file for file in reading.files if is_spare(file, base)]
    good = usable_files(reading, [file for file in reading.files if file not in left_out], base)
    refused = [file for file in reading.files if file not in good and file not in left_out]
    outcomes = [_write(path, text) for path, text in documents(good, base, out)]
    unwritten = tuple(("file not written", found) for found in outcomes if isinstance(found, Diagnostic))
    return Imported(
        folder=out,
        found=(*reading.found, *unwritten),
        written=tuple(path for new, path in _pairs(outcomes) if new),
        unchanged=tuple(path for new, path in _pairs(outcomes) if not new),
        left_out=tuple(file.source for file in left_out),
        refused={file.source: _why(file, reading, good, base) for file in refused},
    )


def _why(file: UserFile, reading: Reading, good: Iterable[UserFile], base: Catalogue) -> str:
    """Why a file was not written."""
    if not file.usable or not file.is_pipeline or file.source in reading.wrong:
        return "it has errors"
    there = {(one.is_pipeline, one.id) for one in good}
    agents = [name for name in sorted(_agents(file)) if (False, name) not in there and name not in base.agents]
    others = [name for name in needs(file) if (True, name) not in there and name not in base.pipelines]
    return f"it needs {listing([*agents, *others])}"


def usable_files(reading: Reading, files: Iterable[UserFile], base: Catalogue) -> list[UserFile]:
    """The files without an error, that need no other file with one."""
    good = [file for file in files if file.usable and file.source not in reading.wrong]
    while True:
        agents = {file.id for file in good if not file.is_pipeline} | set(base.agents)
        pipelines = {file.id for file in good if file.is_pipeline} | set(base.pipelines)
        left = [file for file in good if not file.is_pipeline or _has_all(file, agents, pipelines)]
        if len(left) == len(good):
            return good
        good = left


def _has_all(file: UserFile, agents: set[str], pipelines: set[str]) -> bool:
    return set(needs(file)) <= pipelines and _agents(file) <= agents


def _agents(file: UserFile) -> set[str]:
    return {item["agent"] for item in file.data["stages"] if item.get("agent")}


def documents(good: Iterable[UserFile], base: Catalogue, out: Path) -> Iterator[tuple[Path, str]]:
    """Each file to be written, with its text."""
    files = list(good)
    used = {name for file in files if file.is_pipeline for name in _agents(file)}
    used |= {stage.agent for pipeline in base.pipelines.values() for stage in pipeline.stages}
    for file in files:
        kind = "pipelines" if file.is_pipeline else "agents" if file.id in used else UNUSED
        yield out / kind / f"{file.id}.json", as_file(file)


def _write(path: Path, text: str) -> tuple[bool, Path] | Diagnostic:
    """Whether the file is new, or why it was not written."""
    try:
        if os.path.lexists(path):
            if path.is_file() and path.read_bytes() == text.encode():
                return False, path
            what = "this file is there already and differs from what would be written"
            return Diagnostic(place=str(path), what=what, remedy="Move it away, or name another folder with --to.")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text, _MODE)
    except OSError as error:
        what = f"this file can't be written: {error.strerror}"
        return Diagnostic(place=str(path), what=what, remedy=_remedy(error))
    return True, path


def _remedy(error: OSError) -> str:
    if error.errno == errno.ENAMETOOLONG:
        return "The file is named after the id: give it a shorter one."
    return "Make room, or name another folder with --to."


def _pairs(outcomes: Iterable[tuple[bool, Path] | Diagnostic]) -> list[tuple[bool, Path]]:
    return [one for one in outcomes if not isinstance(one, Diagnostic)]


def counts(found: Iterable[tuple[str, Diagnostic]]) -> Mapping[str, int]:
    """How many findings there are of each kind, most first."""
    numbers: dict[str, int] = {}
    for topic, _ in found:
        numbers[topic] = numbers.get(topic, 0) + 1
    return dict(sorted(numbers.items(), key=lambda item: (-item[1], item[0])))
