"""The decision model that tests ask is a real one: its own server, its own weights, milliseconds."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from models import ask, assert_no_harm, local_model, played, served
from shiftboss.system import proc

SCRIPT = Path(local_model.__file__)
PARENT = """
import runpy, time
with runpy.run_path({script!r})["served"]("sparrow") as address:
    print(address, flush=True)
    time.sleep(60)
"""


def test_the_decision_model_chooses_one_of_the_options(sparrow: str):
    options = {"start the daemon": "the daemon is absent", "call a person": "nothing else is left"}
    question = {"type": "choice", "instructions": "What should be done next?", "criteria": options}
    got = ask(f"{sparrow}/v1/systemone", {"state": "The daemon is not running.", "questions": {"next": question}})
    assert got["model"].startswith("sparrow-nano")
    chosen = got["answers"]["next"]
    assert chosen["choice"] in options
    assert set(chosen["probabilities"]) == set(options)


def test_it_says_what_it_does_not_understand(sparrow: str):
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(f"{sparrow}/v1/systemone", {"state": "x"})
    assert refused.value.code == 422
    refused.value.close()


def test_as_a_brain_it_does_no_harm(sparrow: str):
    assert_no_harm(played("system-one:sparrow-nano-general", sparrow, runs=8))


def test_a_server_ends_with_its_block():
    with served("sparrow") as address:
        assert ask(f"{address}/v1/systemone", {"state": "x", "questions": {}})["answers"] == {}
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=2)


def test_a_server_ends_when_who_started_it_is_killed():
    code = PARENT.format(script=str(SCRIPT))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline().rpartition(":")[2])
        children = [pid for pid in proc.pids() if _parent(pid) == parent.pid]
        parent.kill()
    assert children
    assert _soon(lambda: not any(proc.is_running(pid) for pid in children))
    assert not local_model._listens(port)


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _soon(true) -> bool:
    limit = time.monotonic() + 10
    while not true() and time.monotonic() < limit:
        time.sleep(0.05)
    return true()


def _fetch_offline(cache: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "SHIFTBOSS_CACHE": str(cache), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    return subprocess.run(
        [sys.executable, str(SCRIPT), "fetch"], env=environ, capture_output=True, text=True, check=False
    )


def test_without_a_network_and_without_the_file_it_says_so(tmp_path: Path):
    done = _fetch_offline(tmp_path)
    assert done.returncode == 1
    assert "is not in" in done.stderr
    assert "can't be fetched" in done.stderr
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["fetch.lock"]


def test_a_damaged_file_is_not_used(tmp_path: Path):
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / Path(local_model.MEMBER).name).write_bytes(b"half of it")
    assert _fetch_offline(tmp_path).returncode == 1
