"""What the tests of prompt and command handlers share: a bench that keeps what it is told, orders, a scripted mind."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shiftboss.errors import MindFailed
from shiftboss.handlers.making import handler_for
from shiftboss.model.brief import Brief
from shiftboss.model.consent import Answer
from shiftboss.model.events import Consulted, NoteAddressed, ToolUsed
from shiftboss.model.mind import Question, Reply, Usage
from shiftboss.model.move import Delegation, Mode, Risk
from shiftboss.model.pipeline import Agent, HandlerOptions
from shiftboss.settings import Settings, load_settings
from shiftboss.system import proc
from shiftboss.system.clock import SystemClock
from shiftboss.system.environment import Environment
from shiftboss.system.instance import marks_of
from shiftboss.system.process import Processes
from shiftboss.system.workbench import Workbench

WORDS = ("pool_ready", "pool_failure", "environment_reset")
CANARY = "canary7h3s3cr3t"


def settings(home: Path, *sets: str) -> Settings:
    return load_settings(home, sets=sets, environ={"HOME": str(home)}, cwd=home)


@dataclass
class Told:
    """A bench and everything it was told."""

    home: Path
    brief: Brief = field(default_factory=Brief)
    rules: dict[Risk, Answer] = field(default_factory=lambda: {Risk.DISRUPTIVE: Answer.ALLOW})
    sets: Sequence[str] = ()
    used: Usage = field(default_factory=Usage)
    events: list[Consulted | ToolUsed | NoteAddressed] = field(default_factory=list)

    @property
    def bench(self) -> Workbench:
        environment = Environment(name="one", chain="regtest", folder=self.home / "env" / "one")
        environment.make()
        return Workbench(
            home=self.home,
            environment=environment,
            settings=settings(self.home, *self.sets),
            clock=SystemClock(),
            processes=Processes(self.home, "one", environment.run_folder),
            run="r1",
            delegation="r1/1/0",
            briefed=lambda: self.brief,
            tell=self.events.append,
            usage=lambda: self.used,
            rules=self.rules,
        )

    @property
    def folder(self) -> Path:
        return self.bench.environment.folder

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def order(mode: Mode = Mode.ENSURE, **more: Any) -> Delegation:
    fields = {
        "id": "r1/1/0",
        "run": "r1",
        "environment": "one",
        "component": "pool",
        "agent": "pool_agent",
        "mode": mode,
        "strategy": None,
        "keyword": "delegate_pool_setup",
        "attempt": 1,
        "deadline": 30.0,
    }
    return Delegation(**{**fields, **more})


def agent(handler: str, source: str = "", system_prompt: str = "You look after the pool.", **options: Any) -> Agent:
    return Agent(
        id="pool_agent",
        decisions=WORDS,
        handler=handler,
        system_prompt=system_prompt,
        source=source,
        options=HandlerOptions(**options),
    )


def no_mind(_name: str) -> Any:
    raise MindFailed("failed", "no model is set")


def cancelled_once(begun: Callable[[], bool], one: Agent, told: Told) -> None:
    """An order is cancelled as soon as its agent is at work."""

    async def cancel() -> None:
        task = asyncio.create_task(handler_for(one, no_mind)(order(), told.bench))
        while not begun():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


def marked(home: Path) -> list[int]:
    """Living processes that carry the marks of a working directory."""
    found = [(pid, marks_of(pid)) for pid in proc.pids()]
    return [pid for pid, marks in found if marks and marks.home == str(home.resolve()) and proc.is_running(pid)]


class ScriptedMind:
    """Answers in order; a callable is given the question, an error is raised. The last one is repeated."""

    name = "test:scripted"

    def __init__(self, *answers: dict[str, Any] | MindFailed | Callable[[Question], dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.questions: list[Question] = []

    async def ask(self, question: Question, seconds: float) -> Reply:
        self.questions.append(question)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, MindFailed):
            raise answer
        values = answer(question) if callable(answer) else answer
        return Reply(values=values, model=self.name, usage=Usage(calls=1, tokens=100, money=0.001), seconds=0.01)

    def open(self, _name: str) -> "ScriptedMind":
        return self
