"""A pipeline inside a pipeline, run: what its stages are told depends on their context, and its end leads on."""

import json

import pytest

from command import document, shiftboss

AGENT = """
import json, os, pathlib, sys
order = json.loads(os.environ["SHIFTBOSS_ORDER"])
told = {key: order[key] for key in ("prompt", "task", "inputs", "notes")}
(pathlib.Path(sys.argv[1]) / (order["component"] + ".told")).write_text(json.dumps(told))
again = pathlib.Path(sys.argv[1]) / "again"
word = "go_back" if order["component"].endswith("check") and not again.exists() else "went_well"
if word == "go_back":
    again.touch()
print("words of", order["component"])
print("DECISION:", word)
"""


def write(place, context) -> str:
    (place / "agents").mkdir()
    (place / "pipelines").mkdir()
    (place / "agents" / "work.py").write_text(AGENT)
    decisions = ["went_well", "went_badly", "go_back"]
    agent = {"id": "worker", "systemPrompt": "Work.", "decisions": decisions}
    agent["handler"] = {"kind": "command", "argv": ["python3", "./work.py", "{folder}"]}
    (place / "agents" / "worker.json").write_text(json.dumps(agent))
    inner = pipeline("inner", [("draft", {}), ("check", {"inputs": ["draft"]})], {("check", "go_back"): "draft"})
    sub = {"id": "sub", "pipeline": "inner", "task": "Do the inner work.", "inputs": ["before"], "context": context}
    outer = pipeline("outer", [("before", {}), ("sub", sub), ("after", {"inputs": ["sub"]})], {})
    for one in (inner, outer):
        (place / "pipelines" / f"{one['id']}.json").write_text(json.dumps(one))
    return "pipelines/outer.json"


def pipeline(name: str, stages: list[tuple[str, dict]], back: dict) -> dict:
    names = [one for one, _ in stages]
    follow = dict(zip(names, [*names[1:], None], strict=True))
    found = [more if "pipeline" in more else {"id": one, "agent": "worker", **more} for one, more in stages]
    ways = [{"from": one, "to": follow[one], "condition": "went_well"} for one in names]
    ways += [{"from": one, "to": None, "condition": "went_badly"} for one in names]
    words = [one for one, more in stages if "pipeline" not in more]
    ways += [{"from": one, "to": back.get((one, "go_back")), "condition": "go_back"} for one in words]
    return {"id": name, "stages": found, "connections": ways}


CONTEXTS = [
    ("inherit", "the user's words", {"before"}),
    ("isolated", "", set()),
    (["before"], "", {"before"}),
]


@pytest.mark.parametrize(("context", "prompt", "inputs"), CONTEXTS, ids=["inherit", "isolated", "a list"])
def test_the_inner_stages_run_and_are_told_what_their_context_allows(place, context, prompt, inputs):
    file = write(place, context)
    found = document(shiftboss(place, "run", file, "--prompt", "the user's words", "--json"))
    assert found["ending"] == "converged"
    went = [one["component"] for one in found["delegations"]]
    assert went == ["before", "sub.draft", "sub.check", "sub.draft", "sub.check", "after"]
    folder = place / ".shiftboss" / "env" / "local"
    told = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.told")}
    draft, check, after = told["sub.draft"], told["sub.check"], told["after"]
    assert (draft["prompt"], draft["task"]) == (prompt, "Do the inner work.")
    assert set(draft["inputs"]) - {"sub.check"} == inputs, "what the loop leads back from is told besides"
    assert set(check["inputs"]) == {"sub.draft", *inputs}
    assert after["prompt"] == "the user's words"
    assert "words of sub.check" in after["inputs"]["sub.check"]
