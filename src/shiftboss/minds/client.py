"""The one place that knows the model client (pydantic-ai): any provider of it, behind `contracts.Mind`.

Imported only when a model is really asked: it costs more than a second. Everything a provider or the client raises
becomes a MindFailed; keys are taken out of every text that leaves here.
"""

import asyncio
import time
import warnings
from typing import Any

from pydantic_ai import Agent, ModelRetry, NativeOutput, PromptedOutput, RunUsage, ToolOutput, UsageLimits, exceptions
from pydantic_ai.capabilities import AgentCapability, Instrumentation
from pydantic_ai.models import Model
from pydantic_ai.models.decision import DecisionModel
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.settings import ModelSettings

from shiftboss.errors import MindFailed
from shiftboss.minds.key import Scrubber
from shiftboss.minds.plain_text import instructions_for, read_answer
from shiftboss.minds.shape import form_of, values_of
from shiftboss.model.mind import FieldKind, Question, Reply, Usage
from shiftboss.model.untrusted import sentence

ASKED_AGAIN = 1
"""How often an answer that can't be read is asked for once more."""

ROOM = 1500
"""Tokens of an answer beside its texts; models that think before they answer need some."""

_LIMITS = UsageLimits(request_limit=1 + ASKED_AGAIN)

warnings.filterwarnings("ignore", module=r"pydantic_ai\b")  # of odd token counts and prices: nothing for a user's eyes


class ClientMind:
    """A model of some provider."""

    def __init__(self, name: str, model: Model, output: str, scrubber: Scrubber, telemetry: str = "off") -> None:
        """`output` is how the shape is asked for: native, tool, prompted or text."""
        self.name = name
        self._model = model
        self._output = output
        self._scrubber = scrubber
        self._telemetry = telemetry
        self._texts = not isinstance(model, DecisionModel)  # decision models choose and write nothing

    async def ask(self, question: Question, seconds: float) -> Reply:
        """The reply, within so many seconds; one that can't be read is asked for once more.

        Raises:
            MindFailed: there is none that could be used.
        """
        began, used = time.monotonic(), RunUsage()
        limit = asyncio.timeout(seconds)
        try:
            async with limit, self._model:  # its connections end with the answer: nobody closes a mind
                values = await self._values(question, used)
        except Exception as error:
            said = sentence(self._scrubber.clean(str(_cause(error))))  # a key that is cut in half is not known as one
            verdict, why = _verdict(error, said, late=limit.expired(), seconds=seconds)
            raise MindFailed(verdict, why, _usage(used), _since(began)) from error
        values = self._scrubber.clean_all(values)  # its server knows the key, and may say it
        return Reply(values=values, model=self.name, usage=_usage(used), seconds=_since(began))

    async def _values(self, question: Question, used: RunUsage) -> dict[str, Any]:
        if self._output == "text":
            return await self._in_words(question, used)
        form = form_of(question, texts=self._texts)
        agent = self._agent(question, _asked_by(self._output, form))
        result = await agent.run(question.text, usage=used, usage_limits=_LIMITS)
        return values_of(result.output, question)

    async def _in_words(self, question: Question, used: RunUsage) -> dict[str, Any]:
        found: dict[str, Any] = {}
        agent = self._agent(question, str)

        @agent.output_validator
        def readable(text: Any) -> Any:  # pyright: ignore[reportUnusedFunction] - called by the agent
            try:
                found.update(read_answer(str(text), question))
            except ValueError as error:
                raise ModelRetry(str(error)) from error
            return text

        await agent.run(f"{question.text}\n\n{instructions_for(question)}", usage=used, usage_limits=_LIMITS)
        return found

    def _agent(self, question: Question, output_type: Any) -> Agent[None, Any]:
        return Agent(
            self._model,
            output_type=output_type,
            deps_type=type(None),
            instructions=question.system,
            retries=ASKED_AGAIN,
            model_settings=_settings(question) if self._texts else None,
            capabilities=self._instrumentation(),
            name=f"shiftboss {question.purpose}",
        )

    def _instrumentation(self) -> list[AgentCapability[None]]:
        """Spans without what was asked and answered, unless that is wanted (it holds log lines)."""
        if self._telemetry == "off":
            return []
        content = self._telemetry == "content"
        return [
            Instrumentation(InstrumentationSettings(include_content=content, include_model_request_parameters=content))
        ]


def _asked_by(output: str, form: type[Any]) -> Any:
    match output:
        case "native":
            return NativeOutput(form, strict=False)  # strict ones lose the length limits that small models need
        case "prompted":
            return PromptedOutput(form)
        case _:
            return ToolOutput(form)


def _settings(question: Question) -> ModelSettings:
    """Deterministic where the provider can be; room for the longest answer that the fields allow."""
    texts = [one for one in question.fields if one.kind in (FieldKind.TEXT, FieldKind.TEXTS)]
    longest = sum(one.size * (one.most if one.kind is FieldKind.TEXTS else 1) for one in texts)
    return ModelSettings(temperature=0.0, max_tokens=ROOM + longest)


def _usage(used: RunUsage) -> Usage:
    cost = getattr(used, "cost", None)
    return Usage(calls=max(1, used.requests), tokens=used.total_tokens, money=float(cost) if cost is not None else 0.0)


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def _cause(error: Exception) -> BaseException:
    """What says most of why an answer could not be read: the client itself only says that it gave up asking."""
    if not isinstance(error, exceptions.UnexpectedModelBehavior):
        return error
    found: BaseException = error
    while found.__cause__ is not None:
        found = found.__cause__
    return found


def _verdict(error: Exception, said: str, *, late: bool, seconds: float) -> tuple[str, str]:
    """The journal's word for what went wrong, and a sentence."""
    match error:
        case TimeoutError() if late:
            return "late", f"no answer within {seconds:g} s"
        case exceptions.ContentFilterError():
            return "refused", f"the model refused: {said}"
        case exceptions.UnexpectedModelBehavior() | exceptions.UsageLimitExceeded():
            return "unreadable", f"its answer could not be read: {said}"
        case exceptions.AgentRunError() | exceptions.UserError() | OSError() | TimeoutError():
            return "failed", f"it can't be asked: {said}"
        case _:
            return "failed", f"the client failed: {type(error).__name__}: {said}"
