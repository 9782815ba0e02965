"""The command as a process, for runs: reports, history, logs, interrupts, messages, and a terminal."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from command import SHIFTBOSS, document, environment, no_traceback, shiftboss


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


def test_what_ci_can_not_do_is_said_before_anything_is_done(place):
    (place / "file").touch()
    words = ["up", "--ci", "--timeout", "soon", "--junit", "file/out.xml", "--", "nosuchcommand"]
    found = document(shiftboss(place, *words, "--json"))
    assert found["exit_code"] == 2
    assert [one["what"].split(" ")[0] for one in found["diagnostics"]] == ["the", "--junit"]
    assert no_traceback(shiftboss(place, "up", "--timeout", "soon")).returncode == 2
    assert [path.name for path in place.iterdir()] == ["file"]


def test_a_bad_end_in_ci_leaves_its_report_and_the_junit_file(place):
    result = no_traceback(escalating(place, "--ci", "--junit", "new/junit.xml"))
    assert result.returncode == 3
    assert "\x1b" not in result.stdout
    assert [one["ending"] for one in document(shiftboss(place, "runs", "--json"))] == ["converged", "escalated"]
    assert list((place / ".shiftboss" / "reports").glob("*.html"))
    assert "<failure" in (place / "new" / "junit.xml").read_text()
