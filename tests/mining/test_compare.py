"""`compare` on real parts: two pipelines that end alike, and one that stops half-way."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from shiftboss.system import proc
from shiftboss.system.instance import marks_of

pytestmark = pytest.mark.real

HUB, SCRIPT = "intelligent-mining-infrastructure-setup", "mining-infrastructure-setup"
LOOKS = {"programs": "dependency_installer", "configurations": "config_generator", "daemon": "bitcoin_daemon_manager"}
HALF = {
    "id": "half",
    "stages": [{"id": one, "agent": agent, "mode": "verify", "decisions": ["a", "b"]} for one, agent in LOOKS.items()],
    "connections": [
        {"from": "programs", "to": "configurations", "condition": "a"},
        {"from": "configurations", "to": "daemon", "condition": "a"},
        {"from": "daemon", "to": None, "condition": "a"},
        *({"from": one, "to": None, "condition": "b"} for one in LOOKS),
    ],
}


def compare(folder: Path, bitcoind: Path, *words: str) -> tuple[int, dict]:
    sets = [f"--set=daemon.binary={bitcoind}", "--set=pool.share_difficulty=1e-6"]
    command = [sys.executable, "-m", "shiftboss.frontends.cli", "compare", *words, "--json", *sets]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=170, check=False)
    return done.returncode, json.loads(done.stdout)


def left() -> list[str]:
    homes = [found.home for pid in proc.pids() if (found := marks_of(pid))]
    folders = [str(path) for path in Path(tempfile.gettempdir()).glob("shiftboss-compare-*")]
    return folders + [home for home in homes if "shiftboss-compare-" in home]


def test_the_shipped_pipelines_end_alike_and_the_hub_does_less(tmp_path: Path, bitcoind: Path) -> None:
    code, found = compare(tmp_path, bitcoind, HUB, SCRIPT, "--from", "done")
    assert (code, found["equal"], [one["state"] for one in found["states"]]) == (0, True, ["done"]), found
    hub, script = found["states"][0]["runs"]
    assert (hub["ending"], hub["delegations"], hub["restarts"], hub["blocks"]) == ("converged", 0, 0, 0)
    assert (script["ending"], script["restarts"], script["blocks"]) == ("converged", 3, 101)
    assert left() == []
    assert list(tmp_path.iterdir()) == [], "the user's own folder is not touched"


def test_a_pipeline_that_does_not_do_it_is_found_out(tmp_path: Path, bitcoind: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "pipelines").mkdir(parents=True)
    (folder / "pipelines" / "half.json").write_text(json.dumps(HALF))
    words = ["--set", f"templates.folders={json.dumps([str(folder)])}"]
    code, found = compare(tmp_path, bitcoind, HUB, "half", "--from", "fresh", *words)
    assert (code, found["equal"]) == (3, False), found
    differences = found["states"][0]["differences"]
    assert "health of regtest/pool: ready / not there" in differences, differences
    assert "process of miner: runs / not there" in differences
    assert "proof of regtest: there / not there" in differences
    assert left() == []
