"""The hub on real parts: killed at any moment, refused twice, interrupted, lied to, and out of means."""

import os
import random
import signal
import subprocess

import pytest
from stacks import touched

from helpers import eventually
from shiftboss.app import read_records
from shiftboss.model.events import Delegated, RunEnded, Settled
from shiftboss.system import proc

pytestmark = pytest.mark.real


def started_daemons(stack):
    """How often a daemon was started, by the daemon's own log."""
    log = stack.folder / "daemon" / "regtest" / "debug.log"
    return log.read_text().count("Default data directory") if log.exists() else 0


@pytest.mark.parametrize("after", [0.15, 0.35, 0.6, 0.9, 1.4])
@pytest.mark.parametrize("verb", ["up", "resume"])
def test_a_killed_hub_leaves_nothing_doubled_and_the_next_one_goes_on(stack, after, verb):
    before = started_daemons(stack)
    hub = stack.start("up", "mining")
    try:
        hub.wait(after + random.Random(after).random() * 0.1)
    except subprocess.TimeoutExpired:
        hub.kill()
    hub.wait()
    document = stack.run(verb if _has_run(stack) and not _is_over(stack) else "up")
    assert document["ending"] == "converged"
    assert started_daemons(stack) == before + 1, "one daemon, started once"
    assert stack.height() <= 101 + 6
    for part in ("daemon", "pool", "miner"):
        assert proc.is_running(stack.pid(part))
    leaders = [pid for pid in stack.processes() if proc.is_session_leader(pid)]
    assert len(leaders) == 3, "no orphan beside the three parts"
    stack.run("down")
    assert stack.processes() == []


def _is_over(stack):
    return any(isinstance(event, RunEnded) for event in stack.events())


def _has_run(stack):
    records = read_records(stack.home)
    if records is None:
        return False
    found = records.journal.last_run()
    records.close()
    return found is not None


def test_a_resumed_run_settles_what_was_in_flight(stack):
    hub = stack.start("up", "mining")
    eventually(lambda: _has_run(stack) and any(isinstance(e, Delegated) for e in stack.events()), what="a delegation")
    hub.kill()
    hub.wait()
    document = stack.run("resume")
    events = stack.events(document["run"])
    ordered = [event.id for event in events if isinstance(event, Delegated)]
    settled = [event.id for event in events if isinstance(event, Settled)]
    assert len(set(ordered)) == len(ordered)
    assert sorted(settled) == sorted(ordered), "each order has exactly one ending"


def test_a_second_hub_is_refused_and_told_who_owns_the_environment(stack):
    hub = stack.start("up", "mining", **{"miner.block_interval": "off"})
    eventually((stack.home / "locks" / "regtest.lock").exists, what="the lock")
    refused = stack.run("up", code=6)
    assert str(hub.pid) in str(refused)
    hub.wait(60)
    assert hub.returncode == 0


def test_ctrl_c_stops_delegating_and_leaves_the_stack_as_it_is(stack):
    hub = stack.start("up", "mining")
    eventually((stack.folder / "run" / "daemon.pid").exists, what="the daemon's start")
    os.kill(hub.pid, signal.SIGINT)
    assert hub.wait(30) == 130
    assert "Traceback" not in stack.printed.read_text()
    daemon = stack.pid("daemon")
    assert proc.is_running(daemon)
    document = stack.up()
    assert document["ending"] == "converged"
    assert stack.pid("daemon") == daemon


def test_a_missing_binary_without_provider_escalates_with_what_to_do(stack):
    document = stack.up(code=3, **{"daemon.binary": stack.home / "nowhere" / "bitcoind"})
    assert document["ending"] == "escalated"
    report = document["report"]["regtest"]
    assert "daemon.binary" in report["why"]
    assert "--set daemon.rpc" in str(report["messages"])
    assert touched(document) <= {"daemon.binary", "pool.config", "miner.config", "daemon.config"}


def test_a_daemon_that_dies_at_every_start_escalates_within_its_budget(stack):
    document = stack.up(code=3, **{"daemon.args": '["-nosuchoption=1"]'})
    assert document["ending"] == "escalated"
    failed = [one for one in document["delegations"] if one["component"] == "daemon"]
    assert 1 <= len(failed) <= 5
    assert "nosuchoption" in str(document["report"]["regtest"]["messages"])
    assert stack.processes() == []


def test_wrong_settings_are_all_named_at_once_and_nothing_is_made(fresh):
    wrong = {"ports.rpc": "eighteen", "pool.share_difficulty": "-1", "limits.paralel": "3"}
    document = fresh.run("up", code=2, **wrong)
    text = str(document["diagnostics"])
    assert all(word in text for word in ("ports.rpc", "pool.share_difficulty", "limits.parallel"))
    assert not fresh.home.exists()


def test_resume_uses_the_pipeline_and_settings_the_run_began_with(stack):
    hub = stack.start("up", "mining", "--pipeline", "mining-infrastructure-setup")
    eventually(lambda: _has_run(stack) and any(isinstance(e, Settled) for e in stack.events()), what="a settlement")
    hub.kill()
    hub.wait()
    stack.settings.clear()
    document = stack.run("resume")
    assert document["ending"] == "converged"
    assert document["pipeline"] == "mining-infrastructure-setup"
    assert document["endpoints"]["regtest"]["rpc"].endswith(str(stack.ports["rpc"]))


def test_a_run_resumed_and_killed_again_is_not_shown_as_running_for_ever(stack):
    first = stack.up("wallet", code=3, **{"daemon.args": '["-nosuchoption=1"]'})["run"]
    hub = stack.start("resume")
    hub.kill()
    hub.wait()
    stack.up("wallet")
    database = read_records(stack.home)
    marks = {mark.run: type(mark.event).__name__ for mark in reversed(database.journal.marks())}
    database.close()
    assert marks[first] == "RunEnded"


def test_the_daemon_s_log_in_is_never_written_down(stack):
    stack.up()
    cookie = (stack.folder / "daemon" / "regtest" / ".cookie").read_text()
    secret = cookie.partition(":")[2]
    stack.kill("daemon")
    stack.up(code=0)
    kept = [path for path in stack.home.rglob("*") if path.is_file() and "daemon/regtest" not in str(path)]
    assert [path for path in kept if secret.encode() in path.read_bytes()] == []


def test_a_run_that_reached_its_goal_is_not_resumed(stack):
    run = stack.up("wallet")["run"]
    refused = stack.run("resume", code=2)
    assert "ended converged" in str(refused["diagnostics"])
    assert stack.up("wallet")["run"] != run


def test_a_proof_of_replaced_parts_is_not_shown_as_proof(stack):
    assert stack.up()["proof"]["regtest"]
    stack.kill("pool")
    assert not stack.up("pool")["proof"].get("regtest")
