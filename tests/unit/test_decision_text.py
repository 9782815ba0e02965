"""A decision is read out of any text; a word that is not allowed never is."""

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shiftboss.model.decision_text import LONGEST, read_decision

ALLOWED = ("pool_ready", "pool_failure", "environment_reset", "done")
CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "decision_text" / "decisions.yaml").read_text())
HOSTILE = [
    "decision",
    "decision:",
    "DECISION: pool_",
    "decision: pool_ready or ",
    "reasoning",
    "reasoning: ",
    "\n",
    "\n#",
    '"',
    "\\",
    '"decision": "pool_ready',
    "*_`",
    " ",
    "decision: done\nreasoning: \n",
]


@pytest.mark.parametrize("case", CASES, ids=[case["text"][:50] for case in CASES])
def test_the_table_of_cases(case):
    said = read_decision(case["text"], ALLOWED)
    assert (said and said.word) == case["word"]
    if "reasoning" in case:
        assert said.reasoning == case["reasoning"]


@given(
    st.text(), st.sampled_from(ALLOWED), st.sampled_from(["DECISION: {}", "**decision**: `{}`", '{{"decision": "{}"}}'])
)
def test_the_last_line_decides_whatever_stands_before(text, word, form):
    said = read_decision(f"{text}\n\n{form.format(word)}", ALLOWED)
    assert said is not None
    assert said.word == word


PIECES = st.sampled_from(
    [*"decision:reasonpl_ \n\"'|-*#`{}", "DECISION: ", "reasoning: ", "pool_ready", "done", "\u017f"]
)


@given(st.lists(PIECES).map("".join))
def test_only_an_allowed_word_comes_back_and_only_one_that_stands_there(text):
    said = read_decision(text, ALLOWED)
    if said is not None:
        assert said.word in ALLOWED
        assert said.word.replace("_", "") in text.lower().translate(dict.fromkeys(map(ord, "_- \t")))


@given(st.text(), st.lists(st.text(), max_size=4))
def test_any_text_and_any_words_are_read_without_an_error(text, allowed):
    said = read_decision(text, allowed)
    assert said is None or said.word in allowed


@given(st.text(alphabet="ab \n", max_size=3 * LONGEST))
def test_the_reasoning_is_bounded(text):
    said = read_decision(f"DECISION: done\nREASONING: {text}", ALLOWED)
    assert said is not None
    assert len(said.reasoning) <= LONGEST


def test_a_letter_that_is_only_alike_is_no_letter_of_the_word():
    assert read_decision("DECISION: envirOnment_re\u017fet", ALLOWED) is None


def test_nothing_is_allowed_where_no_words_are():
    assert read_decision("DECISION: done", ()) is None
    assert read_decision("DECISION: ", ("", " ", "_")) is None


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_a_megabyte_of_hostile_text_is_read_in_no_time(piece):
    text = piece * (1_000_000 // len(piece))
    began = time.monotonic()
    read_decision(text, ALLOWED)
    assert time.monotonic() - began < 20  # a quadratic pattern would take hours
