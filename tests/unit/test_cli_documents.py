"""The documents of --json, the list of runs, the files of a report."""

import json
from types import SimpleNamespace

from shiftboss.frontends.documents import run_document, status_document, worst_health
from shiftboss.frontends.report_files import write_reports
from shiftboss.frontends.report_html import as_html
from shiftboss.frontends.report_text import text_lines
from shiftboss.frontends.verbs_history import runs_document
from shiftboss.model.events import (
    ApprovalAsked,
    Delegated,
    Denied,
    EnvironmentEnded,
    Learned,
    MendedByHand,
    Observed,
    Recorded,
    RunEnded,
    RunStarted,
    Settled,
)
from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health, Observation
from shiftboss.view import fold

BEGUN = RunStarted(
    pack="mining", pipeline="p", brain="policy", goal={"want": "up"}, environments=["regtest"], command="up"
)
ORDER = Delegated(
    id="r/0/0",
    environment="regtest",
    component="pool",
    agent="pool_server_manager",
    mode="ensure",
    strategy=None,
    keyword="delegate_pool_setup",
    attempt=1,
    deadline=60,
)
REPORT = {
    "environment": "regtest",
    "why": "the pool <b>does not</b> start",
    "reasons": ["pool is broken: port 3333 is taken", "pool failed (3 times): <script>alert(1)</script>"],
    "waiting": ["miner waits for pool"],
    "versions": {"shiftboss": "0.1.0"},
    "paths": {"working directory": "/w & x"},
    "messages": ["Address \x1b[31malready in use"],
    "log_tails": {"pool": ["line one", 'line "two" <i>']},
    "attempted": [{"component": "pool", "what": "ensure", "times": 3, "worked": 0}],
    "suggestions": [
        {"command": "ss -ltnp", "effect": "safe"},
        {
            "command": "rm -r '/w/env/regtest/a very long path that would not fit into one line of eighty'",
            "effect": "destructive",
        },
    ],
}


def events(*pairs):
    return [Recorded(seq=n, run="r", at=at, event=event) for n, (at, event) in enumerate(pairs)]


def test_the_document_of_a_run_has_what_scripts_read():
    done = Settled(
        id="r/0/0", status="done", outcome="pool_ready", ok=True, summary="it runs", seconds=0.5, changes=["started"]
    )
    seen = Observed(environment="regtest", component="pool", health="ready", summary="runs", evidence={"pid": 7})
    ended = RunEnded(ending="converged", turns=2, seconds=1.5)
    view = fold(events((10.0, BEGUN), (10.5, ORDER), (11.0, seen), (11.0, done), (11.5, ended)))
    found = run_document(view, {"regtest": {"rpc": "u"}}, {"regtest": {"height_after": 3}})
    assert {name: found[name] for name in ("run", "pipeline", "brain", "ending", "exit_code", "seconds", "turns")} == {
        "run": "r",
        "pipeline": "p",
        "brain": "policy",
        "ending": "converged",
        "exit_code": 0,
        "seconds": 1.5,
        "turns": 2,
    }
    assert found["mutations"] == 1
    assert found["components"]["regtest/pool"]["evidence"] == {"pid": 7}
    assert found["endpoints"] == {"regtest": {"rpc": "u"}}
    assert found["proof"] == {"regtest": {"height_after": 3}}
    assert "report" not in found
    (order,) = found["delegations"]
    assert order["id"] == "r/0/0"
    assert (order["outcome"], order["started"], order["seconds"], order["changes"]) == (
        "pool_ready",
        10.5,
        0.5,
        ["started"],
    )
    assert (order["keyword"], order["mode"], order["strategy"], order["attempt"]) == (
        "delegate_pool_setup",
        "ensure",
        None,
        1,
    )
    json.dumps(found)


def test_a_run_in_flight_or_cut_off_has_a_document_too():
    found = run_document(fold(events((1.0, BEGUN), (2.0, ORDER))))
    assert (found["ending"], found["exit_code"], found["seconds"]) == (None, None, None)
    assert found["delegations"][0]["outcome"] is None
    assert run_document(fold([]))["run"] == ""


def test_reports_stand_in_the_document_by_environment():
    ending = EnvironmentEnded(environment="regtest", ending="escalated", reasoning="why", report=REPORT)
    view = fold(events((1.0, BEGUN), (2.0, ending), (2.0, RunEnded(ending="escalated", turns=1, seconds=1))))
    found = run_document(view)
    assert found["report"] == {"regtest": REPORT}
    assert found["exit_code"] == 3


