"""What a human is told: why, what was seen, what was tried how often, what to try by hand; and no secrets."""

import asyncio
import json
import re

from demo.small import hub_stack, world_of
from shiftboss.engine.report import Surroundings, build
from shiftboss.frontends.documents import report_document
from shiftboss.frontends.report_html import as_html
from shiftboss.frontends.report_text import text_lines
from shiftboss.model.events import EnvironmentEnded
from shiftboss.model.lesson import Lesson
from shiftboss.store.memory import Remedy
from shiftboss.system.aside import Snapshot

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
    assert report["headline"] == "a failed: could not do it: no_provider"
    assert report["reasons"] == [
        "a is missing: nothing is there",
        "a failed 2 times with: ValueError: object at 0x7f3a12bc90 is odd",
        "a failed once with: could not do it: no_provider",
    ]
    assert report["waiting"] == ["b waits for a", "c waits for b"]
    (one,) = report["attempted"]
    assert (one["component"], one["what"], one["recovery"], one["times"], one["worked"]) == (
        "a",
        "ensure",
        False,
        3,
        0,
    )
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


def test_as_text_it_says_first_what_is_wrong_and_what_to_do(drive) -> None:
    lines = list(text_lines(report_of(drive, ["crash"])))
    assert lines[:5] == [
        "e needs a human: a failed: could not do it: no_provider",
        "First: less a.log",
        "",
        "DECISION: escalate",
        "",
    ]
    for part in ("REASONING:", "DIAGNOSTIC DETAILS:", "SUGGESTED MANUAL ACTIONS:", "1. [safe] less a.log"):
        assert part in lines
    assert "2. [destructive] rm -rf a" in lines
    assert "    the end" in lines
    assert "- Attempted recoveries: none" in lines
    assert "- Attempted besides: a ensure (2x, 0 worked)" in lines
    assert lines[-1] == "When it is mended: shiftboss resume r1 --workdir /w"


def test_recoveries_that_did_not_last_say_so(drive) -> None:
    report = report_of(drive, ["fail:port_foreign", "clear", "fail:port_foreign", "fail:config"])
    text = "\n".join(text_lines(report))
    counted = next(one for one in report["attempted"] if one["what"] == "relocate_port")
    assert f"relocate_port of a ({counted['times']}x, {counted['worked']} worked" in text
    assert any(line.startswith("relocate_port of a was tried ") for line in report["reasons"])


def known_of(sign: str) -> Surroundings:
    """Memory and data aside for the failure of a report."""
    lessons = [
        Lesson(signature=sign, strategy="restart_one", lasted=1, failed=3),
        Lesson(signature="a/died/other", strategy="never_mind"),
    ]
    remedies = [Remedy(signature=sign, component="a", what="absent -> ready; freed the disk", at=1_000_000.0)]
    aside = [Snapshot(id="e-1", environment="e", why="a reset", at="now", paths=("env/e/a",), size=2_000_000)]
    return AROUND.but(lessons=lessons, remedies=remedies, aside=aside)


def test_it_tells_what_memory_knows_and_what_lies_aside(drive) -> None:
    stack = hub_stack({"a": ()})
    world = world_of(stack, ["e"])
    world.always["e/a"] = "fail:no_provider"
    driver = drive(stack, world, environments=["e"])
    asyncio.run(driver.run())
    made = build("e", "why", driver.state, driver.hub.gaps, AROUND)
    sign = driver.state.history["e"][-1].signature
    report = build("e", "why", driver.state, driver.hub.gaps, known_of(sign))
    assert (made["memory"], made["remedies"], made["aside"]) == ([], [], [])
    assert [(one["strategy"], one["lasted"], one["failed"]) for one in report["memory"]] == [("restart_one", 1, 3)]
    text = " ".join(" ".join(text_lines(report)).split())
    assert f"memory: restart_one lasted 1 of 4 times against {sign}" in text
    assert "a person mended it (1970-01-12T13:46:40Z): absent -> ready; freed the disk" in text
    assert "kept aside: e-1 (a reset; env/e/a; 2.0 MB)" in text
    assert "shiftboss restore e-1 --workdir /w" in text


APPROVAL = {
    "environment": "e",
    "component": "a",
    "act": "0123456789ab",
    "move": "e/a/recover/restart_one",
    "risk": "disruptive",
    "what": "start it again",
    "why": "a is broken: its process ended",
}


def test_what_is_asked_comes_with_the_commands_that_answer_it(drive) -> None:
    report = {**report_of(drive, []), "approvals": [APPROVAL], "paths": {"working directory": "/w & x"}}
    lines = list(text_lines(report))
    assert lines[0].startswith("e waits for your consent: a ")
    assert lines[1] == "First: shiftboss approve r1 0123456789ab --workdir '/w & x'"
    assert "   forbid: shiftboss deny r1 0123456789ab --workdir '/w & x'" in lines
    assert "   then:   shiftboss resume r1 --workdir '/w & x'" in lines
    document = report_document(report)
    assert document["approvals"][0]["commands"]["approve"] == lines[1].removeprefix("First: ")
    assert document["resume"] == "shiftboss resume r1 --workdir '/w & x'"
    assert "shiftboss approve r1 0123456789ab --workdir &#x27;/w &amp; x&#x27;" in as_html("r", report)


def test_no_form_of_it_holds_a_secret(drive) -> None:
    canary = "hunter2"
    text = f"rpcpassword={canary} and http://me:{canary}@host and __cookie__:{canary}"
    stack = hub_stack({"a": ()})
    world = world_of(stack, ["e"])
    world.always["e/a"] = "fail:no_provider"
    driver = drive(stack, world, environments=["e"])
    asyncio.run(driver.run())
    sign = driver.state.history["e"][-1].signature
    seen = driver.state.snapshot["e/a"]
    driver.state.snapshot["e/a"] = seen.but(summary=text, evidence={"tail": [text], "more": {"deep": text}})
    gaps = {key: gap.but(why=text) for key, gap in driver.hub.gaps.items()}
    around = Surroundings(
        versions={"a": text},
        paths={"working directory": "/w"},
        log_tails={"a": [text]},
        suggestions=[(f"cat {text}", "safe")],
        remedies=[Remedy(signature=sign, component="a", what=text, at=1.0)],
        aside=[Snapshot(id="e-1", environment="e", why=text, at="now", paths=(text,))],
    )
    report = build("e", text, driver.state, gaps, around)
    assert canary not in json.dumps(report)
    report["approvals"] = [{**APPROVAL, "what": text, "why": text}]  # added by the hub, after
    forms = ["\n".join(text_lines(report)), as_html("r", report), json.dumps(report_document(report))]
    assert [re.findall(canary, form) for form in forms] == [[], [], []]
