"""The loop over the real model client: a model that calls tools and one that only writes do the same work."""

import asyncio
import json
from pathlib import Path

import pytest
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from handler_parts import Told, agent, order
from shiftboss.handlers.making import handler_for
from shiftboss.minds.client import ClientMind
from shiftboss.minds.key import Scrubber
from shiftboss.model.brief import Brief
from shiftboss.model.events import Consulted, NoteAddressed, ToolUsed

STEPS = [
    {"action": "read_file", "argument": "pool.txt", "decision": "pool_ready", "reasoning": "look first"},
    {"action": "finish", "argument": "the report", "decision": "environment_reset", "reasoning": "so be it"},
]


def in_words(step: dict[str, str]) -> str:
    return "I think:\n" + "\n".join(f"**{name.upper()}:** {text}" for name, text in step.items())


@pytest.mark.parametrize("output", ["text", "tool", "native", "prompted"])
def test_every_kind_of_answer_will_do(home: Path, output):
    home.mkdir()
    told = Told(home, brief=Brief(notes={1: "hurry"}))
    (told.folder / "pool.txt").write_text("shares: 12")
    asked: list[str] = []

    def speaker(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        asked.append(repr(messages))
        step = STEPS[len(asked) - 1]
        if output == "text":
            text = in_words(step) + ("\nADDRESSED: note 1" if len(asked) == 2 else "")
            return ModelResponse(parts=[TextPart(text)])
        filled = {**step, "addressed": ["note 1"] if len(asked) == 2 else []}
        if output == "tool":
            return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, filled)])
        return ModelResponse(parts=[TextPart(json.dumps(filled))])

    mind = ClientMind("test:function", FunctionModel(speaker), output, Scrubber(None, {}))
    outcome = asyncio.run(handler_for(agent("llm"), lambda _name: mind)(order(), told.bench))
    assert (outcome.special, outcome.output, outcome.summary) == ("environment_reset", "the report", "so be it")
    assert "shares: 12" in asked[1]
    assert [event.verdict for event in told.of(Consulted)] == ["followed", "followed"]
    assert [event.tool for event in told.of(ToolUsed)] == ["read_file"]
    assert [event.note for event in told.of(NoteAddressed)] == [1]
