"""Which environments a working directory has, of which profile each is, and which ports each is allotted.

An environment says in its own folder what it is (env/NAME/environment.json: profile and slot), so that it is the same
from run to run, goes aside with its data and comes back with it. app.py asks; only `enrol` writes.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.profile import Profile
from shiftboss.model.value import Value
from shiftboss.system.files import ensure_private_folder, write_atomic

FOLDER = "env"
FILE = "environment.json"
STRIDE = 10
"""Ports of one slot are so far from those of the next; what clashes all the same moves on by one."""
LAST_PORT = 65535
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}"


class Place(Value):
    """One environment: what it is, and which turn it has when ports are allotted."""

    name: str
    profile: str
    slot: int


def known_places(home: Path, profiles: Mapping[str, Profile]) -> dict[str, Place]:
    """The environments a working directory has, by name, in the order in which they came."""
    folder = home / FOLDER
    found = [_place(path, profiles) for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    places = sorted((one for one in found if one is not None), key=lambda one: (one.slot, one.name))
    return {one.name: one for one in places}


def purged_places(home: Path, profiles: Mapping[str, Profile]) -> dict[str, Place]:
    """The environments whose whole folder lies aside (see system/aside.py), by name; a newer one wins."""
    notes = sorted((home / "aside").glob(f"*/data/{FOLDER}/*/{FILE}"))
    found = (_place(path.parent, profiles) for path in notes)
    return {one.name: one for one in found if one is not None}


def _place(folder: Path, profiles: Mapping[str, Profile]) -> Place | None:
    """What a folder says it is; one from before it said so is of the profile of its name."""
    try:
        told: Any = json.loads((folder / FILE).read_text())
        profile, slot = str(told["profile"]), int(told["slot"])
    except (OSError, ValueError, TypeError, KeyError):
        profile, slot = folder.name, 0
    return Place(name=folder.name, profile=profile, slot=slot) if profile in profiles else None


def chosen_places(
    asked: Sequence[str], known: Mapping[str, Place], profiles: Mapping[str, Profile]
) -> dict[str, Place]:
    """The environments a command is about: those asked for, else all there are, else one of the first profile.

    Raises:
        BadInput: with every finding about what was asked for.
    """
    if not asked:
        first = next(iter(profiles))
        return dict(known) or {first: Place(name=first, profile=first, slot=0)}
    wanted = [word.strip() for text in asked for word in text.split(",")]
    findings: list[Diagnostic] = []
    found: dict[str, Place] = {}
    for word in wanted:
        name, _, profile = word.partition("=")
        wrong = _objection(name, profile, word, known, profiles) or (
            f"environment {name!r} is named twice" if name in found else None
        )
        if wrong:
            findings.append(_finding(wrong, known, profiles))
        else:
            found[name] = known.get(name) or Place(name=name, profile=profile or name, slot=_free_slot(known, found))
    if findings:
        raise BadInput(findings)
    return found


def _free_slot(*taken: Mapping[str, Place]) -> int:
    slots = {place.slot for places in taken for place in places.values()}
    return next(slot for slot in range(len(slots) + 1) if slot not in slots)


def _objection(
    name: str, profile: str, word: str, known: Mapping[str, Place], profiles: Mapping[str, Profile]
) -> str | None:
    if re.fullmatch(_NAME, name) is None or word.endswith("="):
        return f"{word!r} names no environment"
    if name in known:
        other = profile and profile != known[name].profile
        return f"environment {name!r} is there already, and is {known[name].profile}, not {profile}" if other else None
    if (profile or name) not in profiles:
        return f"unknown environment {name!r}" if not profile else f"unknown profile {profile!r}"
    return None


def _finding(what: str, known: Mapping[str, Place], profiles: Mapping[str, Profile]) -> Diagnostic:
    here = f"; here already: {', '.join(known)}" if known else ""
    remedy = f"--env takes NAME or NAME=PROFILE, with commas between; profiles: {', '.join(profiles)}{here}"
    return Diagnostic(place="command line", path="--env", what=what, remedy=remedy)


def allotted(places: Iterable[Place], preferred: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """The ports of each environment by name; `preferred` are those its settings ask for, as if it were alone.

    The first slot has its preferred ones. No two environments are given the same port, in whichever order they came.

    Raises:
        BadInput: there are not enough ports.
    """
    taken: set[int] = set()
    found: dict[str, dict[str, int]] = {}
    for place in sorted(places, key=lambda one: (one.slot, one.name)):
        own: dict[str, int] = {}
        for name, port in preferred[place.name].items():
            own[name] = next(_upwards(place, name, port + STRIDE * place.slot, taken))
            taken.add(own[name])
        found[place.name] = own
    return found


def _upwards(place: Place, name: str, port: int, taken: set[int]) -> Iterator[int]:
    yield from (one for one in range(port, LAST_PORT + 1) if one not in taken)
    what = f"environment {place.name!r} has no room for its port {name}: {port} and all above are taken or too high"
    raise BadInput([Diagnostic(place="settings", path=f"ports.{name}", what=what, remedy="Set a lower one")])


def enrol(home: Path, places: Iterable[Place]) -> None:
    """Write down what each environment is, where that is not known yet; idempotent."""
    for place in places:
        folder = home / FOLDER / place.name
        path = folder / FILE
        text = json.dumps({"profile": place.profile, "slot": place.slot}) + "\n"
        if not path.is_file() or path.read_text() != text:
            ensure_private_folder(folder)
            write_atomic(path, text)


def give_slot(home: Path, name: str, profiles: Mapping[str, Profile]) -> list[str]:
    """Let an environment that came back take no other one's ports; the changes made. Idempotent."""
    others = known_places(home, profiles)
    place = others.pop(name, None)
    if place is None or place.slot not in {one.slot for one in others.values()}:
        return []
    enrol(home, [place.but(slot=_free_slot(others))])
    return [f"gave {name} other ports: those it had belong to another environment now"]
