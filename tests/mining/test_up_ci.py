"""`up` for CI on real parts: what the command sees, what is left afterwards (nothing), what the files say."""

import json
import signal
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from helpers import eventually
from shiftboss.app import read_records
from shiftboss.model.events import Delegated, RunEnded, RunStarted

pytestmark = pytest.mark.real

LIST = 'env | grep ^SHIFTBOSS_ > "$0"; exit 7'


def ci(stack, *words, command=(), code=0):
    done = subprocess.run(
        [*stack.command("up", "-q", *words), *(["--", *command] if command else [])],
        capture_output=True,
        text=True,
        timeout=100,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def wants(stack):
    """What each run of the working directory wanted, and how it ended; oldest first."""
    records = read_records(stack.home)
    marks = [mark.event for mark in reversed(records.journal.marks())]
    records.close()
    started = [one.goal["want"] for one in marks if isinstance(one, RunStarted)]
    return list(zip(started, [one.ending for one in marks if isinstance(one, RunEnded)], strict=True))


def suite(path: Path):
    root = ET.parse(path).getroot()
    (found,) = root
    cases = found.findall("testcase")
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        number = sum(case.find(tag) is not None for case in cases)
        assert (root.get(attribute), found.get(attribute)) == (str(number), str(number))
    assert root.get("tests") == found.get("tests") == str(len(cases))
    assert all(float(case.get("time")) >= 0 for case in cases)
    assert found.find("system-out").text
    return {case.get("name"): case for case in cases}


def test_a_command_sees_the_endpoints_and_nothing_is_left(stack, tmp_path):
    out, seen = tmp_path / "results" / "junit.xml", tmp_path / "seen"
    done = ci(stack, "--json", "--junit", str(out), command=["sh", "-c", LIST, str(seen)], code=7)
    told = json.loads(done.stdout)
    assert (told["ending"], told["exit_code"], told["command_exit_code"]) == ("converged", 7, 7)
    found = dict(line.split("=", 1) for line in seen.read_text().splitlines())
    assert found["SHIFTBOSS_RPC"] == f"http://127.0.0.1:{stack.ports['rpc']}"
    assert found["SHIFTBOSS_STRATUM"] == f"127.0.0.1:{stack.ports['stratum']}"
    assert wants(stack) == [("up", "converged"), ("down", "converged")]
    assert wants_started(stack)[0].command == "down (after up)"
    assert stack.processes() == []
    cases = suite(out)
    assert list(cases)[-2:] == ["cycle", "proof"]
    assert float(cases["pool"].get("time")) > 0
    assert float(cases["pool.binary"].get("time")) == 0
    assert all(case.find("failure") is None for case in cases.values())
    assert out.stat().st_mode & 0o777 == 0o644


def test_what_does_not_converge_is_torn_down_and_told(stack, tmp_path):
    out = tmp_path / "junit.xml"
    done = ci(stack, "--ci", "--junit", str(out), "--set=pool.command=/bin/false", command=["touch", "never"], code=3)
    assert not Path("never").exists()
    assert "DECISION: escalate" in done.stdout
    assert [want for want, _ in wants(stack)] == ["up", "down"]
    assert stack.processes() == []
    assert list((stack.home / "reports").glob("*.txt"))
    cases = suite(out)
    failure = cases["pool"].find("failure")
    assert failure.get("type")
    assert "pool" in failure.text
    assert cases["proof"].find("failure").get("type") == "escalated"
    assert "DIAGNOSTIC DETAILS" in cases["proof"].find("failure").text
    assert cases["miner"].find("skipped") is not None
    assert cases["daemon"].find("failure") is None


def test_out_of_time_is_torn_down(stack):
    ci(stack, "--ci", "--timeout", "0.3", code=5)
    assert wants(stack) == [("up", "exhausted"), ("down", "converged")]
    assert stack.processes() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_is_torn_down(stack, tmp_path, number):
    out = tmp_path / "junit.xml"
    run = stack.start("up", "--ci", "--junit", str(out))
    eventually(lambda: "daemon" in stack_components(stack), what="an order for the daemon")
    run.send_signal(number)
    assert run.wait(60) == 130, stack.printed.read_text()
    assert wants(stack) == [("up", "interrupted"), ("down", "converged")]
    assert stack.processes() == []
    assert suite(out)["proof"].find("failure").get("type") == "interrupted"
    assert "is stopped now" in stack.printed.read_text()


def stack_components(stack):
    records = read_records(stack.home)
    if records is None:
        return set()
    try:
        run = records.journal.last_run()
        events = records.journal.read(run) if run else []
        return {one.event.component for one in events if isinstance(one.event, Delegated)}
    finally:
        records.close()


def test_signals_reach_the_command_and_never_the_tearing_down(stack, tmp_path):
    there = tmp_path / "there"
    run = subprocess.Popen(
        [*stack.command("up", "-q"), "--", "sh", "-c", f"touch {there}; exec sleep 100"], stdin=subprocess.DEVNULL
    )
    eventually(there.exists, what="the command")
    run.send_signal(signal.SIGTERM)
    eventually(lambda: len(wants_started(stack)) == 2, what="the tearing down")
    for again in (signal.SIGINT, signal.SIGTERM):
        run.send_signal(again)
    assert run.wait(60) == 128 + signal.SIGTERM
    assert wants(stack) == [("up", "converged"), ("down", "converged")]
    assert stack.processes() == []


def wants_started(stack):
    records = read_records(stack.home)
    marks = [mark.event for mark in records.journal.marks()]
    records.close()
    return [one for one in marks if isinstance(one, RunStarted)]
