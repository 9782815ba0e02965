"""An agent that is a prompt, carried out by the model that is set, whichever that is.

The loop is ours: in each step the model chooses one tool or ends the work. It needs no tool calling of the provider's,
so that a model that only writes text will do. What it says at the end becomes an outcome that probes then judge.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from shiftboss.contracts import Handler, Mind
from shiftboss.errors import BadInput, Failed, MindFailed
from shiftboss.handlers.answers import decisions_of, keeping, outcome_of, seconds_for
from shiftboss.handlers.llm_question import FINISH, Step, question_for
from shiftboss.handlers.tool_place import ToolPlace
from shiftboss.handlers.tools import TOOLS, tools_named, use_tool
from shiftboss.model.events import Consulted, NoteAddressed
from shiftboss.model.failure import FailureKind
from shiftboss.model.mind import FieldKind, Question, Reply, Usage
from shiftboss.model.move import Delegation
from shiftboss.model.outcome import Outcome
from shiftboss.model.pipeline import Agent
from shiftboss.model.untrusted import beginning, clean, sentence
from shiftboss.system.workbench import Workbench

_KINDS = {"late": FailureKind.TIMEOUT, "spent": FailureKind.NO_PROVIDER}
_ANSWER = "your answer"


def llm_handler(agent: Agent, mind: Callable[[str], Mind]) -> Handler:
    """The handler of an agent whose file says `llm`; one that can run no command is never asked to stop anything."""

    async def handle(order: Delegation, bench: Workbench) -> Outcome:
        work = _Work(agent, _opened(agent, mind), order, bench)
        try:
            return await work.done()
        except Failed as error:
            error.changes += work.changes
            raise

    return handle if "run_command" in agent.options.tools else keeping(handle)


def _opened(agent: Agent, mind: Callable[[str], Mind]) -> Mind:
    try:
        return mind(agent.options.model)
    except (MindFailed, BadInput) as error:
        raise Failed(FailureKind.NO_PROVIDER, f"{agent.id} needs a model: {sentence(str(error))}") from error


class _Work:
    """One order in the hands of a model: what was done so far, and what it has cost."""

    def __init__(self, agent: Agent, mind: Mind, order: Delegation, bench: Workbench) -> None:
        self._agent, self._mind, self._order, self._bench = agent, mind, order, bench
        self._tools = tools_named(agent.options.tools, agent.id)
        self._words = decisions_of(agent, bench)
        self._end = bench.clock.monotonic() + seconds_for(agent, order)
        self._steps: list[Step] = []
        self._brief = bench.brief
        self._before, self._own = bench.usage(), Usage()
        self.changes: list[str] = []

    async def done(self) -> Outcome:
        """Ask, use tools, ask again, until the model ends the work or there is no answer left."""
        left, unreadable = max(1, self._agent.options.steps), 0
        while left:
            values = await self._answer(left, final=unreadable > 0 or left == 1)
            left -= 1
            if values is None:
                unreadable += 1
                continue
            unreadable = 0
            self._address(values)
            if values["action"] == FINISH:
                return self._outcome(values)
            await self._use(str(values["action"]), str(values.get("argument") or ""))
        raise Failed(FailureKind.CRASHED, f"{self._agent.id} did not finish within its answers (steps)")

    async def _answer(self, left: int, *, final: bool) -> Mapping[str, Any] | None:
        """The model's next answer; None for one that can't be read, unless that is `final`."""
        question = self._question(left)
        try:
            reply = await self._asked(question)
        except MindFailed as error:
            self._tell(question, error.verdict, error.usage, seconds=error.seconds, why=str(error))
            if error.verdict == "unreadable" and not final:
                self._steps.append(Step(action=_ANSWER, argument="", result=f"could not be read: {clean(str(error))}"))
                return None
            raise self._failed(error) from error
        values = reply.values
        self._tell(question, "followed", reply.usage, seconds=reply.seconds, reply=reply)
        return values

    async def _asked(self, question: Question) -> Reply:
        """One reply whose choices are among those offered.

        Raises:
            MindFailed: there is none, or nothing may be spent or no time is left for one.
        """
        brain = self._bench.settings.brain
        lacking = brain.allowance.lacking(self._used())
        if lacking:
            raise MindFailed("spent", lacking)
        seconds = min(brain.seconds, self._seconds())
        if seconds <= 0:
            raise MindFailed("late", "the order's time is up")
        reply = await self._mind.ask(question, seconds)
        wrong = _wrong(reply.values, question)
        if wrong:
            raise MindFailed("unreadable", wrong, reply.usage)
        return reply

    def _question(self, left: int) -> Question:
        tools = [(name, TOOLS[name].doc) for name in self._tools]
        return question_for(self._agent, self._order, self._brief, tools, self._steps, left)

    async def _use(self, action: str, argument: str) -> None:
        place = ToolPlace(
            bench=self._bench,
            order=self._order,
            commands=self._agent.options.commands,
            seconds=max(0.0, self._seconds()),
        )
        used = await use_tool(action, argument, self._tools, place)
        self.changes += [used.change] if used.change else []
        self._steps.append(Step(action=action, argument=beginning(argument, 300), result=used.text))

    def _address(self, values: Mapping[str, Any]) -> None:
        """Tell which notes it has acted on; they are not shown again."""
        named = {str(one) for one in cast("list[object]", values.get("addressed") or [])}
        met = [number for number in self._brief.notes if f"note {number}" in named]
        for number in met:
            self._bench.tell(NoteAddressed(note=number, by=self._agent.id))
        open_notes = {number: text for number, text in self._brief.notes.items() if number not in met}
        self._brief = self._brief.but(notes=open_notes)

    def _outcome(self, values: Mapping[str, Any]) -> Outcome:
        reasoning = str(values.get("reasoning") or "")
        output = beginning(str(values.get("argument") or "") or reasoning)
        outcome = outcome_of(
            str(values["decision"]), self._words, self._order, summary=reasoning, changes=tuple(self.changes)
        )
        return outcome.but(output=output)

    def _failed(self, error: MindFailed) -> Failed:
        said = f"{self._agent.id} got no answer from {self._mind.name}: {sentence(str(error))}"
        return Failed(_KINDS.get(error.verdict, FailureKind.CRASHED), said)

    def _seconds(self) -> float:
        return self._end - self._bench.clock.monotonic()

    def _used(self) -> Usage:
        """What the run has used; our own part counts also where it is not in the journal yet."""
        told, own = self._bench.usage(), self._before.plus(self._own)
        return Usage(
            calls=max(told.calls, own.calls), tokens=max(told.tokens, own.tokens), money=max(told.money, own.money)
        )

    def _tell(
        self,
        question: Question,
        verdict: str,
        usage: Usage,
        *,
        seconds: float,
        why: str = "",
        reply: Reply | None = None,
    ) -> None:
        self._own = self._own.plus(usage)
        values = reply.values if reply else dict[str, Any]()
        ends = values.get("action") == FINISH
        self._bench.tell(
            Consulted(
                purpose="work",
                model=self._mind.name,
                verdict=verdict,
                why=sentence(why),
                delegation=self._order.id,
                options=[*question.fields[0].options],
                chosen=[str(values[name]) for name in ("action", "decision")[: 2 if ends else 1]] if reply else [],
                reasoning=sentence(str(values.get("reasoning") or ""), 600),
                seconds=seconds,
                **vars(usage),
                replayed=reply.replayed if reply else False,
            )
        )


def _wrong(values: Mapping[str, Any], question: Question) -> str:
    """What is wrong with an answer's choices, in a sentence; a decision counts only where the work is ended."""
    for one in question.fields:
        said = str(values.get(one.name) or "")
        needed = one.kind is FieldKind.CHOICE and (one.name != "decision" or values.get("action") == FINISH)
        if needed and said not in one.options:
            return f"{one.name} {sentence(said, 60)!r} is none of {', '.join(one.options)}"
    return ""
