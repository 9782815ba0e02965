"""What a human is told: why, what was seen, what was tried how often, what to try by hand; and no secrets."""

import asyncio

from demo.small import hub_stack, world_of
from shiftboss.engine.report import Surroundings, as_text, build
from shiftboss.model.events import EnvironmentEnded

AROUND = Surroundings(
    versions={"shiftboss": "0"},
    paths={"working directory": "/w"},
    log_tails={"a": ["rpcpassword=hunter2", "the end"]},
    suggestions=[("less a.log", "safe"), ("rm -rf a", "destructive")],
)


def report_of(drive, words: list[str]):
    stack = hub_stack({"a": (), "b": ("a",), "c": ("b",)})
    world = world_of(stack, ["e", "other"])
    world.script["e/a"] = words
    world.always["e/a"] = "fail:no_provider"
    driver = drive(stack, world, environments=["e", "other"])
    asyncio.run(driver.run())
    why = next(event.report["why"] for event in driver.of(EnvironmentEnded) if event.environment == "e")
    return build("e", why, driver.state, driver.hub.gaps, AROUND)


def test_it_has_the_reasons_and_what_waits_for_them(drive) -> None:
    report = report_of(drive, ["crash", "crash"])
    assert report["reasons"] == [
        "a is missing: nothing is there",
        "a failed (2 times): ValueError: object at 0x7f3a12bc90 is odd",
        "a failed: could not do it: no_provider",
    ]
    assert report["waiting"] == ["b waits for a", "c waits for b"]
    assert report["attempted"] == [{"component": "a", "what": "ensure", "times": 3, "worked": 0}]
    assert "no_provider can't be retried" in report["why"]


def test_recoveries_are_counted_by_strategy_and_success(drive) -> None:
    report = report_of(drive, ["fail:port_foreign", "clear", "fail:port_foreign", "fail:config"])
    counted = {one["what"]: (one["times"], one["worked"]) for one in report["attempted"]}
    assert counted["relocate_port"] == (2, 1) or counted["relocate_port"] == (3, 1)
    assert counted["ensure"][1] == 0


def test_other_environments_are_not_in_it(drive) -> None:
    report = report_of(drive, [])
    assert report["environment"] == "e"
    assert not any("other" in line for line in report["reasons"] + report["waiting"])


def test_secrets_are_removed_from_everything_that_is_quoted(drive) -> None:
    report = report_of(drive, [])
    assert report["log_tails"] == {"a": ["rpcpassword=[removed]", "the end"]}


def test_as_text_it_has_the_form_of_a_decision(drive) -> None:
    lines = as_text(report_of(drive, ["crash"])).splitlines()
    assert lines[0] == "DECISION: escalate"
    assert lines[2] == "REASONING:"
    for part in ("DIAGNOSTIC DETAILS:", "SUGGESTED MANUAL ACTIONS:", "1. [safe] less a.log", "- a: the end"):
        assert part in lines
    assert "- attempted: a ensure (2x, worked 0x)" in lines
    assert "hunter2" not in "".join(lines)
