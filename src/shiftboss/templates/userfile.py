"""One user's file as read: between the parser and the builder, with what is already known to be wrong with it."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from shiftboss.model.diagnostic import Severity
from shiftboss.model.value import Value
from shiftboss.templates.draft import Moves
from shiftboss.templates.finding import DocumentPath, Finding
from shiftboss.templates.positions import Positions


class UserFile(Value):
    """One file as read: its data, if any, and whether it may be built."""

    source: str
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    positions: Positions
    findings: tuple[Finding, ...] = ()
    moves: Moves = field(default_factory=dict[DocumentPath, DocumentPath])  #: where its parts stand in the file
    foreign: bool = False  #: it was written in a dialect of the original format

    @property
    def is_pipeline(self) -> bool:
        """Pipelines have stages; agents have none."""
        return "stages" in self.data

    @property
    def usable(self) -> bool:
        """Whether its shape is right, warnings or not."""
        return bool(self.data) and all(found.severity is Severity.WARNING for found in self.findings)

    @property
    def id(self) -> str:
        """The id it claims, right or not; the file's name where it claims none."""
        return str(self.data.get("id") or Path(self.source).stem)
