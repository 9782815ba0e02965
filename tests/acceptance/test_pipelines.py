"""`shiftboss run` and `exec`: any pipeline with the agents it names, as a newcomer runs them."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from command import SHIFTBOSS, document, environment, no_traceback, shiftboss
from helpers import eventually

EXAMPLE = Path(__file__).parents[2] / "examples" / "any-pipeline"
FILE = EXAMPLE / "pipelines" / "release-check.json"


def order_of(found) -> list[tuple[str, str]]:
    return [(one["component"], one["outcome"]) for one in found["delegations"]]


def test_the_example_goes_round_until_its_checker_is_content(place):
    result = no_traceback(shiftboss(place, "run", FILE, "--prompt", "check release 1.2"))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "again, one build proves nothing" in result.stdout
    assert "nothing looks at it" in result.stdout, "whose word it is, is said"
    assert "sends    builder for build\n" in result.stdout, "the first time nothing is done again"
    assert "sends    builder to redo build (attempt 2)" in result.stdout
    assert "built it 1 times: check release 1.2" in result.stdout, "what the program said, not that it ran"
    assert "complete — local: the script came to its end." in result.stdout
    assert "deprecated" not in result.stdout, "there is nothing to look at: a script is all it can be"
    built = json.loads((place / ".shiftboss" / "env" / "local" / "release.json").read_text())
    assert built == {"asked": "check release 1.2", "built": 2}


def test_the_outputs_of_earlier_stages_reach_the_later_ones(place):
    found = document(shiftboss(place, "run", FILE, "--prompt", "p", "--json"))
    loop = [("build", "built"), ("check", "again"), ("build", "built"), ("check", "good"), ("publish", "published")]
    assert order_of(found) == loop
    assert "it was built 2 times" in found["delegations"][-1]["output"], "the publisher was told what the checker said"
    assert (found["ending"], found["brain"]) == ("converged", "script")


def test_each_run_does_its_tasks_anew(place):
    first, second = (document(shiftboss(place, "run", FILE, "--json")) for _ in range(2))
    assert len(first["delegations"]) == 5
    assert order_of(second) == [("build", "built"), ("check", "good"), ("publish", "published")], "built 3 times by now"


def test_a_task_that_fails_ends_the_run_badly_with_a_report(place):
    copy = place / "copy"
    shutil.copytree(EXAMPLE, copy)
    (copy / "agents" / "build.py").write_text("raise SystemExit('no compiler')")
    result = no_traceback(shiftboss(place, "run", copy / "pipelines" / "release-check.json"))
    assert result.returncode == 3
    assert "no compiler" in result.stdout
    assert "the script ended with build_failed" in result.stdout


def test_a_killed_run_is_taken_up_where_it_was(place):
    copy = place / "copy"
    shutil.copytree(EXAMPLE, copy)
    (copy / "agents" / "check.py").write_text("import time; print('x', flush=True); time.sleep(300)")
    started = [*SHIFTBOSS, "run", str(copy / "pipelines" / "release-check.json"), "--prompt", "one"]
    hub = subprocess.Popen(started, cwd=place, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    claim = place / ".shiftboss" / "env" / "local" / "claims" / "build.json"
    eventually(claim.exists, what="the first task")
    eventually(lambda: b"checker for check" in hub.stdout.peek(20_000), what="the second task")
    hub.send_signal(signal.SIGKILL)
    hub.wait()
    hub.stdout.close()
    shutil.copy(EXAMPLE / "agents" / "check.py", copy / "agents" / "check.py")
    found = document(shiftboss(place, "resume", "--json"))
    assert found["ending"] == "converged"
    done = [one["outcome"] for one in found["delegations"] if one["component"] == "build" and one["ok"]]
    assert done[0] == "built"
    assert json.loads((place / ".shiftboss" / "env" / "local" / "release.json").read_text())["built"] == 2


def test_a_task_that_was_mended_is_done_again_by_resume(place):
    copy = place / "copy"
    shutil.copytree(EXAMPLE, copy)
    (copy / "agents" / "check.py").write_text("raise SystemExit('it does not compile')")
    file = copy / "pipelines" / "release-check.json"
    result = no_traceback(shiftboss(place, "run", file))
    assert result.returncode == 3
    assert "it does not compile; the script ended with bad" in " ".join(result.stdout.split())
    shutil.copy(EXAMPLE / "agents" / "check.py", copy / "agents" / "check.py")
    found = document(shiftboss(place, "resume", "--json"))
    assert found["ending"] == "converged"
    loop = [("build", "built"), ("check", "bad"), ("check", "again"), ("build", "built"), ("check", "good")]
    assert order_of(found) == [*loop, ("publish", "published")]


def test_a_run_at_work_is_seen_and_stopped_from_beside(place):
    """Its environment is none of the mining stack's, which the other commands are about."""
    copy = place / "copy"
    shutil.copytree(EXAMPLE, copy)
    (copy / "agents" / "check.py").write_text("import time; time.sleep(300)")
    file = str(copy / "pipelines" / "release-check.json")
    hub = subprocess.Popen([*SHIFTBOSS, "run", file, "-q"], cwd=place, env=environment(), stdout=subprocess.DEVNULL)
    try:
        eventually((place / ".shiftboss" / "env" / "local" / "claims" / "build.json").exists, what="the first task")
        (run,) = json.loads(shiftboss(place, "runs", "--json").stdout)
        assert run["ending"] == "running"
        assert shiftboss(place, "note", run["run"], "hurry").stdout == "Noted.\n"
        refused = no_traceback(shiftboss(place, "run", file))
        assert refused.returncode == 6
        assert "was asked to stop" in shiftboss(place, "stop").stdout
        hub.send_signal(signal.SIGINT)  # a hub that was asked to stop waits for what is at work; now it does not
        assert hub.wait(20) == 130
    finally:
        hub.kill()
        hub.wait()
    said = shiftboss(place, "down")
    assert "ever run in regtest in" in said.stdout
    assert said.returncode == 0


