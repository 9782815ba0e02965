"""What can go wrong while a Debian package is put into a private prefix.

Raised by the debian_* modules and by `packages`; handlers turn them into typed failures. Every message says what
was tried and what to do, so a handler can show it as it is.
"""

from collections.abc import Sequence
from pathlib import Path

from shiftboss.errors import ShiftbossError

BY_HAND = "Install a bitcoind of version 24 or newer by hand and set daemon.binary to its path"


class NoProvider(ShiftbossError):
    """This machine can't provide Debian packages: a tool, the keyring or a mirror is missing."""

    def __init__(self, message: str, how_to: str = BY_HAND) -> None:
        super().__init__(f"{message}. {how_to}.")
        self.message = message
        self.how_to = how_to


class InstallFailed(ShiftbossError):
    """One step of the installation failed; `last_lines` hold what its command said at the end."""

    def __init__(
        self,
        step: str,
        *,
        command: Sequence[str] = (),
        exit_code: int | None = None,
        last_lines: Sequence[str] = (),
    ) -> None:
        ended = f" ({command[0]}, exit code {exit_code})" if command else ""
        said = f": {' / '.join(last_lines)}" if last_lines else ""
        super().__init__(f"could not {step}{ended}{said}")
        self.step = step
        self.command = tuple(command)
        self.exit_code = exit_code
        self.last_lines = tuple(last_lines)


class OutOfSpace(ShiftbossError):
    """The disk of `folder` has fewer free bytes than the installation needs."""

    def __init__(self, folder: Path, *, needed: int, free: int) -> None:
        super().__init__(
            f"{folder} has {free // 1_000_000} MB free and {needed // 1_000_000} MB are needed:"
            " free some space or choose a folder on another disk",
        )
        self.folder = folder
        self.needed = needed
        self.free = free


class BinaryBroken(ShiftbossError):
    """A program file that does not run; the message is what the system or the loader said."""
