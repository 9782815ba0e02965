"""What is asked and answered on its way to a model and back: forms, words, recordings, keys."""

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scripted_mind import ScriptedMind
from shiftboss.errors import BadInput, MindFailed
from shiftboss.minds.key import Scrubber, read_key
from shiftboss.minds.opening import open_mind
from shiftboss.minds.plain_text import instructions_for, read_answer
from shiftboss.minds.recording import RecordingMind, ReplayMind, key_of
from shiftboss.minds.shape import form_of, values_of
from shiftboss.model.mind import Allowance, Field, FieldKind, Question, Usage
from shiftboss.settings_table import Brain

FIELDS = (
    Field(name="decision", kind=FieldKind.CHOICE, options=("e/pool/ensure", "e/daemon/ensure", "wait"), doc="what"),
    Field(name="also", kind=FieldKind.CHOICES, options=("e/pool/ensure", "e/daemon/ensure"), most=2, doc="more"),
    Field(name="quotes", kind=FieldKind.TEXTS, most=2, size=20, doc="lines"),
    Field(name="reasoning", kind=FieldKind.TEXT, size=50, doc="why"),
)
ASKED = Question(purpose="decide", system="you choose", text="the pool (pid 4711) is down", fields=FIELDS)


def test_the_form_takes_the_options_and_nothing_else():
    form = form_of(ASKED)
    filled = form(decision="wait", also=["e/pool/ensure"], reasoning="x")
    assert values_of(filled, ASKED) == {"decision": "wait", "also": ["e/pool/ensure"], "quotes": [], "reasoning": "x"}
    for wrong in (
        {"decision": "e/pool/remove"},
        {"decision": "wait", "also": ["rm"]},
        {},
        {"decision": "wait", "reasoning": "x" * 51},
    ):
        with pytest.raises(ValidationError):
            form(**wrong)


def test_a_model_that_writes_nothing_is_only_given_the_choices():
    form = form_of(ASKED, texts=False)
    assert set(form.model_fields) == {"decision"}
    assert values_of(form(decision="wait"), ASKED)["reasoning"] == ""


SAID = """
I looked at the pool. DECISION: e/daemon/ensure would be wrong.

**DECISION:** `e/pool/ensure`
ALSO: e/daemon/ensure, rm -rf /, E/POOL/ENSURE
QUOTES: port 3333 is taken | a line that is far too long to be kept | third
REASONING: the pool is down
"""


def test_an_answer_in_words():
    assert read_answer(SAID, ASKED) == {
        "decision": "e/pool/ensure",
        "also": ["e/daemon/ensure", "e/pool/ensure"],
        "quotes": ["port 3333 is taken", "a line that is far t"],
        "reasoning": "the pool is down",
    }
    for one in FIELDS:
        assert f"{one.name.upper()}:" in instructions_for(ASKED)


def test_an_answer_in_words_without_a_choice_says_what_may_be_written():
    with pytest.raises(ValueError, match="one of e/pool/ensure, e/daemon/ensure, wait is missing"):
        read_answer("I can't decide. DECISION: e/pool/remove", ASKED)


@given(st.text(max_size=400))
def test_whatever_is_said_a_choice_is_one_of_the_options(text: str):
    try:
        values = read_answer(text, ASKED)
    except ValueError:
        return
    assert values["decision"] in FIELDS[0].options
    assert set(values["also"]) <= set(FIELDS[1].options)


def ask(mind, question=ASKED):
    return asyncio.run(mind.ask(question, 1.0))


def test_a_recording_gives_the_answers_again_and_failures_too(tmp_path: Path):
    path = tmp_path / "answers.jsonl"
    answers = [{"decision": "wait"}, MindFailed("late", "no answer", Usage(calls=1)), {"decision": "e/pool/ensure"}]
    recording = RecordingMind(ScriptedMind(*answers), path)
    said = [outcome(recording) for _ in answers]
    replay = ReplayMind(path)
    assert [outcome(replay) for _ in range(4)] == [*said, said[-1]]
    reply = ask(ReplayMind(path))
    assert (reply.replayed, reply.model, reply.usage.tokens) == (True, "test:scripted", 100)
    assert path.stat().st_mode & 0o777 == 0o600


