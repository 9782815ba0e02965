"""What `compare` makes of two end states and of a run's document."""

import subprocess
from pathlib import Path

from command import document, shiftboss
from shiftboss.chaos.real_stack import Said
from shiftboss.comparing import differences, took

SAME = {"health of regtest/pool": "ready", "configuration regtest/pool.config": "a\nb\nc"}


def test_equal_states_have_no_differences():
    assert differences(SAME, dict(reversed(SAME.items()))) == []


def test_each_difference_is_named_with_both_sides():
    other = {"configuration regtest/pool.config": "a\nx\nc", "process of miner": "runs"}
    assert differences(SAME, other) == [
        "health of regtest/pool: ready / not there",
        "configuration regtest/pool.config: line 2: b / x",
        "process of miner: not there / runs",
    ]


def test_a_text_that_only_goes_on_differs_too():
    assert differences({"a": "x\ny"}, {"a": "x\ny\nz"}) == ["a: 2 lines / 3 lines"]


def test_what_was_done_is_counted_from_the_changes():
    orders = [
        {"changes": ["stopped the pool (process 4)", "started the pool (process 5)"]},
        {"changes": ["started the pool (process 6)", "started the miner (process 7)"]},
        {"changes": ["made 101 blocks to fund wallet w", "made 1 block"]},
    ]
    said = Said(code=0, document={"ending": "converged", "delegations": orders}, seconds=1.23456)
    found = took("a", said, before=["pool"])
    assert (found.delegations, found.restarts, found.blocks, found.seconds) == (3, 2, 101, 1.235)


def test_a_command_without_a_document_did_nothing():
    found = took("a", Said(code=2, document={"error": "bad input"}, seconds=0.1), before=[])
    assert (found.ending, found.exit_code, found.delegations) == ("bad input", 2, 0)


def test_all_that_is_unknown_is_said_at_once_and_nothing_is_made(tmp_path: Path):
    result = shiftboss(tmp_path, "compare", "nosuch", "mining-infrastructure-setup", "--from", "fresh,never", "--json")
    assert isinstance(result, subprocess.CompletedProcess)
    assert result.returncode == 2
    assert [one["what"] for one in document(result)["diagnostics"]] == [
        "unknown pipeline 'nosuch'",
        "unknown start state 'never'",
    ]
    assert list(tmp_path.iterdir()) == []
