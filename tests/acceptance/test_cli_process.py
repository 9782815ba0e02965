"""The command as a process, for everything that needs no real daemon: words, exit codes, and what is left unchanged."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from command import document, no_traceback, shiftboss


def test_version(place):
    from shiftboss import __version__

    for words in (["--version"], ["up", "--version"]):
        result = shiftboss(place, *words)
        assert (result.returncode, result.stdout, result.stderr) == (0, f"shiftboss {__version__}\n", "")
    assert document(shiftboss(place, "--version", "--json")) == {"version": __version__}


def test_version_imports_nothing_it_does_not_need(place):
    code = (
        "import sys; from shiftboss.frontends.cli import main; main(['--version']);"
        "sys.exit(', '.join({'asyncio', 'rich', 'sqlite3', 'argparse', 'json', 'dataclasses'} & set(sys.modules)) or 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_alone_it_prints_a_short_help_with_two_examples(place):
    result = shiftboss(place)
    assert result.returncode == 0
    assert result.stdout == shiftboss(place, "--help").stdout
    assert result.stdout.count("  shiftboss up") == 2
    assert len(result.stdout.splitlines()) <= 50
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert list(place.iterdir()) == []


def test_an_unknown_verb_names_the_nearest(place):
    result = no_traceback(shiftboss(place, "statsu"))
    assert (result.returncode, result.stdout) == (2, "")
    assert "there is no verb 'statsu'" in result.stderr
    assert "Did you mean status?" in result.stderr
    found = document(shiftboss(place, "statsu", "--json"))
    assert found["error"] == "bad input"
    assert found["exit_code"] == 2
    assert found["diagnostics"][0]["remedy"] == "Did you mean status?"


@pytest.mark.parametrize("verb", ["up", "down", "status", "plan", "validate"])
def test_every_finding_about_the_settings_is_told_at_once(place, verb):
    (place / "shiftboss.toml").write_text('[ports]\nrpc = "many"\n\n[pol]\nx = 1\n')
    result = no_traceback(shiftboss(place, verb, "--set", "ports.stratm=3", SHIFTBOSS_LIMITS__PARALLEL="0"))
    assert result.returncode == 2
    for part in ("ports.rpc", "shiftboss.toml:2", "shiftboss.toml:5", "ports.stratm", "Did you mean ports.stratum?"):
        assert part in result.stderr
    assert "limits.parallel" in result.stderr
    assert [path.name for path in place.iterdir()] == ["shiftboss.toml"]
    found = json.loads(shiftboss(place, verb, "--json").stdout)
    assert {one["line"] for one in found["diagnostics"]} == {2, 5}


@pytest.mark.parametrize(
    "words",
    [["up", "--pipeline", "intelligent"], ["up", "poool"], ["up", "--brain", "magic"], ["plan", "mining", "x"]],
)
def test_what_does_not_exist_is_refused_before_anything_is_made(place, words):
    result = no_traceback(shiftboss(place, *words))
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [["show", "r1"], ["explain"], ["logs", "pool"], ["env"], ["note", "r1", "x"], ["resume"], ["logs", "poool"]],
)
def test_without_a_working_directory_it_says_so_and_makes_none(place, words):
    result = no_traceback(shiftboss(place, *words))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert list(place.iterdir()) == []


def test_no_runs_yet_is_no_error(place):
    assert "Nothing has been run here yet" in shiftboss(place, "runs").stdout
    assert document(shiftboss(place, "runs", "--json")) == []
    assert "No run is at work here" in shiftboss(place, "stop").stdout
    assert list(place.iterdir()) == []


def test_status_of_an_empty_place(place):
    result = shiftboss(place, "status", "--json")
    found = document(result)
    assert result.returncode == 3
    assert found["health"] in ("absent", "broken")
    assert found["components"]["regtest/daemon.config"]["health"] == "absent"
    assert found["endpoints"]["regtest"]["wallet"] == "shiftboss"
    assert "Exit code 0 when every component is ready, 3 otherwise" in shiftboss(place, "status", "--help").stdout
    lines = shiftboss(place, "status").stdout.splitlines()
    assert lines[0] == "Components:"
    assert [line for line in lines if len(line) > 80 and str(place) not in line] == []  # only a path is not cut
    assert list(place.iterdir()) == []


def test_plan_of_an_empty_place(place):
    result = shiftboss(place, "plan", "pool.config", "--json")
    found = document(result)
    assert result.returncode == 0
    assert [step["component"] for step in found["steps"]] == ["pool.config"]
    assert found["steps"][0]["keyword"] == "delegate_config_generation"
    text = shiftboss(place, "plan").stdout
    assert re.search(r"^ +0\.0s  would +delegate_dependency_check: dependency_installer for$", text, re.MULTILINE)
    assert list(place.iterdir()) == []


def test_plan_of_a_goal_in_words(place):
    result = no_traceback(shiftboss(place, "plan", "--goal", "everything but not the daemon"))
    assert result.returncode == 0
    assert result.stdout.startswith("Goal: up everything; not to be touched: daemon\n")
    assert "skips    daemon — not to be touched" in result.stdout
    assert "skips    pool — waits for daemon in vain" in result.stdout
    assert "delegate_daemon_setup" not in result.stdout
    assert no_traceback(shiftboss(place, "plan", "--goal", "stop the pool")).returncode == 2
    assert list(place.iterdir()) == []


def test_validate_without_files_checks_everything_that_is_shipped(place):
    result = shiftboss(place, "validate")
    assert (result.returncode, result.stdout, result.stderr) == (0, "No errors, no warnings.\n", "")


def test_validate_tells_all_findings_of_the_named_files(place):
    (place / "agent.json").write_text('{"id": "x",\n "role": 3,\n "decisions": []}\n')
    (place / "torn.yaml").write_text("a: [1,\n")
    (place / "shiftboss.toml").write_text("[ports]\nrpc = 0\n")
    result = no_traceback(shiftboss(place, "validate", "agent.json", "torn.yaml", "shiftboss.toml", "gone.json"))
    assert result.returncode == 2
    for part in ("agent.json:1", "torn.yaml", "shiftboss.toml:2", "gone.json"):
        assert part in result.stderr
    assert re.search(r"^\d+ errors, ", result.stdout)
    found = document(shiftboss(place, "validate", "agent.json", "--json"))
    assert found["exit_code"] == 2
    assert found["errors"] == len([one for one in found["diagnostics"] if one["severity"] == "error"])


def test_agents_and_pipelines(place):
    agents = document(shiftboss(place, "agents", "--json"))
    owners = {name: one["id"] for one in agents for name in one["components"]}
    assert owners["daemon"] == "bitcoin_daemon_manager"
    assert "pool_server_manager\n" in shiftboss(place, "agents").stdout
    pipelines = {one["id"]: one for one in document(shiftboss(place, "pipelines", "--json"))}
    hub = pipelines["intelligent-mining-infrastructure-setup"]
    assert (hub["kind"], len(hub["stages"]), len(hub["connections"])) == ("hub", 8, 24)
    assert len(pipelines["mining-infrastructure-setup"]["stages"]) == 10
    assert "(default): hub, 8 stages" in shiftboss(place, "pipelines").stdout


def test_a_working_directory_that_can_not_be_written():
    prefix = ()
    if os.getuid() == 0:  # root can write everywhere: become somebody else
        if not Path("/usr/bin/setpriv").exists():
            pytest.skip("the tests run as root, and there is no setpriv to become somebody else")
        prefix = ("/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        result = no_traceback(shiftboss("/", "up", "--workdir", f"{folder}/work", prefix=prefix))
        Path(folder).chmod(0o755)
    assert result.returncode == 2, result.stderr
    said = " ".join(result.stderr.split())
    assert "Permission denied" in said
    assert "--workdir" in said


HOLDER = """
import sys, time
from pathlib import Path
from shiftboss.system.lock import EnvironmentLock
lock = EnvironmentLock(Path(sys.argv[1])).acquire(run="20261122-000000-abcd", command="shiftboss up", since=time.time())
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_hub_is_refused_and_told_who_is_at_work(place):
    locks = place / "work" / "locks"
    locks.mkdir(parents=True)
    command = [sys.executable, "-c", HOLDER, locks / "regtest.lock"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        result = no_traceback(shiftboss(place, "up", "--workdir", "work"))
        found = json.loads(shiftboss(place, "up", "--workdir", "work", "--json").stdout)
        holder.stdin.close()
        holder.wait(timeout=20)
    assert result.returncode == 6
    assert result.stdout == ""
    assert f"process {holder.pid}" in result.stderr
    assert "20261122-000000-abcd" in result.stderr
    assert (found["error"], found["exit_code"]) == ("refused", 6)
    assert max(map(len, result.stderr.splitlines())) <= 80 + len(str(place))
