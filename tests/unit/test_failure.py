"""Signatures: the same trouble has the same key, other trouble another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiftboss.model.failure import Failure, FailureKind, signature
from shiftboss.model.run import EXIT_CODES, Ending, worst

SAME = [
    ("process 123 ended", "process 99 ended"),
    ("port 3333 is held", "port 3334 is held"),
    ("can't read /tmp/a/b.conf", "can't read /home/x/.shiftboss/env/regtest/b.conf"),
    ("can't read ~/b.conf: denied", "can't read ./c/d.conf: denied"),
    ("block 00000abcdef0123456789 is odd", "block ffffeeee00001111 is odd"),
    ("<Pool object at 0x7f3a12bc90> is odd", "<Pool object at 0x7f3affbc91> is odd"),
    (
        "order 550e8400-e29b-41d4-a716-446655440000 is gone",
        "order 6ba7b810-9dad-11d1-80b4-00c04fd430c8 is gone",
    ),
    ("not ready after 31 s", "not ready after 30.5 s"),
    ("a  message\n over lines", "A message over lines"),
]
OTHER = [("connection refused", "connection reset"), ("pool is deaf", "miner is deaf")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_numbers_paths_and_ids_do_not_matter(one: str, other: str) -> None:
    assert signature("a", FailureKind.DIED, one) == signature("a", FailureKind.DIED, other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_other_words_are_other_trouble(one: str, other: str) -> None:
    assert signature("a", FailureKind.DIED, one) != signature("a", FailureKind.DIED, other)


def test_component_and_kind_are_part_of_it() -> None:
    assert signature("a", FailureKind.DIED, "x") != signature("b", FailureKind.DIED, "x")
    assert signature("a", FailureKind.DIED, "x") != signature("a", FailureKind.FROZEN, "x")
    assert Failure(component="a", kind=FailureKind.DIED, message="x").signature == signature("a", FailureKind.DIED, "x")
    assert signature("a", FailureKind.DIED, "x").startswith("a/died/")


@given(st.text(), st.integers(0, 10**12), st.integers(0, 10**12))
def test_any_number_in_any_text(text: str, one: int, other: int) -> None:
    kind = FailureKind.CRASHED
    assert signature("a", kind, f"{text} {one} !") == signature("a", kind, f"{text} {other} !")


def test_the_worst_ending_counts() -> None:
    assert worst([Ending.CONVERGED, Ending.EXHAUSTED]) is Ending.EXHAUSTED
    assert worst([Ending.NEEDS_APPROVAL, Ending.EXHAUSTED]) is Ending.NEEDS_APPROVAL
    assert worst([Ending.NEEDS_APPROVAL, Ending.ESCALATED]) is Ending.ESCALATED
    assert worst([]) is Ending.CONVERGED
    assert len(set(EXIT_CODES.values())) == len(Ending)
