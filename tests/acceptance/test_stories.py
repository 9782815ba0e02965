"""The stories of the original document, and one more, on real parts: the scripts under examples/, unchanged."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers import free_ports
from shiftboss.app import read_records
from shiftboss.model.events import Delegated, Observed, kind_of, plain
from shiftboss.system import proc
from shiftboss.view import fold

EXAMPLES = Path(__file__).parents[2] / "examples"
STORIES = ["port-conflict", "corrupted-database", "five-failures", "several-environments"]


@pytest.fixture
def variables(tmp_path: Path, bitcoind: Path):
    """The environment of a story: ports of its own, our Python's shiftboss, and no traces afterwards."""
    names = ("RPC", "P2P", "STRATUM", "POOL_STATUS")
    ports = {f"SHIFTBOSS_PORTS__{n}": str(p) for n, p in zip(names, free_ports(4), strict=True)}
    shiftboss = f"{sys.executable} -m shiftboss.frontends.cli"
    found = {
        **os.environ,
        **ports,
        "SHIFTBOSS_DAEMON__BINARY": str(bitcoind),
        "SHIFTBOSS": shiftboss,
        "WORKDIR": str(tmp_path / "w"),
    }
    yield found
    for words in (["chaos", "clear"], ["down", "-q"]):
        command = [*shiftboss.split(), *words, "--workdir", found["WORKDIR"]]
        subprocess.run(command, env=found, capture_output=True, timeout=120, check=False)


@pytest.mark.real
@pytest.mark.timeout(400)
@pytest.mark.parametrize("story", STORIES)
def test_the_story_goes_as_it_is_told(story: str, variables: dict[str, str]) -> None:
    expected = yaml.safe_load((EXAMPLES / story / "expect.yaml").read_text())
    done = subprocess.run(
        ["sh", str(EXAMPLES / story / "run.sh")],
        env=variables,
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == expected["code"], done.stdout[-4000:] + done.stderr[-2000:]
    home = Path(variables["WORKDIR"])
    runs = runs_of(home)
    assert len(runs) == len(expected["runs"])
    for number, (records, told) in enumerate(zip(runs, expected["runs"], strict=True)):
        check_run(f"run {number}", records, told)
    assert len(list((home / "aside").glob("*"))) >= expected.get("aside", 0)
    for words in expected.get("reports", ()):
        assert words in done.stdout, f"the report does not say {words!r}"
    if expected.get("holders") == "alive":
        assert any(proc.is_running(pid) for pid in foreign(home)), "the foreign process was ended"


def runs_of(home: Path) -> list[list[Any]]:
    """The events of every run, oldest first."""
    records = read_records(home)
    assert records is not None
    names = dict.fromkeys(mark.run for mark in reversed(records.journal.marks()))
    found = [records.journal.read(name) for name in names]
    records.close()
    return found


def check_run(name: str, records: list[Any], told: dict[str, Any]) -> None:
    """Each expected line is a kind of event, and words that are values of its fields."""
    view = fold(records)
    assert str(view.ending) == told["ending"], name
    seen = [{kind_of(one.event), *map(str, plain(one.event).values())} for one in records]
    for line in told.get("must", ()):
        assert any(set(line.split()) <= words for words in seen), f"{name}: did not happen: {line}"
    for line in told.get("must_not", ()):
        assert not any(set(line.split()) <= words for words in seen), f"{name}: happened: {line}"
    for component in told.get("untouched", ()):
        instances = {
            r.event.instance for r in records if isinstance(r.event, Observed) and r.event.component == component
        }
        assert len(instances) == 1, f"{name}: {component} was replaced"
        assert component not in {r.event.component for r in records if isinstance(r.event, Delegated)}
    if "seconds" in told:
        assert view.ended is not None
        assert view.ended.seconds < told["seconds"]


def foreign(home: Path) -> list[int]:
    """Processes that a fault started: named in what chaos wrote down."""
    import json

    texts = [path.read_text() for path in (home / "chaos").rglob("*.json")]
    found = [entry for text in texts for entry in _entries(json.loads(text))]
    return [entry["pid"] for entry in found if "pid" in entry]


def _entries(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(one for part in value.values() for one in _entries(part))]
    return [one for part in value for one in _entries(part)] if isinstance(value, list) else []
