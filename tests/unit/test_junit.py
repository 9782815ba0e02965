"""Runs as JUnit files and endpoints as variables: what CI reads of a run."""

from xml.etree import ElementTree as ET

from shiftboss.frontends.exports import variables
from shiftboss.frontends.junit import document
from shiftboss.model.events import Delegated, EnvironmentEnded, Observed, Recorded, RunEnded, RunStarted, Settled

START = 1_800_000_000.0


REPORT = {
    **{key: [] for key in ("reasons", "waiting", "messages", "attempted", "suggestions")},
    **{key: {} for key in ("versions", "paths", "log_tails")},
}


def recorded(*events):
    return [Recorded(seq=n, run="r", at=START + n, event=event) for n, event in enumerate(events)]


def started(*environments):
    return RunStarted(pack="mining", pipeline="p", brain="policy", goal={"want": "up"}, environments=list(environments))


def seen(component, health="ready", environment="a", **more):
    return Observed(environment=environment, component=component, health=health, summary=f"{component} sum", **more)


def order(number, component, environment="a"):
    return Delegated(
        id=f"r/0/{number}",
        environment=environment,
        component=component,
        agent="x",
        mode="ensure",
        strategy=None,
        keyword="k",
        attempt=1,
        deadline=60,
    )


def settled(number, *, ok=True, seconds=1.25, failure=None):
    return Settled(id=f"r/0/{number}", status="done", outcome="o", ok=ok, summary="s", seconds=seconds, failure=failure)


def ended(environment, ending):
    return EnvironmentEnded(environment=environment, ending=ending, reasoning=f"{environment} is {ending}")


def suites(events, proof=None, order=None):
    root = ET.fromstring(document(events, proof or {}, order or {}))
    return root, {suite.get("name"): suite for suite in root}


def results(suite):
    """Case -> what it holds besides output: failure, error, skipped, or nothing."""
    return {
        case.get("name"): next((child.tag for child in case if child.tag != "system-out"), "passed")
        for case in suite.findall("testcase")
    }


def test_each_environment_is_a_suite_with_its_own_story():
    events = recorded(
        started("a", "b"),
        seen("pool", environment="a"),
        seen("pool", "absent", environment="b"),
        order(1, "pool", environment="b"),
        settled(1, ok=False, failure={"kind": "died", "message": "the pool died"}),
        ended("a", "converged"),
        ended("b", "escalated"),
        RunEnded(ending="escalated", turns=1, seconds=7.5),
    )
    root, found = suites(events, proof={"a": {"block_hash": "00ff"}})
    assert list(found) == ["a", "b"]
    assert results(found["a"]) == {"pool": "passed", "proof": "passed"}
    assert results(found["b"]) == {"pool": "failure", "proof": "failure"}
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped", "time")] == [
        "4", "2", "0", "0", "7.500",
    ]  # fmt: skip
    failure = found["b"].find("testcase/failure")
    assert (failure.get("type"), failure.get("message")) == ("died", "the pool died")
    assert found["b"].find("testcase").get("time") == "1.250"
    assert "x for b/pool" in found["b"].find("system-out").text
    assert "x for b/pool" not in found["a"].find("system-out").text
    assert found["a"].get("timestamp") == "2027-01-15T08:00:00"


def test_of_a_run_that_was_cut_off_what_was_in_hand_is_an_error():
    events = recorded(started("a"), seen("daemon"), seen("pool", "starting"), seen("miner", "absent"), order(1, "pool"))
    root, found = suites(events, order={"miner": 2, "pool": 1, "daemon": 0})
    assert results(found["a"]) == {"daemon": "passed", "pool": "error", "miner": "skipped", "proof": "failure"}
    assert root.find("testsuite/testcase/error").get("type") == "interrupted"
    assert root.get("time") == "4.000"


def test_each_failure_is_about_its_own_component():
    report = {"environment": "a", "why": "daemon.binary is missing"}
    broken = {"health": "broken", "failure": "died"}
    events = recorded(
        started("a"),
        seen("pool", **broken),
        order(1, "pool"),
        settled(1, ok=False, failure={"kind": "died", "message": "the pool died"}),
        seen("miner", "broken", failure="port_foreign"),
        EnvironmentEnded(environment="a", ending="exhausted", reasoning="out of time", report=REPORT | report),
    )
    root, found = suites(events)
    assert results(found["a"]) == {"pool": "failure", "miner": "skipped", "proof": "failure"}
    own, proof = root.findall("testsuite/testcase/failure")
    assert own.text == "the pool died\nbroken: pool sum"
    assert "daemon.binary is missing" in proof.text
    assert root.find("testsuite/testcase/skipped").get("message") == "it was not its turn: miner sum"


def test_an_environment_without_anything_to_prove_skips_it():
    _, found = suites(recorded(started("a"), seen("daemon"), ended("a", "converged")))
    assert results(found["a"]) == {"daemon": "passed", "proof": "skipped"}


def test_what_programs_say_can_neither_break_the_file_nor_leak():
    odd = 'died: ]]> & <x> \x00\x1b[31m \ufffe\ud800 rpcpassword=hunter2 "'
    events = recorded(started("a"), Observed(environment="a", component="pool", health="broken", summary=odd))
    text = document([*events, *recorded(seen("pool", "broken", failure="died"), ended("a", "escalated"))], {}, {})
    text.encode("utf-8")
    ET.fromstring(text)
    assert "hunter2" not in text
    assert "&lt;x&gt;" in text


ENDPOINTS = {"rpc": "http://127.0.0.1:1", "wallet": "w"}


def test_the_variables_of_one_environment_have_no_prefix():
    assert variables({"regtest": ENDPOINTS}) == {"SHIFTBOSS_RPC": "http://127.0.0.1:1", "SHIFTBOSS_WALLET": "w"}
    assert variables({}) == {}


def test_of_several_each_has_its_own_and_the_first_also_the_plain_ones():
    found = variables({"alice": ENDPOINTS, "bob": {"rpc": "http://127.0.0.1:2"}})
    assert found["SHIFTBOSS_RPC"] == found["SHIFTBOSS_ALICE_RPC"] == "http://127.0.0.1:1"
    assert found["SHIFTBOSS_BOB_RPC"] == "http://127.0.0.1:2"
    assert "SHIFTBOSS_BOB_WALLET" not in found


def test_no_variable_is_taken_for_a_setting():
    found = variables({"a--b_": ENDPOINTS, "c__d": ENDPOINTS})
    assert {"SHIFTBOSS_A_B_RPC", "SHIFTBOSS_C_D_RPC"} <= found.keys()
    assert not [name for name in found if "__" in name]
