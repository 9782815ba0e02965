"""The model client for real: function models of pydantic-ai in every output mode, and a decision model over HTTP."""

import asyncio
import json
import socket

import pytest
from pydantic_ai import ModelHTTPError
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from shiftboss.errors import MindFailed
from shiftboss.minds.client import ClientMind
from shiftboss.minds.key import Scrubber
from shiftboss.minds.opening import open_mind
from shiftboss.minds.providers import model_for, output_for
from shiftboss.model.mind import Field, FieldKind, Question
from shiftboss.settings_table import Brain

QUESTION = Question(
    purpose="decide",
    system="you choose",
    text="the pool is down",
    fields=(
        Field(name="decision", kind=FieldKind.CHOICE, options=("e/pool/ensure", "e/daemon/ensure"), doc="what"),
        Field(name="reasoning", kind=FieldKind.TEXT, size=80, doc="why"),
    ),
)
GOOD = {"decision": "e/pool/ensure", "reasoning": "it is down"}
BAD = {"decision": "e/pool/remove", "reasoning": "it is down"}
KEY = "sk-very-secret-0123"


class Speaker:
    """Answers like a model in one output mode, one answer after the other."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.prompts: list[str] = []

    def __call__(self, messages, info: AgentInfo) -> ModelResponse:
        self.prompts.append(str(messages))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, dict) and info.output_tools:
            return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, answer)])
        return ModelResponse(parts=[TextPart(answer if isinstance(answer, str) else json.dumps(answer))])


def mind_of(speaker: Speaker, output: str, **more) -> ClientMind:
    return ClientMind("test:function", FunctionModel(speaker), output, Scrubber(KEY, {}), **more)


def ask(mind: ClientMind, seconds: float = 10.0):
    return asyncio.run(mind.ask(QUESTION, seconds))


@pytest.mark.parametrize("output", ["tool", "native", "prompted"])
def test_a_typed_answer_comes_back_whatever_the_way(output: str):
    reply = ask(mind_of(Speaker(GOOD), output))
    assert reply.values == GOOD
    assert reply.usage.calls == 1
    assert reply.usage.tokens > 0
    assert reply.model == "test:function"


@pytest.mark.parametrize("output", ["tool", "native", "prompted"])
def test_an_answer_outside_the_options_is_asked_for_once_more_and_then_given_up(output: str):
    speaker = Speaker(BAD, GOOD)
    reply = ask(mind_of(speaker, output))
    assert (reply.values, reply.usage.calls) == (GOOD, 2)
    with pytest.raises(MindFailed) as caught:
        ask(mind_of(Speaker(BAD, BAD, GOOD), output))
    assert caught.value.verdict == "unreadable"
    assert "Input should be 'e/pool/ensure' or 'e/daemon/ensure'" in str(caught.value)
    assert caught.value.usage.calls == 2


def test_an_answer_in_words_is_read_and_asked_for_once_more():
    assert ask(mind_of(Speaker("Hm.\nDECISION: e/pool/ensure\nREASONING: it is down"), "text")).values == GOOD
    speaker = Speaker("I'd rather talk.", "DECISION: e/daemon/ensure")
    reply = ask(mind_of(speaker, "text"))
    assert (reply.values["decision"], reply.usage.calls) == ("e/daemon/ensure", 2)
    assert "is missing" in speaker.prompts[1]
    with pytest.raises(MindFailed) as caught:
        ask(mind_of(Speaker("no", "no", "no"), "text"))
    assert caught.value.verdict == "unreadable"


def test_what_a_provider_says_loses_its_keys():
    refused = ModelHTTPError(401, "gpt", body={"message": f"Incorrect API key provided: {KEY}"})
    with pytest.raises(MindFailed) as caught:
        ask(mind_of(Speaker(refused), "tool"))
    assert caught.value.verdict == "failed"
    assert KEY not in str(caught.value)
    assert "[removed]" in str(caught.value)


def test_whatever_the_client_raises_is_a_failure_of_the_mind():
    with pytest.raises(MindFailed) as caught:
        ask(mind_of(Speaker(ZeroDivisionError("oh")), "tool"))
    assert (caught.value.verdict, str(caught.value)) == ("failed", "the client failed: ZeroDivisionError: oh")


def test_the_time_limit_is_kept():
    async def slow(_messages, _info):
        await asyncio.sleep(60)

    mind = ClientMind("test:slow", FunctionModel(slow), "tool", Scrubber(None, {}))
    with pytest.raises(MindFailed) as caught:
        ask(mind, seconds=0.05)
    assert (caught.value.verdict, str(caught.value)) == ("late", "no answer within 0.05 s")


def test_somebody_elses_cancellation_goes_through():
    async def cancelled() -> None:
        async def slow(_messages, _info):
            await asyncio.sleep(60)

        mind = ClientMind("test:slow", FunctionModel(slow), "tool", Scrubber(None, {}))
        task = asyncio.ensure_future(mind.ask(QUESTION, 30.0))
        await asyncio.sleep(0.02)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_spans_hold_no_content_unless_it_is_asked_for():
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    told = {}
    for telemetry in ("off", "spans", "content"):
        exporter.clear()
        ask(mind_of(Speaker(GOOD), "tool", telemetry=telemetry))
        told[telemetry] = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert told["off"] == ""
    assert "shiftboss decide" in told["spans"]
    assert "gen_ai" in told["spans"]
    for text in ("the pool is down", "you choose", "it is down"):
        assert text not in told["spans"]
        assert text in told["content"]


def test_a_server_nobody_runs_is_a_failure_within_the_time():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    mind = open_mind(Brain(model="openai:any", base_url=f"http://127.0.0.1:{port}/v1"), {})
    with pytest.raises(MindFailed) as caught:
        asyncio.run(mind.ask(QUESTION, 20.0))
    assert caught.value.verdict == "failed"


PROVIDERS = [
    (Brain(model="openai:gpt-5-mini"), "OpenAIResponsesModel", "tool"),
    (Brain(model="openai:any", base_url="http://127.0.0.1:1/v1"), "OpenAIChatModel", "native"),
    (Brain(model="ollama:llama3.2", base_url="http://127.0.0.1:1/v1"), "OllamaModel", "native"),
    (Brain(model="system-one:nano", base_url="http://127.0.0.1:1"), "SystemOneModel", "tool"),
    (Brain(model="openai:gpt-5-mini", output="text"), "OpenAIResponsesModel", "text"),
]


@pytest.mark.parametrize(("brain", "kind", "output"), PROVIDERS, ids=lambda one: getattr(one, "model", one))
def test_each_provider_is_asked_in_its_own_way(brain: Brain, kind: str, output: str):
    model = model_for(brain, brain.model, KEY)
    assert (type(model).__name__, output_for(brain, brain.model)) == (kind, output)


def test_a_real_decision_model_chooses_and_writes_nothing(sparrow: str):
    mind = open_mind(Brain(model="system-one:sparrow-nano", base_url=sparrow), {"SYSTEM_ONE_API_KEY": "none"})
    reply = asyncio.run(mind.ask(QUESTION, 30.0))
    assert reply.values["decision"] in QUESTION.fields[0].options
    assert reply.values["reasoning"] == ""
