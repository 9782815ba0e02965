"""Untrusted text on its way to a terminal, and durations as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiftboss.frontends.text import clean, clean_block, clip, seconds_text, wrap


@pytest.mark.parametrize(
    ("dirty", "tidy"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\rb\x08\x00c", "abc"),
        ("\x9b31mx", "31mx"),
        ("tab\there\nline", "tab here line"),
        ("\u202eturned\u202c\u200b", "turned"),
        ("\x1b", ""),
        ("\ud800x", "x"),
        ("é — 漢字", "é — 漢字"),
    ],
)
def test_control_characters_are_taken_out(dirty, tidy):
    assert clean(dirty) == tidy


def test_lines_stay_where_they_are_wanted():
    assert clean_block("a\x1b[1m\nb\r\nc") == "a\nb\nc"


@given(st.text(alphabet=st.characters(), max_size=60) | st.text(alphabet="\x1b[]0;mP\\\x07 a\n\x9b", max_size=40))
def test_nothing_that_steers_a_terminal_is_left(text):
    line = clean(text)
    assert not any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for letter in line)
    assert clean(line) == line


@given(st.text(max_size=200), st.integers(10, 90), st.integers(0, 6))
def test_wrapping_keeps_every_word_and_the_width(text, width, hang):
    lines = wrap(text, width, hang=hang)
    assert " ".join(lines).split() == clean(text).split()
    assert all(len(line) <= width or len(line.split()) == 1 for line in lines)


def test_clipping():
    assert clip("short", 10) == "short"
    assert clip("exactly 10", 10) == "exactly 10"
    assert clip("longer than ten", 10) == "longer th…"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 ms"), (0.0421, "42 ms"), (1.416, "1.42 s"), (12.34, "12.3 s"), (119.0, "119.0 s"), (185.2, "3 min 05 s")],
)
def test_durations(seconds, text):
    assert seconds_text(seconds) == text
