"""A finding about something a person wrote: a template, a settings file, an argument."""

from enum import StrEnum

from shiftboss.model.value import Value


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  #: the input can't be used
    WARNING = "warning"  #: it can be used, but it is probably not what was meant


class Diagnostic(Value):
    """One finding: what is wrong, where it stands and how to mend it."""

    severity: Severity = Severity.ERROR
    place: str  #: file name (or 'command line', 'environment')
    line: int | None = None  #: 1-based line in that file, where there is one
    path: str = ""  #: place inside the document, e.g. stages[2].agent
    what: str
    remedy: str

    def __str__(self) -> str:
        where = self.place if self.line is None else f"{self.place}:{self.line}"
        inside = f" ({self.path})" if self.path else ""
        return f"{where}: {self.severity}: {self.what}{inside}. {self.remedy}"
