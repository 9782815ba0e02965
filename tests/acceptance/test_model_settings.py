"""A model as brain, set in files and variables, for several environments, and out of a recording in another place."""

import json
import shutil
from pathlib import Path

import pytest
from golden import fresh, golden, stack  # noqa: F401 - fixtures
from stacks import Stack

from command import document, shiftboss
from demo.stack import FOLDER
from model_server import ModelServer, good
from shiftboss.model.events import Consulted, Decided


def copied(place: Path, name: str) -> Path:
    """A folder with the demo stack's templates."""
    folder = place / name
    folder.mkdir()
    for part in ("agents", "pipelines"):
        shutil.copytree(FOLDER / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def only_config(found) -> list[str]:
    return [one["component"] for one in found["delegations"]]


GOAL = ("--prompt", "only alpha.config and notes")
"""Parts of the demo stack that are files: nothing has to be ended afterwards."""


def test_the_settings_of_a_folder_and_of_variables_hold(place):
    with ModelServer([good()]) as server:
        folder = copied(place, "one")
        (folder / "key").write_text("sk-of-a-file-1234")
        (folder / "key").chmod(0o600)
        text = f'[brain]\nkind = "llm"\nmodel = "openai:x"\nbase_url = "{server.url}"\nkey_file = "key"\n'
        (folder / "shiftboss.toml").write_text(text)
        found = document(shiftboss(folder, "run", "pipelines/demo.json", *GOAL, "--json"))
        assert (found["brain"], found["ending"]) == ("llm", "converged")
        assert [one["verdict"] for one in found["consulted"]] == ["followed"]
        sent = {name.lower(): value for name, value in server.asked[0].headers.items()}
        assert sent["authorization"] == "Bearer sk-of-a-file-1234"
        shutil.rmtree(folder / ".shiftboss")
        off = document(shiftboss(folder, "run", "pipelines/demo.json", *GOAL, "--json", SHIFTBOSS_BRAIN__KIND="policy"))
        assert (off["brain"], off["consulted"]) == ("policy", [])


def test_a_recording_is_replayed_in_another_folder_where_no_server_runs(place):
    record = place / "said.jsonl"
    with ModelServer([good()]) as server:
        words = (
            "--set",
            "brain.model=openai:x",
            "--set",
            f"brain.base_url={server.url}",
            "--set",
            f"brain.record={record}",
        )
        first = document(
            shiftboss(copied(place, "one"), "run", "pipelines/demo.json", *GOAL, "--brain", "llm", "--json", *words)
        )
    replay = ("--brain", "llm", "--set", f"brain.replay={record}", "--json")
    again = document(shiftboss(copied(place, "two"), "run", "pipelines/demo.json", *GOAL, *replay))
    assert first["consulted"]
    assert only_config(again) == only_config(first)
    assert [(one["verdict"], one["replayed"]) for one in again["consulted"]] == [("followed", True)] * len(
        first["consulted"]
    )


@pytest.mark.real
def test_two_environments_under_one_model(fresh: Stack):  # noqa: F811 - the fixture
    with ModelServer([good()]) as server:
        settings = {"brain.model": "openai:x", "brain.base_url": server.url, "brain.key_variable": ""}
        found = fresh.run("up", "mining", "--env", "alice=regtest,bob=regtest", "--brain", "llm", **settings)
    ends = {name: one["ending"] for name, one in found["environments"].items()}
    assert ends == {"alice": "converged", "bob": "converged"}
    asked = [event for event in fresh.events() if isinstance(event, Consulted)]
    assert {name.partition("/")[0] for one in asked for name in one.options if "/" in name} == {"alice", "bob"}
    assert all(set(one.chosen) <= set(one.options) for one in asked)
    ended = [
        move for event in fresh.events() if isinstance(event, Decided) for move in event.moves if "complete" in move
    ]
    assert sorted(ended) == ["alice/complete", "bob/complete"]
    assert json.dumps(found["goal"])
