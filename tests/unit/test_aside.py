"""Data moved aside comes back as it was, whatever moment we were cut off at, and nothing is ever lost."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiftboss.system import aside as aside_module
from shiftboss.system.aside import Aside

STAMP = "20260101T000000Z"
NAMES = ("chain/blocks/a", "chain/b", "wallet.json", "proof.json")


class Cut(Exception):
    """The moment of a kill -9."""


def fill(home: Path, *names: str, text: str = "old") -> None:
    for name in names:
        path = home / "env" / "regtest" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text} {name}")


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def paths(home: Path) -> list[Path]:
    return [home / "env" / "regtest" / name for name in ("chain", "wallet.json", "proof.json", "never")]


def cut_after(monkeypatch, steps: int) -> None:
    """Let so many renames and writes of the manifest happen, and no more."""
    left = [steps]

    def counted(function):
        def call(*arguments, **more):
            if left[0] == 0:
                raise Cut
            left[0] -= 1
            return function(*arguments, **more)

        return call

    monkeypatch.setattr(aside_module, "_move", counted(aside_module._move))
    monkeypatch.setattr(aside_module, "write_atomic", counted(aside_module.write_atomic))


def test_what_is_kept_aside_is_gone_and_comes_back(tmp_path):
    fill(tmp_path, *NAMES)
    before = tree(tmp_path / "env")
    aside = Aside(tmp_path, "regtest")
    snapshot = aside.keep(paths(tmp_path), "a test", STAMP)
    assert tree(tmp_path / "env") == {}
    assert snapshot.size == sum(map(len, before.values()))
    assert [one.id for one in aside.list()] == [snapshot.id]
    aside.put_back(snapshot.id, STAMP)
    assert tree(tmp_path / "env") == before
    assert aside.list() == []


def test_what_is_in_the_way_is_moved_aside_too_and_can_come_back(tmp_path):
    fill(tmp_path, *NAMES)
    old = tree(tmp_path / "env")
    aside = Aside(tmp_path, "regtest")
    first = aside.keep(paths(tmp_path), "a test", STAMP)
    fill(tmp_path, "chain/blocks/a", "never", text="new")
    new = tree(tmp_path / "env")
    changes = aside.put_back(first.id, STAMP)
    assert tree(tmp_path / "env") == old, "also what was not there then is not there now"
    assert len(changes) == 5
    [second] = aside.list()
    aside.put_back(second.id, STAMP)
    assert tree(tmp_path / "env") == new
    assert [one.why for one in aside.list()] == [f"made room for {second.id}"]


def test_putting_back_twice_changes_nothing_the_second_time(tmp_path):
    fill(tmp_path, *NAMES)
    aside = Aside(tmp_path, "regtest")
    snapshot = aside.keep(paths(tmp_path), "a test", STAMP)
    aside.put_back(snapshot.id, STAMP)
    fill(tmp_path, "wallet.json", text="newer")
    before = tree(tmp_path)
    assert aside.put_back(snapshot.id, STAMP) == []
    assert tree(tmp_path) == before


@pytest.mark.parametrize("steps", range(7))
def test_cut_off_while_keeping_nothing_is_lost_and_all_comes_back(tmp_path, monkeypatch, steps):
    fill(tmp_path, *NAMES)
    before = tree(tmp_path / "env")
    told = []
    with monkeypatch.context() as patched:
        cut_after(patched, steps)
        with contextlib.suppress(Cut):
            Aside(tmp_path, "regtest").keep(paths(tmp_path), "a test", STAMP, before=told.append)
    everything = {text for path, text in tree(tmp_path).items() if "manifest" not in path}
    assert everything == set(before.values())
    if told:
        Aside(tmp_path, "regtest").put_back(told[0], STAMP)
    assert tree(tmp_path / "env") == before


@pytest.mark.parametrize("steps", range(12))
def test_cut_off_while_putting_back_a_second_call_goes_on(tmp_path, monkeypatch, steps):
    fill(tmp_path, *NAMES)
    old = tree(tmp_path / "env")
    aside = Aside(tmp_path, "regtest")
    snapshot = aside.keep(paths(tmp_path), "a test", STAMP)
    fill(tmp_path, "chain/blocks/a", "never", text="new")
    new = tree(tmp_path / "env")
    with monkeypatch.context() as patched:
        cut_after(patched, steps)
        with contextlib.suppress(Cut):
            aside.put_back(snapshot.id, STAMP)
    aside.put_back(snapshot.id, STAMP)
    assert tree(tmp_path / "env") == old
    kept = {text for path, text in tree(tmp_path / "aside").items() if "manifest" not in path}
    assert kept == set(new.values()), "what was in the way lies aside"


def test_the_way_back_is_told_when_nothing_has_moved_yet(tmp_path):
    fill(tmp_path, *NAMES)
    before = tree(tmp_path / "env")
    seen = []

    def told(identity: str) -> None:
        seen.append((identity, tree(tmp_path / "env") == before, aside.find(identity) is not None))

    aside = Aside(tmp_path, "regtest")
    snapshot = aside.keep(paths(tmp_path), "a test", STAMP, before=told)
    assert seen == [(snapshot.id, True, True)]


def test_snapshots_of_one_second_and_of_other_environments_are_told_apart(tmp_path):
    regtest, signet = Aside(tmp_path, "regtest"), Aside(tmp_path, "signet")
    fill(tmp_path, "one", "two", "three")
    folder = tmp_path / "env" / "regtest"
    ids = [regtest.keep([folder / "one"], "", STAMP).id, regtest.keep([folder / "two"], "", STAMP).id]
    other = signet.keep([folder / "three"], "", STAMP).id
    assert len({*ids, other}) == 3
    assert [one.id for one in regtest.list()] == ids
    assert [one.id for one in signet.list()] == [other]


@pytest.mark.parametrize("identity", ["nothing", "", "..", "../env", "a/b"])
def test_an_id_that_names_no_snapshot_is_refused(tmp_path, identity):
    aside = Aside(tmp_path, "regtest")
    assert aside.find(identity) is None
    with pytest.raises(FileNotFoundError):
        aside.put_back(identity, STAMP)


def test_nothing_outside_the_working_directory_is_moved(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "foreign").write_text("mine")
    with pytest.raises(ValueError, match="foreign"):
        Aside(home, "regtest").keep([tmp_path / "foreign"], "", STAMP)
    assert (tmp_path / "foreign").read_text() == "mine"


def test_a_manifest_names_only_places_below_the_working_directory(tmp_path):
    fill(tmp_path, "one")
    snapshot = Aside(tmp_path, "regtest").keep([tmp_path / "env" / "regtest" / "one"], "", STAMP)
    told = json.loads((tmp_path / "aside" / snapshot.id / "manifest.json").read_text())
    assert not any(place.startswith("/") for place in (*told["kept"], *told["kept"].values()))


@given(moves=st.lists(st.sampled_from(["keep", "back", "write"]), max_size=12), seed=st.integers(0, 99))
def test_whatever_is_moved_to_and_fro_no_content_is_ever_lost(tmp_path_factory, moves, seed):
    home = tmp_path_factory.mktemp("home")
    aside = Aside(home, "regtest")
    written, ids = set(), []
    for number, move in enumerate(moves):
        if move == "write" and not paths(home)[0].exists():
            fill(home, "chain/b", text=f"version {number}")
            written.add(f"version {number} chain/b")
        elif move == "keep":
            ids.append(aside.keep(paths(home), f"{number}", STAMP).id)
        elif move == "back" and ids:
            aside.put_back(ids[seed % len(ids)], STAMP)
    assert {text for name, text in tree(home).items() if "manifest" not in name} == written
