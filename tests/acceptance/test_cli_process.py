"""The command as a process, for everything that needs no real daemon: words, exit codes, and what is left unchanged."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import pytest

SHIFTBOSS = (sys.executable, "-m", "shiftboss.frontends.cli")


@pytest.fixture
def place(tmp_path):
    """An empty folder to run in."""
    return tmp_path


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHIFTBOSS")}
    return {**kept, "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **more}


def shiftboss(place, *words, prefix=(), **environ):
    return subprocess.run(
        [*prefix, *SHIFTBOSS, *map(str, words)],
        cwd=place,
        env=environment(**environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def document(result):
    """The one JSON document on stdout."""
    assert result.stderr == "", result.stderr
    return json.loads(result.stdout)


def no_traceback(result):
    assert "Traceback" not in result.stdout + result.stderr
    return result


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
    assert len(result.stdout.splitlines()) <= 35
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
    assert max(map(len, lines)) <= 80 + len(str(place))  # a path stays whole
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


def test_validate_without_files_checks_everything_that_is_shipped(place):
    result = shiftboss(place, "validate")
    assert (result.returncode, result.stdout, result.stderr) == (0, "No errors, no warnings.\n", "")


def test_validate_tells_all_findings_of_the_named_files(place):
    (place / "agent.json").write_text('{"id": "x",\n "role": 3,\n "decisions": []}\n')
    (place / "torn.yaml").write_text("a: [1,\n")
    (place / "shiftboss.toml").write_text("[ports]\nrpc = 0\n")
    result = no_traceback(shiftboss(place, "validate", "agent.json", "torn.yaml", "shiftboss.toml", "gone.json"))
    assert result.returncode == 2
    for part in ("agent.json:2", "torn.yaml", "shiftboss.toml:2", "gone.json"):
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


def escalating(place, *more):
    """A run that ends at once, because the daemon's program is not there."""
    return shiftboss(place, "up", "daemon", "--set", "daemon.binary=/nonexistent/bitcoind", *more)


def test_an_escalation_prints_and_keeps_its_report(place):
    result = no_traceback(escalating(place))
    assert result.returncode == 3
    text = result.stdout
    assert text.index("ends     escalated") < text.index("DECISION: escalate") < text.index("SUGGESTED MANUAL ACTIONS:")
    kept = [Path(line.strip()) for line in text.splitlines() if "/reports/" in line]
    assert [path.suffix for path in kept] == [".json", ".txt", ".html"]
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert json.loads(kept[0].read_text())["environment"] == "regtest"
    assert kept[1].read_text() in text
    assert kept[2].read_text().startswith("<!doctype html>")


def test_the_story_of_a_run_can_be_asked_for_later(place):
    found = json.loads(escalating(place, "--json").stdout)
    run = found["run"]
    assert (found["ending"], found["exit_code"], list(found["report"])) == ("escalated", 3, ["regtest"])
    assert found["delegations"][0]["component"] in ("daemon.binary", "daemon.config")
    listed = document(shiftboss(place, "runs", "--json"))
    assert [(one["run"], one["ending"]) for one in listed] == [(run, "escalated")]
    assert run in shiftboss(place, "runs").stdout
    assert "DECISION: escalate" in shiftboss(place, "show", run).stdout
    assert document(shiftboss(place, "show", run, "--json"))["delegations"] == found["delegations"]
    explained = document(shiftboss(place, "explain", "--json"))
    assert explained["run"] == run
    assert explained["decisions"][-1]["keywords"] == ["escalate"]
    turn = str(explained["decisions"][0]["turn"])
    text = shiftboss(place, "explain", run, "--turn", turn).stdout
    for part in ("Evidence:", "Gaps:", "Legal moves:", "DECISION: ", "REASONING:"):
        assert part in text
    assert no_traceback(shiftboss(place, "explain", "--turn", "999")).returncode == 2
    assert shiftboss(place, "note", run, "tried it \x1b[31magain").returncode == 0
    assert shiftboss(place, "note", "nosuchrun", "x").returncode == 2


