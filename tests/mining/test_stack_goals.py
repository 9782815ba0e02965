"""Goals in the user's words, on a real stack: only what was asked for is done, and what must not be touched is not."""

import json
import subprocess

import pytest
from stacks import Stack, touched

pytestmark = pytest.mark.real


def test_only_the_pool_is_mended_and_the_daemon_stays_as_it_is(stack: Stack):
    stack.up()
    daemon, height = stack.pid("daemon"), stack.height()
    stack.kill("pool")
    found = stack.up("--goal", "only the pool needs attention, do not touch the daemon")
    assert found["ending"] == "converged"
    assert touched(found) == {"pool"}
    assert (stack.pid("daemon"), stack.height() >= height) == (daemon, True)
    goal = found["goal"]
    assert (goal["components"], goal["untouched"]) == (["pool"], ["daemon"])
    assert goal["words"] == "only the pool needs attention, do not touch the daemon"


def test_what_must_not_be_touched_is_left_broken_and_a_person_is_told(stack: Stack):
    stack.up()
    stack.kill("daemon")
    before = set(stack.processes())
    found = stack.up("--goal", "fix the pool without touching the daemon", code=3)
    assert found["ending"] == "escalated"
    assert "the goal says not to touch daemon" in found["report"]["regtest"]["why"]
    assert "daemon" not in touched(found)
    assert "wallet" not in touched(found)
    assert set(stack.processes()) <= before


def test_restart_validate_and_reset_in_words(stack: Stack):
    stack.up()
    daemon, pool = stack.pid("daemon"), stack.pid("pool")
    found = stack.up("--goal", "restart the pool but leave the daemon alone")
    assert found["ending"] == "converged"
    assert stack.pid("pool") != pool
    assert stack.pid("daemon") == daemon
    stack.up()
    checked = stack.up("--goal", "validate")
    assert (checked["ending"], checked["mutations"]) == ("converged", 0)
    block = stack.rpc("getblockhash", 101)
    again = stack.up("--goal", "reset the environment")
    assert again["ending"] == "converged"
    assert stack.rpc("getblockhash", 101) != block, "the chain is a new one"
    assert list((stack.home / "aside").iterdir()), "the old one lies aside"


def test_words_that_are_not_understood_change_nothing(stack: Stack):
    for words, said in (
        ("make coffee", "is not understood"),
        ("stop the pool and restart the daemon", "restart the daemon"),
    ):
        done = subprocess.run(stack.command("up", "--goal", words), capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Say it with: only PARTS" in done.stderr
    assert not stack.processes()
    both = subprocess.run(
        stack.command("up", "mining", "pool", "--goal", "up"), capture_output=True, text=True, check=False
    )
    assert both.returncode == 2


def test_a_chats_block_brings_the_stack_up_as_the_design_says(stack: Stack):
    asked = "Set up mining infrastructure with intelligent orchestration"
    block = {"pipelineName": "intelligent-mining-infrastructure-setup", "userPrompt": asked}
    text = f"[PIPELINE-EXECUTE]\n{json.dumps({**block, 'workingDirectory': str(stack.home)})}\n[/PIPELINE-EXECUTE]"
    done = subprocess.run(
        stack.command("exec", "--json"), input=text, capture_output=True, text=True, timeout=150, check=False
    )
    found = json.loads(done.stdout)
    assert (done.returncode, found["ending"], found["goal"]["words"]) == (0, "converged", asked)
    assert found["components"]["regtest/cycle"]["health"] == "ready"
    again = stack.run("run", "intelligent-mining-infrastructure-setup", "--prompt", "only the pool")
    assert (again["ending"], again["mutations"], again["goal"]["components"]) == ("converged", 0, ["pool"])


def test_what_a_model_was_to_decide_can_be_stopped_without_it(stack: Stack):
    stack.up()
    found = stack.run("down", **{"brain.kind": "llm", "brain.model": "openai:nobody", "brain.key_variable": "NOT_SET"})
    assert (found["ending"], found["brain"]) == ("converged", "policy")
    assert not stack.processes()
