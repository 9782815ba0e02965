"""Answers kept in a file and taken from it, so that a run or a test can be repeated without a network or a bill.

One JSON line per answer. A question is known by what is asked without what differs from time to time (numbers, paths,
ids), so the same situation in another run finds its answer; the question itself is not stored.
"""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shiftboss.contracts import Mind
from shiftboss.errors import BadInput, MindFailed
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.failure import without_particulars
from shiftboss.model.mind import Question, Reply, Usage
from shiftboss.system.files import append_line


def key_of(question: Question) -> str:
    """The same for two questions that ask the same, in whatever order their options stand."""
    asked = [
        question.purpose,
        without_particulars(question.system),
        sorted(without_particulars(line) for line in question.text.splitlines()),
        [[one.name, str(one.kind), sorted(one.options)] for one in question.fields],
    ]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:24]


class RecordingMind:
    """Asks another mind and writes down what it answered, failures too."""

    def __init__(self, mind: Mind, path: Path) -> None:
        """Both as they are.

        Raises:
            BadInput: nothing can be written there.
        """
        if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
            remedy = "Name a file in a folder that is there and that you may write to."
            raise BadInput([_finding(path, None, "no answers can be written there", "brain.record", remedy)])
        self.name = mind.name
        self._mind = mind
        self._path = path

    async def ask(self, question: Question, seconds: float) -> Reply:
        """As the other mind's; raises what that raises."""
        row = {"key": key_of(question), "purpose": question.purpose, "model": self.name}
        try:
            reply = await self._mind.ask(question, seconds)
        except MindFailed as error:
            self._write(
                {
                    **row,
                    "failed": error.verdict,
                    "why": str(error),
                    "usage": vars(error.usage),
                    "seconds": error.seconds,
                }
            )
            raise
        self._write({**row, "values": reply.values, "usage": vars(reply.usage), "seconds": reply.seconds})
        return reply

    def _write(self, row: Mapping[str, Any]) -> None:
        append_line(self._path, json.dumps(row, ensure_ascii=False))


class ReplayMind:
    """Answers out of a recording; of several answers to the same question in their order, the last one for ever."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            BadInput: it can't be read, or is no recording.
        """
        self._answers: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        rows = list(_rows(path))
        for row in rows:
            self._answers[row["key"]].append(row)
        self.name = str(rows[0]["model"]) if rows else "nobody"

    async def ask(self, question: Question, seconds: float) -> Reply:  # noqa: ARG002 - answers at once
        """The recorded answer.

        Raises:
            MindFailed: as recorded, or because there is none to this question.
        """
        answers = self._answers.get(key_of(question))
        if not answers:
            raise MindFailed("unrecorded", "the recording has no answer to this question (brain.replay)")
        row = answers.pop(0) if len(answers) > 1 else answers[0]
        if "failed" in row:
            raise MindFailed(str(row["failed"]), str(row["why"]))
        usage, model = Usage(**row["usage"]), str(row["model"])
        return Reply(values=row["values"], model=model, usage=usage, seconds=0.0, replayed=True)


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput([_finding(path, None, f"it can't be read: {error}")]) from error
    for number, line in enumerate(lines, 1):
        try:
            row: Any = json.loads(line)
            _ = row["key"], row["model"], row["usage"], row["failed"] if "failed" in row else row["values"]
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput([_finding(path, number, "it is no line of a recording")]) from error
        yield row


def _finding(
    path: Path,
    line: int | None,
    what: str,
    key: str = "brain.replay",
    remedy: str = "Name a file that brain.record wrote.",
) -> Diagnostic:
    return Diagnostic(place=str(path), line=line, path=key, what=what, remedy=remedy)
