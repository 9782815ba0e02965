"""A note said during a run reaches the agents that follow, until one of them has addressed it."""

import json
import subprocess

from command import SHIFTBOSS, document, environment, shiftboss
from helpers import eventually

AGENT = """
import json, os, pathlib, sys, time
order = json.loads(os.environ["SHIFTBOSS_ORDER"])
place = pathlib.Path(sys.argv[1])
(place / (order["component"] + ".seen")).write_text(json.dumps(order["notes"]))
deadline = time.monotonic() + 30
while order["component"] == "first" and not (place / "go").exists() and time.monotonic() < deadline:
    time.sleep(0.05)
if order["component"] == "third":
    print("NOTE_ADDRESSED 1")
print("DECISION: done_well")
"""


def pipeline(place) -> str:
    agent = {"id": "worker", "systemPrompt": "Work.", "decisions": ["done_well", "done_badly"]}
    agent["handler"] = {"kind": "command", "argv": ["python3", "./work.py", "{folder}"], "seconds": 60}
    names = ["first", "second", "third", "fourth"]
    ways = [
        {"from": one, "to": other, "condition": "done_well"}
        for one, other in zip(names, [*names[1:], None], strict=True)
    ]
    ways += [{"from": one, "to": None, "condition": "done_badly"} for one in names]
    found = {"id": "four", "stages": [{"id": one, "agent": "worker"} for one in names], "connections": ways}
    (place / "agents").mkdir()
    (place / "agents" / "work.py").write_text(AGENT)
    (place / "agents" / "worker.json").write_text(json.dumps(agent))
    (place / "four.json").write_text(json.dumps(found))
    return "four.json"


def test_a_note_reaches_the_agents_that_follow_until_it_is_addressed(place):
    file = pipeline(place)
    folder = place / ".shiftboss" / "env" / "local"
    hub = subprocess.Popen(
        [*SHIFTBOSS, "run", file, "--json"], cwd=place, env=environment(), stdout=subprocess.PIPE, text=True
    )
    eventually((folder / "first.seen").exists, what="the first task")
    run = document(shiftboss(place, "runs", "--json"))[0]["run"]
    assert shiftboss(place, "note", run, "mind the gap").returncode == 0
    assert shiftboss(place, "note", run, "and the step").returncode == 0
    eventually(lambda: "mind the gap" in shiftboss(place, "show", run).stdout, what="the note in the journal")
    (folder / "go").touch()
    found = json.loads(hub.communicate(timeout=60)[0])
    seen = {name: json.loads((folder / f"{name}.seen").read_text()) for name in ("first", "second", "third", "fourth")}
    both = {"1": "mind the gap", "2": "and the step"}
    assert seen == {"first": {}, "second": both, "third": both, "fourth": {"2": "and the step"}}
    assert found["ending"] == "converged"
    assert found["addressed"] == {"1": "worker"}
