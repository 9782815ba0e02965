"""The store: all or nothing, listeners after the fact, and clear words when it can't be used."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from shiftboss.errors import StoreBroken
from shiftboss.model.duration import Conditions
from shiftboss.model.events import NoteAdded, Recorded, RunEnded, RunStarted, Warned
from shiftboss.store.database import SCHEMA_VERSION, Database
from shiftboss.store.inbox import Inbox
from shiftboss.store.journal import Journal
from shiftboss.store.memory import Memory

STARTED = RunStarted(pack="p", pipeline="q", brain="policy", goal={}, environments=["e"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite3"


@pytest.fixture
def database(path: Path):
    opened = Database(path)
    yield opened
    opened.close()


def test_what_is_appended_is_read_back_in_order(database: Database) -> None:
    journal = Journal(database)
    journal.append("r", 1.0, [STARTED, NoteAdded(text="a")])
    journal.append("other", 2.0, [STARTED])
    journal.append("r", 3.0, [NoteAdded(text="ü\ud800")])
    events = journal.read("r")
    assert [record.event for record in events] == [STARTED, NoteAdded(text="a"), NoteAdded(text="ü\ud800")]
    assert [record.at for record in events] == [1.0, 1.0, 3.0]
    assert [record.seq for record in events] == sorted(record.seq for record in events)
    assert journal.read("r", after=events[1].seq) == events[2:]
    assert journal.last_run() == "other"


def test_listeners_are_told_in_order_and_only_what_is_durable(database: Database, path: Path) -> None:
    journal, reader = Journal(database), Database(path, readonly=True)
    heard: list[tuple[str, Recorded]] = []
    counts: list[int] = []

    def first(record: Recorded) -> None:
        heard.append(("first", record))
        counts.append(len(Journal(reader).read("r")))

    journal.listen(first)
    journal.listen(lambda record: heard.append(("second", record)))
    journal.append("r", 1.0, [NoteAdded(text="a"), NoteAdded(text="b")])
    assert [(who, record.event.text) for who, record in heard] == [
        ("first", "a"),
        ("second", "a"),
        ("first", "b"),
        ("second", "b"),
    ]
    assert counts == [2, 2]
    reader.close()


def test_an_append_is_all_or_nothing(database: Database) -> None:
    journal, inbox = Journal(database), Inbox(database)
    heard: list[Recorded] = []
    journal.listen(heard.append)
    inbox.send("r", 0.0, "note", text="hello")
    (message,) = inbox.messages("r")

    def fail() -> None:
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        journal.append("r", 1.0, [NoteAdded(text="a")], taken=[message.id], within=fail)
    assert (journal.read("r"), heard) == ([], [])
    assert inbox.messages("r") == [message]
    journal.append("r", 1.0, [NoteAdded(text="a")])  # and the store is as good as before
    assert len(heard) == 1


def test_a_value_that_can_not_be_stored_leaves_nothing_behind(database: Database) -> None:
    journal = Journal(database)
    circle: dict[str, object] = {}
    circle["circle"] = circle
    with pytest.raises(ValueError, match="ircular"):
        journal.append("r", 1.0, [NoteAdded(text="a"), RunStarted(**{**vars(STARTED), "goal": circle})])
    assert journal.read("r") == []


def test_messages_are_taken_with_what_they_led_to(database: Database, path: Path) -> None:
    other = Database(path)
    Inbox(other).send("r", 0.0, "note", text="one")
    Inbox(other).send("", 0.0, "stop")
    Inbox(other).send("another", 0.0, "note", text="not ours")
    other.close()
    inbox = Inbox(database)
    messages = inbox.messages("r")
    assert [(one.kind, one.data) for one in messages] == [("note", {"text": "one"}), ("stop", {})]
    Journal(database).append("r", 1.0, [NoteAdded(text="one")], taken=[one.id for one in messages])
    assert inbox.messages("r") == []
    assert len(inbox.messages("another")) == 1


def test_what_is_learnt_goes_into_the_same_transaction(database: Database) -> None:
    memory = Memory(database)
    for seconds in (1.0, 3.0):
        Journal(database).append(
            "r", 1.0, [], within=lambda s=seconds: memory.learn_duration(("a", "c", "ensure"), s, Conditions(), 1.0)
        )
    (learnt,) = memory.durations()
    assert learnt.kind == ("a", "c", "ensure")
    assert (learnt.count, learnt.samples) == (2, (1.0, 3.0))


def test_looking_needs_no_writing(path: Path, database: Database) -> None:
    Journal(database).append("r", 1.0, [STARTED])
    reader = Database(path, readonly=True)
    assert Journal(reader).last_run() == "r"
    with pytest.raises(StoreBroken, match="readonly"):
        Journal(reader).append("r", 2.0, [NoteAdded(text="x")])
    reader.close()


def test_a_store_of_a_newer_version_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    raw.close()
    for readonly in (False, True):
        with pytest.raises(StoreBroken, match="newer shiftboss"):
            Database(path, readonly=readonly)


@pytest.mark.parametrize("readonly", [False, True])
def test_a_file_that_is_no_store_is_told_so_with_advice(path: Path, readonly: bool) -> None:
    path.write_bytes(b"this is not a database at all" * 200)
    before = path.read_bytes()
    with pytest.raises(StoreBroken, match="Move it aside"):
        Database(path, readonly=readonly)
    assert path.read_bytes() == before


def test_a_store_damaged_inside_is_told_so_with_advice(path: Path) -> None:
    store = Database(path)
    Journal(store).append("r", 1.0, [NoteAdded(text="x" * 300) for _ in range(400)])
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 3)
        file.write(os.urandom(size // 2))
    store = Database(path)
    with pytest.raises(StoreBroken, match="Move it aside"):
        Journal(store).read("r")
    store.close()


@pytest.mark.parametrize(("kind", "data"), [("NoteAdded", "{"), ("NoteAdded", '{"no": 1}'), ("Unheard", "{}")])
def test_a_row_nobody_understands_is_a_broken_store_and_no_traceback(
    path: Path, database: Database, kind: str, data: str
) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("INSERT INTO events (run, at, kind, data) VALUES ('r', 1, ?, ?)", (kind, data))
    raw.close()
    with pytest.raises(StoreBroken, match="event 1"):
        Journal(database).read("r")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreBroken, match="can't be used"):
        Database(tmp_path / "no" / "state.sqlite3")


def test_only_its_owner_may_read_it(database: Database, path: Path) -> None:
    Journal(database).append("r", 1.0, [STARTED])
    assert path.stat().st_mode & 0o777 == 0o600


def test_marks_are_starts_and_ends_newest_first(database: Database) -> None:
    journal = Journal(database)
    end = RunEnded(ending="converged", turns=1, seconds=1.0)
    journal.append("r1", 1.0, [STARTED, NoteAdded(text="a"), end])
    journal.append("r2", 2.0, [STARTED, Warned(text="b")])
    assert [(mark.run, mark.event) for mark in journal.marks()] == [("r2", STARTED), ("r1", end), ("r1", STARTED)]
    assert len(journal.marks(1)) == 1


CUT = """
import os, signal, sys
from pathlib import Path
from shiftboss.model.events import NoteAdded
from shiftboss.store.database import Database
from shiftboss.store.journal import Journal

