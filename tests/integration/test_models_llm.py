"""Everything that asks the real language model; all of it in this file, see tests/models.py."""

import json
import socket
from collections import Counter
from pathlib import Path

import pytest
from golden import fresh  # noqa: F401 - a fixture
from stacks import Stack, touched

from command import shiftboss
from models import ask, assert_no_harm, played
from shiftboss.model.events import Consulted, Decided, Delegated, NotAdmitted, Settled

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


def with_model(stack: Stack, address: str) -> None:
    """A model of 135 million parameters as brain: what it answers is worth nothing, that it may answer anything is."""
    stack.settings |= {
        "brain.kind": "llm",
        "brain.model": "openai:smollm2-135m-instruct",
        "brain.base_url": address,
        "brain.seconds": 60,
        "limits.seconds": 600,
    }


def assert_kept_within_the_rules(stack: Stack) -> list[Consulted]:
    """Every choice was one of the options; whatever was not followed is journalled with the policy's choice."""
    events = stack.events()
    asked = [event for event in events if isinstance(event, Consulted)]
    assert asked, "a fresh stack leaves choices"
    for one in asked:
        assert set(one.chosen) <= set(one.options)
        assert one.policy
        assert one.verdict == "followed" or (one.why and not one.chosen)
    sources = Counter(event.source for event in events if isinstance(event, Decided))
    assert sources["llm"] > 0
    decided = {move for event in events if isinstance(event, Decided) for move in event.moves}
    ordered = [event for event in events if isinstance(event, Delegated)]
    assert {one.component for one in ordered} <= {move.split("/")[1] for move in decided if move.count("/") > 1}
    assert {event.id for event in ordered} == {event.id for event in events if isinstance(event, Settled)}
    assert all(event.source == "llm" for event in events if isinstance(event, NotAdmitted))
    return asked


@pytest.mark.real
def test_a_fresh_stack_comes_up_under_a_real_model(smollm: str, fresh: Stack):  # noqa: F811 - the fixture
    with_model(fresh, smollm)
    up = fresh.up(timeout=800)
    assert up["ending"] == "converged"
    assert fresh.height() >= 102
    asked = assert_kept_within_the_rules(fresh)
    assert sum(one.tokens for one in asked) > 0
    again = fresh.up()
    assert (again["ending"], again["mutations"]) == ("converged", 0)
    assert not [event for event in fresh.events() if isinstance(event, Consulted)], "nothing to choose, nobody asked"


@pytest.mark.real
def test_a_real_model_gets_through_a_port_conflict(smollm: str, fresh: Stack):  # noqa: F811 - the fixture
    with_model(fresh, smollm)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", fresh.ports["stratum"]))
        stranger.listen()
        up = fresh.up(timeout=800)
        assert up["ending"] == "converged"
        assert fresh.moved()["stratum"] != fresh.ports["stratum"]
        assert "pool" in touched(up)
        assert stranger.getsockname()[1] == fresh.ports["stratum"], "its holder was left alone"
    assert_kept_within_the_rules(fresh)


def test_on_the_simulated_stack_it_does_no_harm(smollm: str):
    assert_no_harm(played("openai:smollm2-135m-instruct", smollm, runs=3))


def test_agents_that_are_prompts_end_within_their_tools_and_words(smollm: str, tmp_path: Path):
    example = Path(__file__).parents[2] / "examples" / "prompts" / "pipelines" / "look-and-judge.json"
    sets = [f"--set={key}={value}" for key, value in (("brain.model", "openai:smollm2"), ("brain.base_url", smollm))]
    words = ["run", str(example), "--prompt", "is the plan good enough?", "--json", *sets, "--set", "brain.seconds=60"]
    done = shiftboss(tmp_path, *words, seconds=600)
    found = json.loads(done.stdout)
    assert (found["ending"], done.returncode) in (("converged", 0), ("escalated", 3))
    assert found["consulted"], "the model did the work"
    assert {one["purpose"] for one in found["consulted"]} == {"work"}
    assert {one["tool"] for one in found["tools"] if one["allowed"]} <= {"list_files", "read_file"}
    answers = {"look": {"looked", "could_not_look"}, "judge": {"good_enough", "not_good_enough"}}
    for one in found["delegations"]:
        assert one["outcome"] in answers[one["component"]]
    assert found["delegations"]
