"""What a probe or handler gets to work with: its environment, settings, clock and processes. No globals."""

from collections.abc import Callable
from pathlib import Path

from shiftboss.model.value import Value
from shiftboss.settings import Settings
from shiftboss.system.clock import Clock
from shiftboss.system.environment import Environment
from shiftboss.system.process import Processes


def _silent(_text: str) -> None:
    """Nobody listens (probes outside a run)."""


class Workbench(Value):
    """Everything a probe or handler may use, for one environment."""

    home: Path  #: the working directory
    environment: Environment
    settings: Settings
    clock: Clock
    processes: Processes
    run: str = ""
    delegation: str = ""
    warn: Callable[[str], None] = _silent  #: tell a person something that stops nothing

    @property
    def ports(self) -> dict[str, int]:
        """The ports in force, by name: rpc, p2p, stratum, pool_status."""
        preferred = self.settings.ports
        return self.environment.ports(
            {
                "rpc": preferred.rpc,
                "p2p": preferred.p2p,
                "stratum": preferred.stratum,
                "pool_status": preferred.pool_status,
            }
        )
