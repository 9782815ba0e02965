"""The scorecard: what is counted, which targets hold on a slice of the simulator, and the files it writes."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from shiftboss.chaos.result import FaultResult
from shiftboss.chaos.scorecard import simulate
from shiftboss.chaos.scorecard_count import Card, card_of_real, row_of
from shiftboss.chaos.scorecard_files import markdown, table, write
from shiftboss.contracts import Pack
from shiftboss.frontends.cli import main
from shiftboss.packs.mining.faults.catalogue import FAULTS
from shiftboss.packs.mining.pack import PACK


def pack() -> Pack:
    return PACK.but(faults="shiftboss.packs.mining.faults.catalogue:FAULTS")


def quiet(_line: str) -> None:
    pass


@pytest.fixture(scope="module")
def card() -> Card:
    return simulate(pack(), seed=1, runs=200, say=quiet)


def test_two_hundred_runs_hold_the_targets(card: Card) -> None:
    assert {target.name: target.value for target in card.targets if not target.ok} == {}
    assert sum(row.runs for row in card.rows) == card.runs == 200


def test_forecasts_come_before_the_failure(card: Card) -> None:
    assert card.forecasts is not None
    assert card.forecasts.coming > 0
    assert card.forecasts.false_alarms == 0
    assert card.forecasts.recall >= 0.8


def test_the_same_seed_gives_the_same_scorecard(card: Card) -> None:
    again = simulate(pack(), seed=1, runs=200, say=quiet)
    assert again.rows == card.rows
    assert again.forecasts == card.forecasts


def test_chosen_faults_only_are_played_together_or_alone() -> None:
    known = {fault.name: fault for fault in FAULTS}
    groups = [[known["pool_killed"]], [known["pool_killed"], known["miner_killed"]]]
    card = simulate(pack(), seed=1, runs=4, groups=groups, say=quiet)
    assert [(row.name, row.runs) for row in card.rows] == [("pool_killed", 2), ("2 faults at once", 2)]


def test_the_table_fits_a_terminal(card: Card) -> None:
    assert max(map(len, table(card).splitlines()[: len(card.rows) + 2])) <= 80
    assert "pool_killed" in table(card)


def test_three_files_are_written(card: Card, tmp_path: Path) -> None:
    paths = write([card], tmp_path / "out")
    assert [path.name for path in paths] == ["scorecard.json", "scorecard.md", "scorecard.svg"]
    stored = json.loads(paths[0].read_text())[0]
    assert stored["good"] == card.good
    assert len(stored["rows"]) == len(card.rows)
    assert all(row.name in paths[1].read_text() for row in card.rows)
    drawing = ET.fromstring(paths[2].read_text())
    assert drawing.tag.endswith("svg")
    assert len(list(drawing.iter())) > 2 * len(card.rows)


def test_what_could_not_be_put_in_is_left_out_of_the_shares() -> None:
    done = FaultResult(name="a", mode="real", detected=True, mitigated=True, delegations=4, least=2, seconds=3.0)
    row = row_of("a", [done, FaultResult(name="a", mode="real", skipped="needs a disk of its own")])
    assert (row.runs, row.skipped, row.mitigated, row.ratio) == (2, 1, 1.0, 2.0)
    assert row_of("b", [FaultResult(name="b", mode="real", skipped="no")]).ratio is None


def test_a_missed_target_is_named_with_the_faults() -> None:
    card = card_of_real(
        [
            FaultResult(name="a", mode="real", mitigated=True),
            FaultResult(name="b", mode="real", ending="exhausted"),
            FaultResult(name="c", mode="real", control=True, mitigated=True, false_action=True),
        ]
    )
    assert not card.good
    missed = [target.value for target in card.targets if not target.ok]
    assert missed == ["1 (b)", "1 (c)"]
    assert "MISSED" in table(card)
    assert "**no**" in markdown([card])


@pytest.mark.parametrize("runs", ["0", "-5"])
def test_no_runs_meet_no_target(runs, capsys):
    assert main(["chaos", "run", "--simulated", "--runs", runs]) == 2
    assert f"--runs {runs}" in capsys.readouterr().err
