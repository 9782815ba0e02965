"""A mind for tests: answers as it was told to, and keeps what it was asked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shiftboss.errors import MindFailed
from shiftboss.model.mind import Question, Reply, Usage

Answer = Mapping[str, Any] | MindFailed | Callable[[Question], Mapping[str, Any]]


class ScriptedMind:
    """Gives its answers in turn, then the last one for ever; an answer may be a function of the question."""

    name = "test:scripted"

    def __init__(self, *answers: Answer, usage: Usage | None = None, seconds: float = 0.5) -> None:
        self._answers: Sequence[Answer] = answers
        self._usage = usage or Usage(calls=1, tokens=100, money=0.001)
        self._seconds = seconds
        self.asked: list[Question] = []

    async def ask(self, question: Question, seconds: float) -> Reply:
        answer = self._answers[min(len(self.asked), len(self._answers) - 1)]
        self.asked.append(question)
        if isinstance(answer, MindFailed):
            raise answer
        values = answer(question) if callable(answer) else answer
        return Reply(values=values, model=self.name, usage=self._usage, seconds=self._seconds)


def options(question: Question, name: str = "decision") -> tuple[str, ...]:
    """What may be chosen in a field of a question."""
    return next(field.options for field in question.fields if field.name == name)


def pick(*words: str) -> Callable[[Question], Mapping[str, Any]]:
    """Chooses the first option that holds one of the words, else the first of all."""

    def answer(question: Question) -> Mapping[str, Any]:
        names = options(question)
        found = next((name for word in words for name in names if word in name), names[0])
        return {"decision": found, "also": [], "reasoning": f"because of {found}", "quotes": []}

    return answer
