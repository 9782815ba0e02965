"""The store on bad days: torn pages, a torn log, a full disk in mid-run. It refuses or goes on, and never lies."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from string import ascii_letters

import pytest

from demo.stack import FOLDER, PROCESSES, Demo
from shiftboss.app import BALLAST
from shiftboss.errors import StoreBroken
from shiftboss.model.duration import Conditions
from shiftboss.model.events import NoteAdded, Recorded
from shiftboss.model.lesson import Credit
from shiftboss.model.run import Ending
from shiftboss.store.database import Database
from shiftboss.store.journal import Journal
from shiftboss.store.memory import Memory

PAGE, SECTOR, FRAME = 4096, 512, 4096 + 24
"""Sizes of a page, of what a disk writes at once, and of a page in the log with its header (sqlite.org/fileformat2)."""

RUNS = ("r", "q")
Told = tuple[list[Recorded], object]


# -- torn files ----------------------------------------------------------------------------------------------------


def commit(store: Database, seed: int, number: int) -> None:
    """One transaction of events and of what they teach; long and short ones, so that every kind of page comes last."""
    chance = Random(f"{seed} {number}")
    sizes = [chance.choice((5, 50, 400, 3000, 9000)) for _ in range(chance.randint(1, 4))]
    texts = [f"{seed}/{number} {''.join(chance.choices(ascii_letters, k=size))}" for size in sizes]
    memory = Memory(store)
    credit = Credit(
        delegation=f"d{number}",
        environment="e",
        component="c",
        signature=f"s{number % 5}",
        strategy="z",
        at=float(number),
        due=number + 60.0,
    )

    def teach() -> None:
        memory.learn_duration(("a", f"c{number % 7}", "ensure"), float(number), Conditions(), float(number))
        memory.open_credit(credit)
        if number % 2:
            memory.learn(credit, lasted=number % 3 > 0, at=float(number))
            memory.close_credit(credit.delegation)

    Journal(store).append(RUNS[number % 4 == 0], float(number), [NoteAdded(text=text) for text in texts], within=teach)


def told(path: Path, *, readonly: bool = False) -> Told:
    """Everything a store says."""
    store = Database(path, readonly=readonly)
    try:
        events = [one for run in RUNS for one in Journal(store).read(run)]
        memory = Memory(store)
        return sorted(events, key=lambda one: one.seq), (memory.export(), memory.credits(["e"], ""))
    finally:
        store.close()


@dataclass
class Written:
    """A store as it lies on the disk after its last commit, and what it said after each."""

    data: bytes
    log: bytes
    states: list[Told]
    before: bytes = b""  #: the file before the last commit


def write(folder: Path, seed: int, *, closed: bool) -> Written:
    path = folder / "state.sqlite3"
    store = Database(path, synchronous="OFF")
    states, before = [told(path)], b""
    for number in range(Random(seed).randint(3, 12)):
        if closed:
            store.close()
            store, before = Database(path, synchronous="OFF"), path.read_bytes()
        commit(store, seed, number)
        states.append(told(path))
    if closed:
        store.close()
    log = b"" if closed else Path(f"{path}-wal").read_bytes()
    written = Written(data=path.read_bytes(), log=log, states=states, before=before)
    store.close()
    return written


def torn(good: bytes, start: int, before: bytes = b"") -> Iterator[bytes]:
    """The file with its end lost, never written, overwritten or as it was before, from each sector on."""
    for cut in range(start, len(good), SECTOR):
        left = len(good) - cut
        yield good[:cut]
        yield good[:cut] + bytes(left)
        yield good[:cut] + Random(cut).randbytes(left)
        yield good[:cut] + (before[cut:] + bytes(left))[:left]


def put(folder: Path, data: bytes, log: bytes = b"") -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "state.sqlite3").write_bytes(data)
    if log:
        (folder / "state.sqlite3-wal").write_bytes(log)
    return folder / "state.sqlite3"


@pytest.mark.parametrize("seed", range(10))
def test_a_torn_last_page_is_refused_or_loses_nothing(tmp_path: Path, seed: int) -> None:
    written = write(tmp_path, seed, closed=True)
    refused = 0
    for data in torn(written.data, len(written.data) - PAGE, written.before):
        path = put(tmp_path / "torn", data)
        try:
            state = told(path)
        except StoreBroken as error:
            refused += "Move" in str(error) and "aside" in str(error)
        else:
            assert state in written.states
            refused += 1
    assert refused == 4 * PAGE / SECTOR


@pytest.mark.parametrize("readonly", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_torn_log_loses_whole_commits_from_its_end_and_nothing_else(
    tmp_path: Path, seed: int, readonly: bool
) -> None:
    written = write(tmp_path, seed, closed=False)
    for log in torn(written.log, len(written.log) - 3 * FRAME, bytes(FRAME) + written.log):
        state = told(put(tmp_path / "torn", written.data, log), readonly=readonly)
        assert state in written.states  # journal and memory of the same moment


def test_a_store_with_a_torn_log_goes_on_with_what_it_has(tmp_path: Path) -> None:
    written = write(tmp_path, 1, closed=False)
    path = put(tmp_path / "torn", written.data, written.log[:-100])
    before = told(path)
    store = Database(path)
    commit(store, 1, 99)
    store.close()
    events, _ = told(path)
    assert events[: len(before[0])] == before[0]
    assert [one.event for one in events[len(before[0]) :]] == [one.event for one in told(path)[0][len(before[0]) :]]
    assert len(events) > len(before[0])


# -- a full disk ---------------------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("a disk of its own can't be made here (mounting a tmpfs needs root)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("left", [0, 4096, 20_000, 40_000])
def test_a_disk_that_is_full_in_mid_run_still_takes_the_last_words(disk: Path, home: Path, left: int) -> None:
    demo = Demo(home)
    home.symlink_to(disk / "work")
    (disk / "work").mkdir()
    demo.up()
    for name in PROCESSES:
        (demo.folder() / f"{name}.ready").unlink(missing_ok=True)
    ended = {pid for pids in demo.running().values() for pid in pids}
    for pid in ended:
        os.kill(pid, 9)
    filler = disk / "filler"
    room = shutil.disk_usage(disk).free - left
    filler.write_bytes(bytes(max(0, room)))
    argv = [sys.executable, str(FOLDER / "hub_program.py"), str(home), "up", "-", "0"]
    hub = subprocess.run(argv, check=False, timeout=60, capture_output=True, text=True)
    told = hub.stdout.strip()  # with the ballast's room the run may even come to a good end
    assert told in ("escalated", "converged"), hub.stderr[-2000:]
    assert not (home / BALLAST).exists()
    filler.unlink()
    view = list(demo.views().values())[-1]
    if told == "escalated":
        assert view.ending is Ending.ESCALATED
        assert "full" in view.endings["one"].reasoning
    if told == "converged":
        assert view.ending is Ending.CONVERGED
        assert {len(found) for found in demo.running().values()} == {1}
    ordered = {order for one in demo.views().values() for order in one.delegations}
    assert {line.split()[1] for name in PROCESSES for line in demo.call_lines(name)} <= ordered
    assert demo.up().view.ending is Ending.CONVERGED
    assert {name: len(found) for name, found in demo.running().items()} == {f"one/{name}": 1 for name in PROCESSES}
