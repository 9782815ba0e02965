"""One isolated place of a stack: its folder, chain and ports. Everything it keeps lies below its folder."""

import json
from collections.abc import Mapping
from pathlib import Path

from shiftboss.model.value import Value
from shiftboss.system.files import ensure_private_folder, write_atomic


class Environment(Value):
    """Where an environment keeps what is its own."""

    name: str
    profile: str = "regtest"  #: what kind of environment it is
    chain: str
    folder: Path

    @property
    def run_folder(self) -> Path:
        """Pid files."""
        return self.folder / "run"

    @property
    def log_folder(self) -> Path:
        """What our processes print."""
        return self.folder / "logs"

    def make(self) -> None:
        """Create the folders; idempotent."""
        for folder in (self.folder, self.run_folder, self.log_folder):
            ensure_private_folder(folder)

    def ports(self, preferred: Mapping[str, int]) -> dict[str, int]:
        """The ports in force: the preferred ones, except those that had to move."""
        moved = self._moved()
        return {
            name: moved[name]["port"] if name in moved and moved[name]["instead_of"] == port else port
            for name, port in preferred.items()
        }

    def move_port(self, name: str, preferred: int, port: int) -> None:
        """Use another port than the preferred one from now on (until the setting itself changes)."""
        moved = {**self._moved(), name: {"instead_of": preferred, "port": port}}
        write_atomic(self.folder / "ports.json", json.dumps(moved, indent=1, sort_keys=True))

    def _moved(self) -> dict[str, dict[str, int]]:
        try:
            return json.loads((self.folder / "ports.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
