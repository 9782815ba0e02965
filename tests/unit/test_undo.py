"""Every registered step of a recovery can be taken back, also after a kill at any moment."""

import contextlib
import json
from pathlib import Path

import pytest

from shiftboss.packs.mining.recoveries.table import STRATEGIES
from shiftboss.packs.mining.recovery import ACTS
from shiftboss.system import aside as aside_module
from shiftboss.system import undo as undo_module
from shiftboss.system.aside import Aside
from shiftboss.system.files import LOGS_KEPT, copy_durably, rotate
from shiftboss.system.undo import UndoLog

ORDER = "run/3/0"

IRREVERSIBLE = {
    "wait": "changes nothing",
    "thaw": "a process of ours is to run",
    "stop_orphan": "a left-over process has ended",
    "load_wallet": "a loaded wallet is what is wanted",
    "restart_one": "a process has ended that did not do its job",
    "restart_rest": "processes have ended and were started again",
    "stop_holder": "a foreign process has ended: always asks",
    "free_space": "only what can be had again is deleted",
}


class Cut(Exception):
    """The moment of a kill -9."""


class Place:
    """A working directory with an undo log, and some content."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "env" / "regtest"
        (self.folder / "chain" / "blocks").mkdir(parents=True)
        (self.folder / "chain" / "blocks" / "blk").write_text("old blocks")
        (self.folder / "wallet.json").write_text("old wallet")
        (self.folder / "ports.json").write_text("old ports")
        self.aside = Aside(home, "regtest")
        self.undo = UndoLog(home, self.folder / "undo", self.aside, lambda: 1_700_000_000.0)

    def content(self) -> dict[str, str]:
        found = (path for path in self.folder.rglob("*") if path.is_file() and "undo" not in path.parts)
        return {str(path.relative_to(self.folder)): path.read_text() for path in found}

    def everything(self) -> set[str]:
        return {path.read_text() for path in self.home.rglob("*") if path.is_file() and path.suffix != ".json"}

    def recovery(self):
        """A recovery in small steps, each registered right before it is taken."""
        self.undo.register_file(ORDER, self.folder / "ports.json")
        yield
        (self.folder / "ports.json").write_text("new ports")
        yield
        self.undo.register_file(ORDER, self.folder / "new.conf")
        yield
        (self.folder / "new.conf").write_text("was not there")
        yield
        self.undo.register_folder(ORDER, self.folder / "chain")
        yield
        (self.folder / "chain" / "blocks" / "blk").write_text("repaired for the worse")
        yield
        wallet = [self.folder / "wallet.json"]
        self.aside.keep(wallet, "", "S", before=lambda one: self.undo.register_aside(ORDER, one))
        yield
        (self.folder / "wallet.json").write_text("new wallet")
        yield


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("steps", range(9))
def test_killed_after_any_step_a_roll_back_brings_the_content_back(place, steps):
    before = place.content()
    for _, _ in zip(range(steps), place.recovery(), strict=False):
        pass
    again = UndoLog(place.home, place.folder / "undo", place.aside, lambda: 1.0)
    assert again.open() == ([ORDER] if steps else [])
    again.roll_back(ORDER)
    assert place.content() == before
    assert again.open() == []
    assert list((place.folder / "undo").glob("*")) == []
    again.roll_back(ORDER)
    assert place.content() == before


def test_data_that_the_failed_attempt_left_is_kept_aside(place):
    list(place.recovery())
    place.undo.roll_back(ORDER)
    held = {path.read_text() for path in (place.home / "aside").rglob("*") if path.name in ("blk", "wallet.json")}
    assert held == {"repaired for the worse", "new wallet"}


@pytest.mark.parametrize("cut", range(26))
def test_killed_at_any_moment_of_a_roll_back_a_second_one_ends_it(place, monkeypatch, cut):
    before = place.content()
    list(place.recovery())
    left = [cut]

    def counted(function):
        def call(*arguments, **more):
            if left[0] == 0:
                raise Cut
            left[0] -= 1
            return function(*arguments, **more)

        return call

    with monkeypatch.context() as patched:
        for module, name in ((undo_module, "write_atomic"), (aside_module, "write_atomic"), (aside_module, "_move")):
            patched.setattr(module, name, counted(getattr(module, name)))
        patched.setattr(Path, "rename", counted(Path.rename))
        patched.setattr(Path, "unlink", counted(Path.unlink))
        with contextlib.suppress(Cut):
            place.undo.roll_back(ORDER)
    place.undo.roll_back(ORDER)
    assert place.content() == before
    assert place.undo.count(ORDER) == 0


def test_a_step_is_on_disk_before_it_is_taken(place):
    place.undo.register_file(ORDER, place.folder / "ports.json")
    [log] = (place.folder / "undo").glob("*.json")
    told = json.loads(log.read_text())
    assert told["delegation"] == ORDER
    assert (place.home / told["steps"][0]["copy"]).read_text() == "old ports"


def test_the_first_content_counts_when_a_file_is_written_twice(place):
    for text in ("second", "third"):
        place.undo.register_file(ORDER, place.folder / "ports.json")
        (place.folder / "ports.json").write_text(text)
    assert place.undo.count(ORDER) == 1
    place.undo.roll_back(ORDER)
    assert (place.folder / "ports.json").read_text() == "old ports"


def test_what_is_kept_is_not_rolled_back_any_more(place):
    list(place.recovery())
    after = place.content()
    place.undo.keep(ORDER)
    place.undo.keep(ORDER)
    assert place.undo.roll_back(ORDER) == []
    assert place.content() == after
    assert list((place.folder / "undo").glob("*")) == []
    assert place.undo.keep("never heard of") is None


def test_a_keep_that_was_cut_off_is_ended_by_the_next(place, monkeypatch):
    list(place.recovery())
    with monkeypatch.context() as patched:
        patched.setattr(undo_module.UndoLog, "_drop", lambda *_: (_ for _ in ()).throw(Cut))
        with pytest.raises(Cut):
            place.undo.keep(ORDER)
    assert place.undo.count(ORDER) == 0, "what is over is not rolled back, with its copies half gone"
    place.undo.keep("run/4/0")
    assert list((place.folder / "undo").glob("*")) == []


def test_a_copy_that_does_not_fit_registers_nothing(place, monkeypatch):
    def full(source, target):
        copy_durably(source, target)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(undo_module, "copy_durably", full)
    with pytest.raises(OSError, match="No space"):
        place.undo.register_folder(ORDER, place.folder / "chain")
    assert place.undo.count(ORDER) == 0
    assert [path for path in (place.folder / "undo").rglob("*") if path.name == "blk"] == []


def test_it_says_what_it_would_touch(place):
    list(place.recovery())
    names = {str(path.relative_to(place.folder)) for path in place.undo.touched(ORDER)}
    assert names == {"ports.json", "new.conf", "chain", "wallet.json"}


def test_two_delegations_do_not_mix(place):
    place.undo.register_file("run/1/0", place.folder / "ports.json")
    place.undo.register_file("run/1/1", place.folder / "wallet.json")
    assert place.undo.open() == ["run/1/0", "run/1/1"]
    place.undo.keep("run/1/0")
    assert place.undo.open() == ["run/1/1"]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda one: one.name)
def test_a_strategy_says_how_it_is_taken_back_or_is_known_not_to_be(strategy):
    assert bool(strategy.undo) != (strategy.name in IRREVERSIBLE)
    assert strategy.name in ACTS


def test_the_ladder_is_climbed_upward():
    assert [one.radius for one in STRATEGIES] == sorted(one.radius for one in STRATEGIES)
    assert set(ACTS) == {one.name for one in STRATEGIES}


def test_a_log_that_grew_too_large_is_renamed_and_the_oldest_goes(tmp_path):
    log = tmp_path / "pool.log"
    for number in range(LOGS_KEPT + 3):
        log.write_text(f"{number} " + "x" * 100)
        assert rotate(log, over=50)
    assert not log.exists()
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == [f"pool.log.{number}" for number in range(1, LOGS_KEPT + 1)]
    assert (tmp_path / "pool.log.1").read_text().startswith("5 ")


def test_a_small_or_absent_log_stays(tmp_path):
    log = tmp_path / "pool.log"
    assert not rotate(log)
    log.write_text("short")
    assert not rotate(log)
    assert log.read_text() == "short"
