"""The key to a model: read from the environment or a file, and taken out of every text that could show it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.settings_table import Brain

_HOLDS_A_KEY = re.compile(r"(API_?KEY|TOKEN|SECRET|PASSWORD)$")
_SHORTEST = 8
"""What is shorter is no key, and taking it out would only garble texts."""


def read_key(brain: Brain, environ: Mapping[str, str]) -> str | None:
    """The key that was named; None where none was, so that the provider looks where it always does.

    Raises:
        BadInput: what was named is not there, or others could read it.
    """
    if brain.key_file is not None:
        return _from_file(brain.key_file)
    if not brain.key_variable:
        return None
    if not environ.get(brain.key_variable):
        what = f"the variable {brain.key_variable}, which brain.key_variable names, is not set"
        raise BadInput([_finding("brain.key_variable", what, "Set it where you call shiftboss.")])
    return _usable(environ[brain.key_variable].strip(), "brain.key_variable", f"the variable {brain.key_variable}")


def _from_file(path: Path) -> str:
    try:
        mode, text = path.stat().st_mode, path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        what = f"{path} can't be read: {getattr(error, 'strerror', None) or 'it is no text'}"
        raise BadInput(
            [_finding("brain.key_file", what, "Name a file that holds the key and nothing else.")]
        ) from error
    if mode & 0o077:
        what = f"{path} can be read by others"
        raise BadInput([_finding("brain.key_file", what, f"chmod 600 {path}")])
    if not text:
        raise BadInput([_finding("brain.key_file", f"{path} is empty", "Write the key into it.")])
    return _usable(text, "brain.key_file", str(path))


def _usable(key: str, setting: str, place: str) -> str:
    """The key, if it is one line that can be sent."""
    if not (key.isascii() and key.isprintable()):
        what = f"{place} holds characters that no key has, such as line ends"
        raise BadInput([_finding(setting, what, "Put the key there, and nothing else.")])
    return key


def _finding(key: str, what: str, remedy: str) -> Diagnostic:
    return Diagnostic(place="settings", path=key, what=what, remedy=remedy)


class Scrubber:
    """Takes keys out of texts: the one that is used, and whatever in the environment looks like one by its name."""

    def __init__(self, key: str | None, environ: Mapping[str, str]) -> None:
        found = {value for name, value in environ.items() if _HOLDS_A_KEY.search(name.upper())}
        self._keys = sorted((one for one in {*found, key or ""} if len(one) >= _SHORTEST), key=len, reverse=True)

    def clean(self, text: str) -> str:
        """The text without any of them."""
        for key in self._keys:
            text = text.replace(key, "[removed]")
        return text

    def clean_all(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The texts and lists of texts of an answer without any of them."""
        return {
            name: [*map(self.clean, cast("list[str]", said))] if isinstance(said, list) else self.clean(str(said))
            for name, said in values.items()
        }
