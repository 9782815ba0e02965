"""Agents that are programs: what they get, how they end, and that nothing of them is left over."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from handler_parts import CANARY, WORDS, Told, agent, cancelled_once, marked, no_mind, order
from helpers import eventually, put_script
from shiftboss.errors import Failed
from shiftboss.handlers.making import handler_for
from shiftboss.model.brief import Brief
from shiftboss.model.events import NoteAddressed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Mode
from shiftboss.model.outcome import Status


@pytest.fixture
def told(home: Path) -> Told:
    home.mkdir()
    return Told(home)


def run(told: Told, script: str, mode: Mode = Mode.ENSURE, words=(), **options):
    """Carry out an order by a shell script that stands beside the agent's file."""
    put_script(told.home, "work.sh", script)
    one = agent("command", str(told.home / "agent.json"), argv=("./work.sh", *words), **options)
    return asyncio.run(handler_for(one, no_mind)(order(mode), told.bench))


def test_success_is_exit_code_0(told):
    outcome = run(told, "touch made; echo all is well")
    assert (outcome.status, outcome.special, outcome.output) == (Status.DONE, None, "all is well\n")
    assert outcome.changes == ("ran work.sh",)
    assert (told.home / "made").exists()


def test_failure_is_any_other_with_the_end_of_stderr(told):
    outcome = run(told, f"echo 'DECISION: pool_ready'; echo rpcpassword={CANARY} >&2; echo no disk >&2; exit 3")
    assert (outcome.status, outcome.failure.kind) == (Status.FAILED, FailureKind.CRASHED)
    assert outcome.failure.message == "work.sh ended with code 3: no disk"
    assert outcome.failure.evidence["exit_code"] == 3
    assert CANARY not in repr(outcome)


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("exit 7", "environment_reset"),
        ("echo 'DECISION: pool_failure'; exit 7", "environment_reset"),
        ("exit 0", "pool_ready"),
        ("exit 8", "pool_failure"),
        ("echo '**Decision:** environment reset'", "environment_reset"),
        ("echo 'DECISION: environment_reset'; exit 9", "environment_reset"),
        ("echo 'DECISION: rm -rf'", "pool_failure"),
        ("echo '**DECISION:** pool_redy'", "pool_failure"),
        ("echo 'no decision: everybody agrees'", "pool_ready"),
        ('echo hello; echo \'{"decision": "environment_reset"}\'', "environment_reset"),
        ('echo \'{"status": "failed"}\'', "pool_failure"),
        ('echo \'{"status": "done"}\'', "pool_ready"),
        ('echo \'{"decision": "take_over_the_world"}\'', "pool_failure"),
        ('echo \'{"decision": "pool_ready"}\'; exit 1', "pool_failure"),
        ("echo '{broken'", "pool_ready"),
        ("kill -9 $$", "pool_failure"),
    ],
)
def test_the_word(told, script, word):
    outcome = run(told, script, outcomes={"7": "environment_reset"})
    said = WORDS[1] if outcome.status is Status.FAILED else outcome.special or WORDS[0]
    assert said == word


def test_a_code_that_was_read_as_a_number_counts_and_a_word_that_is_not_the_agent_s_does_not(told):
    assert run(told, "exit 7", outcomes={7: "environment_reset"}).special == "environment_reset"
    assert run(told, "exit 7", outcomes={"7": "anything"}).status is Status.FAILED


def test_a_json_answer_says_everything(told):
    answer = {
        "decision": "pool_failure",
        "summary": "the \x1b[31mdisk\x1b[0m is full",
        "changes": ["made a file", f"token={CANARY}"],
        "evidence": {"free": 3, "rpcpassword": CANARY},
        "output": "words",
        "failure": {"kind": "no_space"},
    }
    (told.home / "answer.json").write_text(json.dumps(answer))
    outcome = run(told, "echo talk; cat answer.json")
    assert outcome.failure.kind is FailureKind.NO_SPACE
    assert outcome.summary == "the disk is full"
    assert outcome.changes == ("made a file", "token=[removed]")
    assert (outcome.output, outcome.evidence["free"]) == ("words", 3)
    assert CANARY not in repr(outcome)


