"""Everything that asks the real language model; all of it in this file, see tests/models.py."""

import json

import pytest

from models import ask

pytestmark = [pytest.mark.llm, pytest.mark.timeout(900)]

OPTIONS = ["delegate_pool_setup", "delegate_daemon_setup", "escalate"]


def test_it_answers_within_a_schema(smollm: str):
    schema = {
        "type": "object",
        "properties": {"decision": {"enum": OPTIONS}, "reasoning": {"type": "string", "maxLength": 100}},
        "required": ["decision", "reasoning"],
        "additionalProperties": False,
    }
    body = {
        "model": "smollm",
        "messages": [{"role": "user", "content": f"The daemon is absent. Choose one of {OPTIONS}, and say why."}],
        "temperature": 0,
        "max_tokens": 200,
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
    }
    got = ask(f"{smollm}/chat/completions", body)
    answer = json.loads(got["choices"][0]["message"]["content"])
    assert answer["decision"] in OPTIONS
    assert len(answer["reasoning"]) <= 100
    assert got["usage"]["total_tokens"] > 0
