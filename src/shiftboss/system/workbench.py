"""What a probe or handler gets to work with: its environment, settings, clock and processes. No globals."""

from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from shiftboss.model.brief import Brief
from shiftboss.model.consent import Answer
from shiftboss.model.events import Consulted, NoteAddressed, ToolUsed
from shiftboss.model.mind import Usage
from shiftboss.model.move import Risk
from shiftboss.model.value import Value
from shiftboss.settings import Settings
from shiftboss.system.clock import Clock
from shiftboss.system.environment import Environment
from shiftboss.system.process import Processes

if TYPE_CHECKING:  # a run that recovers nothing needs neither
    from shiftboss.system.aside import Aside
    from shiftboss.system.undo import UndoLog


def _silent(_text: str) -> None:
    """Nobody listens (probes outside a run)."""


def _unheard(_event: Consulted | ToolUsed | NoteAddressed) -> None:
    """Nobody keeps a journal (outside a run)."""


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
    briefed: Callable[[], Brief] = Brief  #: the words around an order; put together for those who read them only
    tell: Callable[[Consulted | ToolUsed | NoteAddressed], None] = _unheard  #: into the run's journal
    usage: Callable[[], Usage] = Usage  #: what models have cost in this run so far
    rules: Mapping[Risk, Answer] = field(default_factory=dict[Risk, Answer])  #: what may be done without asking

    @property
    def brief(self) -> Brief:
        """The words around an order, for agents that are prompts or commands."""
        return self.briefed()

    @property
    def ports(self) -> dict[str, int]:
        """The ports in force, by name: rpc, p2p, stratum, pool_status, zmq, peer."""
        return self.environment.ports(vars(self.settings.ports))

    @property
    def aside(self) -> "Aside":
        """Where data of this environment is moved instead of being thrown away."""
        from shiftboss.system.aside import Aside

        return Aside(self.home, self.environment.name)

    @property
    def undo(self) -> "UndoLog":
        """Where a recovery writes down how each of its steps is taken back."""
        from shiftboss.system.undo import UndoLog

        return UndoLog(self.home, self.environment.folder / "undo", self.aside, self.clock.now)