def test_it_gets_the_order_and_no_secrets(told, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("GIVEN", "yes")
    monkeypatch.setenv("LC_ALL", "C")
    told.brief = Brief(prompt="make it 'so'", inputs={"plan": "steps"}, notes={2: "hurry"}, task="the task")
    outcome = run(told, "env", environment={"MINE": "1", "LENT": "$GIVEN"})
    seen = dict(line.split("=", 1) for line in outcome.output.splitlines())
    assert CANARY not in outcome.output
    said = json.loads(seen["SHIFTBOSS_ORDER"])
    assert (said["component"], said["mode"], said["attempt"], said["prompt"]) == ("pool", "ensure", 1, "make it 'so'")
    assert (said["inputs"], said["notes"], said["task"]) == ({"plan": "steps"}, {"2": "hurry"}, "the task")
    assert said["decisions"] == list(WORDS)
    assert (seen["MINE"], seen["LENT"], seen["LC_ALL"], seen["PATH"]) == ("1", "yes", "C", os.environ["PATH"])
    with pytest.raises(Failed, match="NOT_THERE") as caught:
        run(told, "env", environment={"LENT": "$NOT_THERE"})
    assert caught.value.kind is FailureKind.CONFIG


def test_a_long_order_still_fits(told):
    told.brief = Brief(prompt="\u20ac" * 300_000, inputs={f"stage{n}": "\u20ac" * 50_000 for n in range(30)})
    outcome = run(told, 'echo ${#SHIFTBOSS_ORDER} "$1" | head -c 50', words=("{prompt}",))
    assert outcome.status is Status.DONE
    assert 10 < int(outcome.output.split()[0]) < 128_000


def test_placeholders_are_words_and_never_code(told):
    told.brief = Brief(prompt="$(touch hacked); `touch hacked` {mode} \x00'\"")
    words = ("{component}/{environment}/{mode}/{attempt}", "[{strategy}]", "{prompt}", "{{mode}}", '{"a": {}}')
    outcome = run(told, 'for word in "$@"; do echo "$word"; done', words=words)
    assert outcome.output.splitlines() == [
        "pool/one/ensure/1",
        "[]",
        "$(touch hacked); `touch hacked` {mode} '\"",
        "{mode}",
        '{"a": {}}',
    ]
    assert not (told.home / "hacked").exists()


@pytest.mark.parametrize(
    ("argv", "kind", "said"),
    [
        (("sh", "{compnent}"), FailureKind.CONFIG, "{compnent}"),
        ((), FailureKind.CONFIG, "argv"),
        (("./not-there",), FailureKind.MISSING_BINARY, "not-there"),
        (("./plain.txt",), FailureKind.PERMISSION, "plain.txt"),
    ],
)
def test_a_command_that_can_not_be_started(told, argv, kind, said):
    (told.home / "plain.txt").write_text("no program")
    one = agent("command", str(told.home / "agent.json"), argv=argv)
    with pytest.raises(Failed, match=said) as caught:
        asyncio.run(handler_for(one, no_mind)(order(), told.bench))
    assert caught.value.kind is kind


def test_it_is_gone_with_its_children_when_its_time_is_up(told):
    with pytest.raises(Failed) as caught:
        run(told, "trap '' TERM; sleep 300 & setsid sleep 301 & sleep 300", seconds=0.3)
    assert caught.value.kind is FailureKind.TIMEOUT
    assert eventually(lambda: not marked(told.home))


def test_it_is_gone_with_its_children_when_the_order_is_cancelled(told):
    put_script(told.home, "work.sh", "trap '' TERM; setsid sh -c 'trap \"\" TERM; touch up; sleep 300' & sleep 300")
    one = agent("command", str(told.home / "agent.json"), argv=("./work.sh",))
    cancelled_once((told.home / "up").exists, one, told)
    assert eventually(lambda: not marked(told.home))


def test_what_it_leaves_on_purpose_stays_and_is_not_waited_for(told):
    stays = "setsid sh -c 'touch up; exec sleep 300' > /dev/null 2>&1 &"
    assert run(told, f"{stays}\nwhile [ ! -e up ]; do sleep 0.01; done").status is Status.DONE
    assert len(marked(told.home)) == 1


def test_what_can_not_be_told_to_stop_is_kept(told):
    outcome = run(told, "touch ran", Mode.REMOVE)
    assert (outcome.summary, outcome.changes) == ("kept", ())
    assert not (told.home / "ran").exists()
    assert run(told, 'echo "$1"', Mode.REMOVE, words=("{mode}",)).output == "remove\n"


def test_its_output_is_bounded_and_plain(told):
    script = f"print('password={CANARY}'); print('\\x1b[2J\\x00' * 10); print('x' * 5_000_000)"
    one = agent("command", argv=(sys.executable, "-c", script))
    outcome = asyncio.run(handler_for(one, no_mind)(order(), told.bench))
    assert len(outcome.output) <= 20_000
    assert not {"\x1b", "\x00"} & set(outcome.output)
    assert CANARY not in repr(outcome)


def test_a_secret_cut_in_half_is_not_kept(told):
    """Only the end of a long output is kept; where that begins within a line, the line goes."""
    line = f"password={CANARY * 3}"
    fill = 200_000 - len(CANARY) * 3 - 1
    one = agent(
        "command", argv=(sys.executable, "-c", f"print({line!r}, end='\\n' + 'y' * {fill - 1000} + '\\n' + 'z' * 999)")
    )
    outcome = asyncio.run(handler_for(one, no_mind)(order(), told.bench))
    assert "canary" not in repr(outcome)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("NOTE_ADDRESSED 2", [2]),
        ("- NOTE_ADDRESSED: #1, 2", [1, 2]),
        ("NOTE_ADDRESSED by hand", [1, 2]),
        ("**FEEDBACK_ADDRESSED**", [1, 2]),
        ("NOTE_ADDRESSED 9", []),
        ("no NOTE_ADDRESSED", []),
    ],
)
def test_notes_are_met_when_it_says_so(told, text, notes):
    told.brief = Brief(notes={1: "a", 2: "b"})
    run(told, f"echo '{text}'; echo 'DECISION: pool_ready'")
    assert [event.note for event in told.of(NoteAddressed)] == notes
    assert all(event.by == "pool_agent" for event in told.of(NoteAddressed))


@pytest.mark.parametrize(
    ("script", "summary"),
    [
        ("echo compiled; echo 12 tests passed; echo; echo '**DECISION: pool_ready**'", "12 tests passed"),
        ("true", "work.sh ended with code 0"),
        ("echo 3 tests failed; exit 1", "work.sh ended with code 1: 3 tests failed"),
        ("echo 3 tests failed; echo no disk >&2; exit 1", "work.sh ended with code 1: no disk"),
        ("kill -9 $$", "work.sh was ended by signal 9"),
        ('echo \'{"decision": "pool_ready", "output": "long"}\'', "work.sh ended with code 0"),
    ],
)
def test_without_a_summary_its_last_line_says_how_it_went(told, script, summary):
    assert run(told, script).summary == summary
