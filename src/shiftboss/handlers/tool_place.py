"""Where a tool works: whose order it serves, on which bench, for how long. What every tool module needs."""

from pathlib import Path

from shiftboss.model.move import Delegation
from shiftboss.model.value import Value
from shiftboss.system.workbench import Workbench


class NotAllowed(Exception):
    """This use of a tool is not allowed; the text says why."""


class ToolPlace(Value):
    """What a tool may know and use."""

    bench: Workbench
    order: Delegation
    commands: tuple[tuple[str, ...], ...] = ()  #: beginnings of commands that may be run
    seconds: float  #: until the order's time is up

    @property
    def folder(self) -> Path:
        """The environment's folder, without symbolic links: nothing outside of it is read."""
        return self.bench.environment.folder.resolve()