def test_the_document_of_the_status():
    look = Observation(
        environment="regtest",
        component="pool",
        health=Health.BROKEN,
        summary="taken",
        failure=FailureKind.PORT_FOREIGN,
        evidence={"pid": 3},
    )
    found = status_document([look], {"regtest": {}})
    assert found["health"] == "broken"
    assert found["components"]["regtest/pool"] == {
        "health": "broken",
        "summary": "taken",
        "evidence": {"pid": 3},
        "failure": str(FailureKind.PORT_FOREIGN),
        "instance": None,
        "measures": {},
    }
    json.dumps(found)


def test_the_worst_health_counts():
    assert worst_health([]) == "ready"
    assert worst_health(["ready", "starting"]) == "starting"
    assert worst_health(["unknown", "absent", "ready"]) == "unknown"
    assert {str(health) for health in Health} == {"broken", "unknown", "absent", "starting", "ready"}


def test_runs_are_listed_once_with_their_last_end():
    first, second = (
        RunEnded(ending="interrupted", turns=1, seconds=1.0),
        RunEnded(ending="converged", turns=4, seconds=9.0),
    )
    marks = [
        Recorded(seq=6, run="c", at=6.0, event=BEGUN),
        Recorded(seq=5, run="a", at=5.0, event=second),
        Recorded(seq=4, run="b", at=4.0, event=BEGUN),
        Recorded(seq=2, run="a", at=2.0, event=first),
        Recorded(seq=1, run="a", at=1.0, event=BEGUN),
    ]
    found = runs_document(marks, alive={"c"})
    assert [(one["run"], one["ending"], one["seconds"]) for one in found] == [
        ("c", "running", None),
        ("b", "cut off", None),
        ("a", "converged", 9.0),
    ]


def test_a_report_is_written_in_three_forms_for_its_owner_only(tmp_path):
    session = SimpleNamespace(home=tmp_path)
    files = write_reports(session, "run-1", {"regtest": REPORT})
    assert {form: path.rpartition("/")[2] for form, path in files["regtest"].items()} == {
        "json": "run-1-regtest.json",
        "txt": "run-1-regtest.txt",
        "html": "run-1-regtest.html",
    }
    folder = tmp_path / "reports"
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert json.loads((folder / "run-1-regtest.json").read_text()) == REPORT
    assert "\x1b" not in (folder / "run-1-regtest.txt").read_text()


def test_a_report_that_can_not_be_written_is_still_shown(tmp_path):
    (tmp_path / "reports").write_text("a file where the folder should be")
    assert write_reports(SimpleNamespace(home=tmp_path), "r", {"regtest": REPORT}) == {}


def test_the_page_escapes_everything_and_needs_nothing_else():
    page = as_html("r", REPORT)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<b>does" not in page
    assert "\x1b" not in page
    assert "/w &amp; x" in page
    assert "http" not in page
    assert '<td class="destructive">' in page


def test_the_text_is_wrapped_but_commands_stay_whole():
    message = "this is a long message of many words which does not fit into eighty columns at all " * 3
    log = "a line of a log that is longer than eighty columns and which must not lose any of its words"
    report = {**REPORT, "messages": [message], "log_tails": {"pool": [log]}}
    lines = list(text_lines(report))
    split = lines.index("SUGGESTED MANUAL ACTIONS:")
    assert max(map(len, lines[:split])) <= 80
    assert any(line.endswith(REPORT["suggestions"][1]["command"]) for line in lines)
    whole = " ".join(" ".join(lines).split())
    assert message.strip() in whole
    assert log in whole


def test_a_report_of_an_older_version_is_still_shown():
    assert "- Attempted besides: pool ensure (3x, 0 worked)" in list(text_lines(REPORT))


def test_questions_and_lessons_stand_in_the_document():
    asked = ApprovalAsked(
        environment="regtest", component="pool", act="a1", move="m", risk="disruptive", what="restart it", why="it died"
    )
    other = ApprovalAsked(**{**vars(asked), "act": "b2"})
    learned = Learned(
        environment="regtest", component="pool", signature="s", strategy="x", delegation="d", lasted=True, why="w"
    )
    mended = MendedByHand(environment="regtest", component="pool", signature="s", what="a -> b")
    found = run_document(
        fold(events((1.0, BEGUN), (2, asked), (2, other), (3, Denied(act="b2")), (4, learned), (5, mended)))
    )
    assert [one["act"] for one in found["asked"]] == ["a1"]
    assert found["answers"] == {"b2": "denied"}
    assert found["learned"] == [vars(learned)]
    assert found["mended_by_hand"] == [vars(mended)]
    json.dumps(found)