NO_PIPELINES = [
    ("", "no pipeline is named"),
    (EXAMPLE, "is a folder"),
    (EXAMPLE / "agents" / "build.py", "is no template"),
    ("nowhere/x.json", "there is no file nowhere/x.json"),
]


@pytest.mark.parametrize(("target", "said"), NO_PIPELINES, ids=[said for _, said in NO_PIPELINES])
def test_what_is_no_pipeline_is_refused_and_nothing_is_made(place, target, said):
    result = no_traceback(shiftboss(place, "run", target))
    assert result.returncode == 2
    assert said in " ".join(result.stderr.split())
    assert list(place.iterdir()) == []


def test_a_pipeline_runs_in_several_environments_of_its_own_profile(place):
    found = document(shiftboss(place, "run", FILE, "--env", "one=local,two=local", "--json"))
    assert found["ending"] == "converged"
    folders = place / ".shiftboss" / "env"
    assert [json.loads((folders / name / "release.json").read_text())["built"] for name in ("one", "two")] == [2, 2]
    result = no_traceback(shiftboss(place, "run", FILE, "--env", "three=regtest"))
    assert result.returncode == 2
    assert "profiles: local" in " ".join(result.stderr.split())


def block(**fields) -> str:
    return f"Of course! I will run it:\n\n[PIPELINE-EXECUTE]\n{json.dumps(fields)}\n[/PIPELINE-EXECUTE]\nDone.\n"


