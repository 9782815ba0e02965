"""The examples as a newcomer runs them: `shiftboss` as a process, on the shipped folder, unchanged."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from shiftboss.app import read_records
from shiftboss.model.events import kind_of, plain
from shiftboss.system import proc
from shiftboss.system.instance import marks_of

FOLDER = Path(__file__).parents[2] / "examples" / "add-a-component"
WITH_IT = ["--set", f"templates.folders={json.dumps([str(FOLDER)])}"]
PIPELINE = ["--pipeline", "mining-with-monitoring"]
SHIPPED = ["intelligent-mining-infrastructure-setup", "mining-infrastructure-setup"]
KEYWORD = "delegate_monitoring_setup"


def shiftboss(workdir: Path, *words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "shiftboss.frontends.cli", *words, "--workdir", str(workdir)]
    return subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)


def document(workdir: Path, *words: str):
    done = shiftboss(workdir, *words, "--json")
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def own_ports() -> list[str]:
    names = ("rpc", "p2p", "stratum", "pool_status")
    sockets = [socket.socket() for _ in names]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        numbers = [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
    return [word for name, number in zip(names, numbers, strict=True) for word in ("--set", f"ports.{name}={number}")]


def ours(workdir: Path) -> list[int]:
    """The living processes of a working directory, by the marks in their environment."""
    marks = {pid: marks_of(pid) for pid in proc.pids()}
    return [pid for pid, found in marks.items() if found and found.home == str(workdir.resolve())]


def test_the_folder_is_without_findings(tmp_path: Path) -> None:
    done = shiftboss(tmp_path / "w", "validate", str(FOLDER), "--json")
    assert json.loads(done.stdout) == {"diagnostics": [], "errors": 0, "exit_code": 0}


@pytest.mark.parametrize("pipeline", SHIPPED)
def test_the_plans_of_the_shipped_pipelines_do_not_change_by_a_byte(tmp_path: Path, pipeline: str) -> None:
    words = ["plan", "--json", "--pipeline", pipeline, *own_ports()]
    without, beside = (shiftboss(tmp_path / "w", *words, *more) for more in ([], WITH_IT))
    assert len(json.loads(without.stdout)["steps"]) > 5
    assert beside.stdout == without.stdout
    assert not (tmp_path / "w").exists(), "a plan must leave nothing behind"


def test_the_hub_learns_the_new_keyword_from_the_stage_alone(tmp_path: Path) -> None:
    found = {one["id"]: one for one in document(tmp_path / "w", "pipelines", *WITH_IT)}
    extended, base = found["mining-with-monitoring"], found[SHIPPED[0]]
    before, after = base["stages"][0]["decisions"], extended["stages"][0]["decisions"]
    assert [word for word in after if word != KEYWORD] == before
    assert {"from": "orchestrate", "to": "handle_monitoring", "condition": KEYWORD} in extended["connections"]
    assert KEYWORD not in json.dumps(base)


def test_the_plan_brings_it_up_beside_the_miner(tmp_path: Path) -> None:
    steps = {one["component"]: one for one in document(tmp_path / "w", "plan", *WITH_IT, *PIPELINE)["steps"]}
    assert steps["monitoring"]["keyword"] == KEYWORD
    assert steps["monitoring"]["starts"] == steps["miner"]["starts"]


@pytest.mark.real
def test_it_comes_up_beside_the_miner_and_goes_down_with_the_rest(tmp_path: Path) -> None:
    bitcoind = os.environ.get("SHIFTBOSS_TEST_BITCOIND")
    if not bitcoind:
        pytest.skip("no bitcoind: set SHIFTBOSS_TEST_BITCOIND to its path")
    workdir = tmp_path / "w"
    words = [*WITH_IT, *PIPELINE, *own_ports(), "--set", f"daemon.binary={bitcoind}"]
    expected = yaml.safe_load((FOLDER / "tests" / "expect.yaml").read_text())
    try:
        up = shiftboss(workdir, "up", "--json", *words)
        told = json.loads(up.stdout)
        assert (up.returncode, told["ending"]) == (expected["exit_code"], expected["ending"]), up.stdout
        _events_are(workdir, told["run"], expected["events"])
        for name in expected["ready"]:
            assert told["components"][f"regtest/{name}"]["health"] == "ready"
        _overlapped(told["delegations"], "monitoring", "miner")
        assert told["components"]["regtest/monitoring"]["evidence"]["pid"] in ours(workdir)
        records = (workdir / "env" / "regtest" / "monitoring.jsonl").read_text().splitlines()
        assert json.loads(records[0])["chain"]["blocks"] >= 101
        assert document(workdir, "up", *words)["mutations"] == 0
        os.kill(told["components"]["regtest/monitoring"]["evidence"]["pid"], signal.SIGKILL)
        again = document(workdir, "up", *words)
        assert [one["component"] for one in again["delegations"]] == ["monitoring"], "nothing else is touched"
    finally:
        down = shiftboss(workdir, "down", "--json", *words)
    assert (down.returncode, ours(workdir)) == (0, [])


def _events_are(workdir: Path, run: str, expected: dict[str, list[str]]) -> None:
    """Each expected line is a kind of event, and words that are values of its fields."""
    records = read_records(workdir)
    assert records is not None
    seen = [{kind_of(one.event), *map(str, plain(one.event).values())} for one in records.journal.read(run)]
    records.close()
    for line in expected["must"]:
        assert any(set(line.split()) <= words for words in seen), f"did not happen: {line}"
    for line in expected["must_not"]:
        assert not any(set(line.split()) <= words for words in seen), f"happened: {line}"


def _overlapped(delegations: list[dict], *components: str) -> None:
    one, other = (next(d for d in delegations if d["component"] == name) for name in components)
    assert one["started"] < other["started"] + other["seconds"]
    assert other["started"] < one["started"] + one["seconds"]


HEARTBEAT = FOLDER.parent / "command-component"


@pytest.mark.real
def test_a_component_of_two_scripts_comes_up_is_mended_and_goes_down(tmp_path: Path) -> None:
    workdir = tmp_path / "w"
    words = ["--set", f"templates.folders={json.dumps([str(HEARTBEAT)])}", "--pipeline", "mining-with-heartbeat"]
    words += [*own_ports(), "--set", f"daemon.binary={os.environ['SHIFTBOSS_TEST_BITCOIND']}"]
    pid_file = workdir / "env" / "regtest" / "heartbeat.pid"
    try:
        told = document(workdir, "up", *words)
        assert told["ending"] == "converged"
        pid = int(pid_file.read_text())
        assert told["components"]["regtest/heartbeat"]["instance"] == str(pid)
        _overlapped(told["delegations"], "heartbeat", "miner")
        assert document(workdir, "up", *words)["mutations"] == 0
        os.kill(pid, signal.SIGKILL)
        again = document(workdir, "up", *words)
        assert [one["component"] for one in again["delegations"]] == ["heartbeat"], "nothing else is touched"
        pid = int(pid_file.read_text())
        assert proc.is_running(pid)
    finally:
        down = shiftboss(workdir, "down", "--json", *words)
    assert (down.returncode, ours(workdir), pid_file.exists()) == (0, [], False)
    assert not proc.is_running(pid)