def outcome(mind) -> str:
    try:
        return ask(mind).values["decision"]
    except MindFailed as error:
        return f"{error.verdict}: {error}"


def test_what_differs_from_time_to_time_makes_no_other_question(tmp_path: Path):
    later = ASKED.but(
        text="the pool (pid  99) is down",
        fields=(FIELDS[0].but(options=("wait", "e/daemon/ensure", "e/pool/ensure")), *FIELDS[1:]),
    )
    assert key_of(later) == key_of(ASKED)
    for other in (
        ASKED.but(text="the miner (pid 4711) is down"),
        ASKED.but(purpose="goal"),
        ASKED.but(fields=(FIELDS[0].but(options=("wait",)), *FIELDS[1:])),
    ):
        assert key_of(other) != key_of(ASKED)


def test_an_unknown_question_is_a_failure_not_a_guess(tmp_path: Path):
    path = tmp_path / "answers.jsonl"
    ask(RecordingMind(ScriptedMind({"decision": "wait"}), path))
    assert outcome(ReplayMind(path)) == "wait"
    with pytest.raises(MindFailed, match="no answer to this question"):
        ask(ReplayMind(path), ASKED.but(text="something else"))


@pytest.mark.parametrize("text", ["not json", "[]", '{"key": "x"}', '{"key": "x", "model": "m", "usage": {}}'])
def test_what_is_no_recording_is_said_with_its_line(tmp_path: Path, text: str):
    path = tmp_path / "answers.jsonl"
    path.write_text(f"{text}\n")
    with pytest.raises(BadInput, match=r"answers.jsonl:1: error: it is no line of a recording"):
        ReplayMind(path)


def test_keys_come_from_the_environment_or_a_file_of_ones_own(tmp_path: Path):
    held = tmp_path / "key"
    held.write_text("sk-0123456789\n")
    held.chmod(0o644)
    with pytest.raises(BadInput, match="can be read by others"):
        read_key(Brain(key_file=held), {})
    held.chmod(0o600)
    assert read_key(Brain(key_file=held), {}) == "sk-0123456789"
    assert read_key(Brain(key_variable="MY_KEY"), {"MY_KEY": "k"}) == "k"
    assert read_key(Brain(), {"OPENAI_API_KEY": "left to the provider"}) is None
    for wrong in (Brain(key_variable="MY_KEY"), Brain(key_file=tmp_path / "nothing")):
        with pytest.raises(BadInput):
            read_key(wrong, {})


def test_keys_are_taken_out_of_texts():
    scrubber = Scrubber("sk-0123456789", {"OPENAI_API_KEY": "sk-other-key-1", "HOME": "somewhere", "X_TOKEN": "short"})
    text = "Incorrect key sk-0123456789 (or sk-other-key-1) in somewhere; short"
    assert scrubber.clean(text) == "Incorrect key [removed] (or [removed]) in somewhere; short"


WRONG = [
    (Brain(), "no model is set"),
    (Brain(model="nobody:x"), "nobody:x can't be used"),
    (Brain(model="openai:gpt", key_variable="NOT_SET"), "NOT_SET"),
    (Brain(replay=Path("nowhere.jsonl")), "can't be read"),
]


@pytest.mark.parametrize(("brain", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_wrong_with_the_settings_is_said_before_anything_runs(brain: Brain, said: str):
    with pytest.raises(BadInput, match=said):
        open_mind(brain, {})


def test_an_allowance_names_what_is_spent():
    allowance = Allowance(calls=2, tokens=10, money=0.5)
    assert allowance.lacking(Usage(calls=1, tokens=9, money=0.4)) == ""
    for used, key in ((Usage(calls=2), "calls"), (Usage(tokens=10), "tokens"), (Usage(money=0.5), "money")):
        assert f"brain.{key}" in allowance.lacking(used)
    assert Allowance(calls=0).lacking(Usage())
    assert json.loads(json.dumps(vars(Usage(calls=1).plus(Usage(tokens=2, money=0.1))))) == {
        "calls": 1,
        "tokens": 2,
        "money": 0.1,
    }