def executed(place, text: str, *words):
    return subprocess.run(
        [*SHIFTBOSS, "exec", *words],
        cwd=place,
        env=environment(),
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_chats_block_is_run_from_standard_input_or_a_file(place):
    (place / "project").mkdir()
    text = block(pipelineName=str(FILE), userPrompt="from a chat", workingDirectory=str(place / "project"))
    result = no_traceback(executed(place, text, "--json"))
    assert json.loads(result.stdout)["ending"] == "converged"
    asked = json.loads((place / "project" / ".shiftboss" / "env" / "local" / "release.json").read_text())["asked"]
    assert asked == "from a chat"
    (place / "block.txt").write_text(text)
    assert executed(place, "", "block.txt", "-q").returncode == 0


WRONG = [
    ("no block at all", "there is no [PIPELINE-EXECUTE]"),
    ("[PIPELINE-EXECUTE]\nnonsense\n[/PIPELINE-EXECUTE]", "the block is no JSON"),
    ("[PIPELINE-EXECUTE][1][/PIPELINE-EXECUTE]", "the block is no JSON object"),
    (block(userPrompt="x"), "pipelineName is missing"),
    (block(pipelineName=3, workingDirectory=4), "workingDirectory should be a text"),
    (block(pipelineName="x", shell="rm"), "shell is not known"),
    (block(pipelineName="no-such-pipeline"), "unknown pipeline 'no-such-pipeline'"),
    (block(pipelineName="x", workingDirectory="/nonexistent/folder"), "there is no folder /nonexistent/folder"),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_block_that_is_wrong_is_refused_with_what_is_wrong(place, text: str, said: str):
    result = no_traceback(executed(place, text))
    assert result.returncode == 2
    assert said in result.stderr
    assert list(place.iterdir()) == []


def test_of_the_files_around_it_only_those_count_that_a_pipeline_uses(place):
    copy = place / "copy"
    shutil.copytree(EXAMPLE, copy)
    (copy / "agents" / "unused.json").write_text('{"id": "unused", "decisions": ')
    (copy / "pipelines" / "broken.json").write_text('{"id": "broken", "stages": [{"id": "s", "agent": "nobody"}]}')
    assert (
        document(shiftboss(place, "run", copy / "pipelines" / "release-check.json", "--json"))["ending"] == "converged"
    )
    result = no_traceback(shiftboss(place, "run", copy / "pipelines" / "broken.json"))
    assert result.returncode == 2
    assert "nobody" in result.stderr


def test_a_hub_pipeline_of_tasks_is_left_to_the_brain(place):
    copy = place / "copy"
    shutil.copytree(EXAMPLE, copy)
    (copy / "agents" / "check.py").write_text("print('DECISION: good')")
    (copy / "agents" / "boss.json").write_text(
        json.dumps(
            {
                "id": "boss",
                "systemPrompt": "Decide.",
                "decisions": ["infrastructure_complete", "escalate"],
                "handler": "hub",
            }
        )
    )
    stages = [{"id": "orchestrate", "agent": "boss"}, {"id": "build", "agent": "builder"}]
    stages += [
        {"id": "check", "agent": "checker", "inputs": ["build"]},
        {"id": "publish", "agent": "publisher", "inputs": ["check"]},
    ]
    (copy / "pipelines" / "hub.json").write_text(json.dumps({"id": "hub", "stages": stages}))
    found = document(shiftboss(place, "run", copy / "pipelines" / "hub.json", "--json"))
    assert (found["ending"], found["brain"]) == ("converged", "policy")
    assert order_of(found) == [("build", "built"), ("check", "good"), ("publish", "published")]


def test_prompts_without_a_model_are_refused_before_anything_is_done(place):
    file = EXAMPLE.parent / "prompts" / "pipelines" / "look-and-judge.json"
    result = no_traceback(shiftboss(place, "run", file))
    assert result.returncode == 2
    assert result.stderr.count("is a prompt, and no model is set") == 2
    assert list(place.iterdir()) == []


def test_a_script_that_goes_round_is_out_of_steps_where_the_settings_say(place):
    copy = place / "copy"
    shutil.copytree(EXAMPLE, copy)
    (copy / "agents" / "check.py").write_text("print('DECISION: again')")
    file = copy / "pipelines" / "release-check.json"
    found = json.loads(shiftboss(place, "run", file, "--json", "--set", "limits.steps=6").stdout)
    assert (found["ending"], found["exit_code"], len(found["delegations"])) == ("exhausted", 5, 6)
    assert "limits.steps" in found["report"]["local"]["why"]