journal = Journal(Database(Path(sys.argv[1])))
journal.append("r", 1.0, [NoteAdded(text="whole")])
journal.append("r", 2.0, [NoteAdded(text="x" * 5000) for _ in range(200)],
               within=lambda: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_hub_killed_within_a_transaction_leaves_a_readable_journal(path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", CUT, str(path)], check=False, timeout=60)
    assert died.returncode == -9
    for readonly in (True, False):
        store = Database(path, readonly=readonly)
        assert [record.event for record in Journal(store).read("r")] == [NoteAdded(text="whole")]
        store.close()


FULL = """
import resource, sys
from pathlib import Path
from shiftboss.errors import StoreBroken
from shiftboss.model.events import NoteAdded
from shiftboss.store.database import Database
from shiftboss.store.journal import Journal

journal = Journal(Database(Path(sys.argv[1])))
journal.append("r", 1.0, [NoteAdded(text="whole")])
told = []
journal.listen(told.append)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
try:
    journal.append("r", 2.0, [NoteAdded(text="x" * 5000) for _ in range(200)])
except StoreBroken as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append("r", 3.0, [NoteAdded(text="again")])
print([record.event.text for record in journal.read("r")], len(told))
"""


def test_a_disk_without_room_stores_nothing_and_says_so(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], check=True, timeout=60, capture_output=True, text=True
    )
    said, left = done.stdout.splitlines()
    assert "free space" in said.lower()
    assert left == "['whole', 'again'] 1"
