"""An agent that is a prompt, carried out by Claude's own agent program.

The program lives in a home of its own inside the environment's folder and sees nothing of the user's settings. Each use
of a tool passes the guard first, and secrets are taken out of what a tool returns before the model sees it. The answer
has a fixed shape and one of the agent's words; probes judge it afterwards.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

from shiftboss.contracts import Handler
from shiftboss.errors import Failed
from shiftboss.handlers.answers import address_notes, decisions_of, outcome_of, seconds_for, takes_away
from shiftboss.handlers.claude_guard import Guard, only_looks, tools_named
from shiftboss.handlers.claude_program import answer_shape, hooks_for, options_for, package, usage_of
from shiftboss.handlers.llm_question import brief_text
from shiftboss.handlers.sweeping import swept
from shiftboss.handlers.tool_place import ToolPlace
from shiftboss.model.events import Consulted
from shiftboss.model.failure import FailureKind
from shiftboss.model.mind import Usage
from shiftboss.model.move import Delegation
from shiftboss.model.outcome import Outcome, done
from shiftboss.model.pipeline import Agent
from shiftboss.model.untrusted import beginning, sentence
from shiftboss.system.workbench import Workbench

_NOT_LET_IN = frozenset({401, 403})


def claude_handler(agent: Agent) -> Handler:
    """The handler of an agent whose file says `claude`; one that can only look is never asked to stop anything."""

    async def handle(order: Delegation, bench: Workbench) -> Outcome:
        if takes_away(order) and only_looks(agent.options.tools, agent.id):
            return done("kept")
        return await _Work(agent, order, bench).done()

    return handle


class _Work:
    """One order in the hands of the program."""

    def __init__(self, agent: Agent, order: Delegation, bench: Workbench) -> None:
        self._agent, self._order, self._bench = agent, order, bench
        self._seconds = seconds_for(agent, order)
        self._words = decisions_of(agent, bench)
        self._tools = tools_named(agent.options.tools, agent.id)
        place = ToolPlace(bench=bench, order=order, commands=agent.options.commands, seconds=self._seconds)
        self._guard = Guard(self._tools, place)
        self._errors: list[str] = []

    async def done(self) -> Outcome:
        """Let the program work, and read its answer."""
        try:
            async with swept(self._order, self._bench):
                answer = await self._answer()
        except Failed as error:
            error.changes += self._guard.changes
            raise
        reasoning, output = str(answer.get("reasoning") or ""), beginning(str(answer.get("output") or ""))
        address_notes(f"{output}\n{reasoning}", self._agent, self._bench)
        outcome = outcome_of(
            str(answer["decision"]), self._words, self._order, summary=reasoning, changes=tuple(self._guard.changes)
        )
        return outcome.but(output=output or beginning(reasoning))

    async def _answer(self) -> Mapping[str, Any]:
        sdk, money = package(self._agent.id), self._money()
        try:
            async with asyncio.timeout(self._seconds):
                result = await self._result(sdk, money)
        except TimeoutError as error:
            raise self._gave_up("late", FailureKind.TIMEOUT, f"no answer within {self._seconds:g} s") from error
        except sdk.CLINotFoundError as error:
            raise self._gave_up("failed", FailureKind.NO_PROVIDER, str(error)) from error
        except sdk.ClaudeSDKError as error:
            raise self._gave_up("failed", FailureKind.CRASHED, self._with_errors(str(error))) from error
        return self._read(result)

    def _money(self) -> float:
        """US dollars that it may cost: what the order may, and no more than is left of the run's."""
        brain, used = self._bench.settings.brain, self._bench.usage()
        lacking = brain.allowance.lacking(used)
        if lacking:
            raise self._gave_up("spent", FailureKind.NO_PROVIDER, lacking)
        return min(self._agent.options.money, brain.money - used.money)

    async def _result(self, sdk: Any, money: float) -> Any:
        """The program's last message; None when it ended without one."""
        options = sdk.ClaudeAgentOptions(
            **options_for(sdk, self._agent, self._order, self._bench, self._tools),
            hooks=hooks_for(sdk, self._guard),
            max_budget_usd=money,
            output_format=answer_shape(self._words),
            stderr=self._errors.append,
        )
        async with sdk.ClaudeSDKClient(options) as client:
            await client.query(brief_text(self._agent, self._order, self._bench.brief))
            async for message in client.receive_response():
                if isinstance(message, sdk.ResultMessage):
                    return message
        return None

    def _read(self, result: Any) -> Mapping[str, Any]:
        """The answer, with a word that is the agent's."""
        if result is None:
            raise self._gave_up("failed", FailureKind.CRASHED, self._with_errors("it ended without an answer"))
        usage, answer = usage_of(result), result.structured_output
        if result.is_error or result.subtype != "success":
            kind = FailureKind.NO_PROVIDER if result.api_error_status in _NOT_LET_IN else FailureKind.CRASHED
            said = " ".join([result.subtype, *(result.errors or []), result.result or ""])
            raise self._gave_up("failed", kind, said, usage)
        found = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
        if found.get("decision") not in self._words:
            raise self._gave_up("unreadable", FailureKind.CRASHED, "its answer has none of the agent's words", usage)
        self._tell("followed", usage, chosen=[str(found["decision"])], reasoning=str(found.get("reasoning") or ""))
        return found

    def _with_errors(self, text: str) -> str:
        return " ".join([text, *self._errors[-3:]])

    def _gave_up(self, verdict: str, kind: FailureKind, why: str, usage: Usage | None = None) -> Failed:
        self._tell(verdict, usage or Usage(), why=why)
        return Failed(kind, f"{self._agent.id} got no answer from Claude's program: {sentence(why)}")

    def _tell(
        self, verdict: str, usage: Usage, *, why: str = "", chosen: Sequence[str] = (), reasoning: str = ""
    ) -> None:
        self._bench.tell(
            Consulted(
                purpose="work",
                model=f"claude:{self._agent.options.model or 'default'}",
                verdict=verdict,
                why=sentence(why),
                delegation=self._order.id,
                options=list(self._words),
                chosen=list(chosen),
                reasoning=sentence(reasoning, 600),
                **vars(usage),
            )
        )