def test_the_exports_of_env_are_no_settings(place):
    folder = place / "a folder; it's odd"
    escalating(place, "--workdir", folder)
    text = shiftboss(place, "env", "--workdir", folder).stdout
    names = re.findall(r"^export (\w+)=", text, re.MULTILINE)
    assert {"SHIFTBOSS_RPC", "SHIFTBOSS_RPC_COOKIE_FILE", "SHIFTBOSS_WALLET", "SHIFTBOSS_STRATUM"} <= set(names)
    shell = subprocess.run(
        ["/bin/sh", "-c", f"{text}\nenv"], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    given = dict(line.split("=", 1) for line in shell.stdout.splitlines() if line.startswith("SHIFTBOSS_"))
    assert given["SHIFTBOSS_RPC_COOKIE_FILE"].startswith(str(folder))
    assert given == document(shiftboss(place, "env", "--json", "--workdir", folder))
    assert shiftboss(place, "validate", **given).returncode == 0


def test_a_closed_pipe_is_no_complaint(place):
    command = f"{' '.join(SHIFTBOSS)} pipelines | head -n 1"
    result = subprocess.run(
        ["/bin/sh", "-c", command], cwd=place, env=environment(), capture_output=True, text=True, check=False
    )
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_following_a_log_ends_quietly_at_an_interrupt(place, number):
    log = place / ".shiftboss" / "env" / "regtest" / "logs" / "pool.log"
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"line {n}\n" for n in range(9)) + "\x1b[2Jpassword=hunter2\n")
    command = [*SHIFTBOSS, "logs", "pool", "-f", "-n", "2", "--json"]
    with subprocess.Popen(
        command, cwd=place, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as follower:
        assert json.loads(follower.stdout.readline()) == {"component": "pool", "line": "line 8"}
        assert json.loads(follower.stdout.readline())["line"] == "password=[removed]"
        with log.open("a") as file:
            file.write("a new one\n")
        assert json.loads(follower.stdout.readline())["line"] == "a new one"
        follower.send_signal(number)
        _, errors = follower.communicate(timeout=20)
    assert "Traceback" not in errors
    assert follower.returncode == 130


def test_logs_without_following_is_one_document(place):
    log = place / ".shiftboss" / "env" / "regtest" / "logs" / "pool.log"
    log.parent.mkdir(parents=True)
    log.write_text("one\ntwo\nthree\n")
    assert document(shiftboss(place, "logs", "pool", "-n", "2", "--json"))["lines"] == ["two", "three"]
    assert shiftboss(place, "logs", "pool", "-n", "1").stdout == "three\n"
    assert shiftboss(place, "logs", "pool", "-n", "0").stdout == ""
    assert shiftboss(place, "logs", "cycle").returncode == 2


def test_a_bug_of_ours_is_one_sentence_and_a_file(place):
    (place / "work").mkdir()
    code = (
        "import sys; from shiftboss.frontends import verbs, cli;"
        "verbs.WORKERS['up'] = 'no_such_module:up'; sys.exit(cli.main(['up', '--workdir', 'work']))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=place, env=environment(), capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "this is a bug in shiftboss" in result.stderr
    no_traceback(result)
    (crash,) = (place / "work").glob("crash-*.txt")
    assert "ModuleNotFoundError" in crash.read_text()
    assert crash.stat().st_mode & 0o777 == 0o600


def test_a_damaged_store_is_told_in_words(place):
    work = place / ".shiftboss"
    work.mkdir()
    (work / "state.sqlite3").write_text("this is no database, not at all, " * 100)
    for words, code in ((["runs"], 1), (["up", "daemon"], 2)):
        result = no_traceback(shiftboss(place, *words))
        assert result.returncode == code
        assert "state.sqlite3 is damaged" in " ".join(result.stderr.split())
    assert list(work.glob("crash-*")) == []


def hanging(place):
    """A run of `up` in whose first delegation a program hangs (the self-test of the daemon's binary)."""
    program = place / "bitcoind"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    return [*SHIFTBOSS, "up", "daemon", "--set", f"daemon.binary={program}"]


def read_until(stream, part):
    """Lines up to the one that holds `part`."""
    deadline = time.monotonic() + 30
    while part not in (line := stream.readline()):
        assert line, f"the output ended before {part!r}"
        assert time.monotonic() < deadline, f"waited for {part!r}"


def test_ctrl_c_ends_a_run_with_130(place):
    with subprocess.Popen(
        hanging(place), cwd=place, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        read_until(running.stdout, "dependency_installer for")
        running.send_signal(signal.SIGINT)
        text, errors = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "ends     interrupted" in text
    assert errors == "Interrupted: nothing new is started, and the stack is left as it is.\n"
    assert [one["ending"] for one in document(shiftboss(place, "runs", "--json"))] == ["interrupted"]


def test_another_process_may_note_and_stop(place):
    with subprocess.Popen(
        hanging(place), cwd=place, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        read_until(running.stdout, "dependency_installer for")
        (one,) = document(shiftboss(place, "runs", "--json"))
        assert one["ending"] == "running"
        assert shiftboss(place, "note", one["run"], "a word from outside").stdout == "Noted.\n"
        read_until(running.stdout, "notes    a word from outside")
        assert shiftboss(place, "stop").stdout == f"Run {one['run']} was asked to stop.\n"
        text, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (130, "")
    assert "ends     interrupted" in text
    assert "SUGGESTED MANUAL ACTIONS" not in text
    assert not (place / ".shiftboss" / "reports").exists()


def test_on_a_terminal_it_draws_what_is_in_flight(place):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 80))
    with subprocess.Popen(
        hanging(place), cwd=place, env=environment(TERM="xterm-256color"), stdin=theirs, stdout=theirs, stderr=theirs
    ) as running:
        os.close(theirs)
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            seen = read_terminal(terminal, "in flight")
            running.send_signal(signal.SIGINT)
            seen += read_terminal(terminal, "Interrupted: ")
        running.wait(timeout=30)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)
    assert re.search(r"▶  daemon\.binary  \d\.\d s +dependency_installer: ensure", plain)
    assert re.search(r"\d\.\d s: \d+ of \d+ ready, \d in flight", plain)
    assert "\x1b[?25h" in seen.rpartition("in flight")[2].partition("Interrupted")[0], "the cursor is shown again"
    assert "Traceback" not in plain
    assert running.returncode == 130


def read_terminal(terminal, part):
    """What a terminal shows until `part` is among it (it ends with an error, as terminals do)."""
    text = b""
    while part.encode() not in text:
        text += terminal.read(65536)
    return text.decode(errors="replace")
