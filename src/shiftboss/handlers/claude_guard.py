"""Which uses of its tools Claude's program is allowed: those its agent's file names, where consent allows them.

Asked by claude.py before each use, whatever the program itself would allow. It knows nothing of the program's package.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shiftboss.errors import Failed
from shiftboss.handlers.tool_command import allowed_command
from shiftboss.handlers.tool_files import inside, refuse_secret
from shiftboss.handlers.tool_place import NotAllowed, ToolPlace
from shiftboss.model.consent import Answer
from shiftboss.model.events import ToolUsed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Risk
from shiftboss.model.untrusted import sentence

ANSWERS = "StructuredOutput"
"""The tool by which the program takes the final answer; it touches nothing."""

LOOKING = ("Read", "Glob")
_WRITING = ("Edit", "Write")
_KNOWN = (*LOOKING, "Grep", *_WRITING, "Bash")
_OURS = {"read_file": "Read", "tail_log": "Read", "list_files": "Glob", "run_command": "Bash"}
_SHELL = re.compile(r"[;&|<>$`(){}\[\]*?~!#\\\n]")  # what a shell would read as more than words


def tools_named(names: Sequence[str], who: str) -> tuple[str, ...]:
    """The program's tools that an agent's file names, by its names or ours; those that only look where it names none.

    Raises:
        Failed: there is no such tool (kind CONFIG).
    """
    found = [_OURS.get(name, name) for name in names]
    for name in found:
        if name not in _KNOWN:
            raise Failed(FailureKind.CONFIG, f"{who} names the unknown tool {name}; there are {', '.join(_KNOWN)}")
    return tuple(dict.fromkeys(found)) or LOOKING


def only_looks(names: Sequence[str], who: str) -> bool:
    """Whether these tools change nothing."""
    return not {*tools_named(names, who)} & {*_WRITING, "Bash"}


class Guard:
    """Judges each use of a tool, and tells it to the journal before it is made."""

    def __init__(self, tools: Sequence[str], place: ToolPlace) -> None:
        self._tools, self._place = tools, place
        self.changes: list[str] = []  #: what the program was allowed to change

    def refusal(self, tool: str, given: Mapping[str, Any]) -> str:
        """Why this use is not allowed; empty when it is. Never raises: whatever can't be judged is not allowed."""
        if tool == ANSWERS:
            return ""
        argument = sentence(str(given.get("command") or given.get("file_path") or given.get("pattern") or ""))
        try:
            self._judge(tool, given)
            why = ""
        except (NotAllowed, OSError, ValueError, TypeError, KeyError) as error:
            why = sentence(f"not allowed: {error}")
        if not why and tool in {*_WRITING, "Bash"}:
            self.changes.append(f"{tool} {argument}")
        used = ToolUsed(
            delegation=self._place.order.id, tool=tool, argument=argument, allowed=not why, result=why or "allowed"
        )
        self._place.bench.tell(used)
        return why

    def _judge(self, tool: str, given: Mapping[str, Any]) -> None:
        if tool not in self._tools:
            raise NotAllowed(f"there is no tool {tool} here")
        match tool:
            case "Read":
                self._file(given["file_path"])
            case "Grep":
                if not self._file(given["path"]).is_file():  # a search in many files would read secrets too
                    raise NotAllowed("only one ordinary file may be searched: give its path")
            case "Glob":
                self._pattern(str(given["pattern"]), given.get("path"))
            case "Bash":
                self._command(str(given["command"]))
            case _:
                self._consent()
                self._file(given["file_path"])

    def _file(self, path: Any) -> Path:
        found = inside(str(path), self._place.folder)
        refuse_secret(found, self._place.folder)
        return found

    def _pattern(self, pattern: str, path: Any) -> None:
        if ".." in pattern or pattern.startswith(("/", "~")):
            raise NotAllowed("only names in the environment's folder may be looked for")
        inside(str(path or "."), self._place.folder)

    def _command(self, line: str) -> None:
        if _SHELL.search(line):
            raise NotAllowed("a command must be plain words, without signs that a shell reads")
        allowed_command(line, self._place.commands, self._place.bench)

    def _consent(self) -> None:
        if self._place.bench.rules.get(Risk.DISRUPTIVE) is not Answer.ALLOW:
            raise NotAllowed("changing files needs consent to what is disruptive (consent.disruptive = allow)")
