"""What the store remembers over runs, in a real file: lessons, open credits, what people mended, forgetting."""

import json
import sqlite3
from pathlib import Path

import pytest

from shiftboss.model.duration import KEPT, Conditions
from shiftboss.model.lesson import Credit
from shiftboss.store.database import SCHEMA_VERSION, Database
from shiftboss.store.memory import Memory, Remedy

SIGN = "daemon/data_damaged/0a1b2c3d"


@pytest.fixture
def database(tmp_path: Path):
    database = Database(tmp_path / "state.sqlite3")
    yield database
    database.close()


@pytest.fixture
def memory(database: Database) -> Memory:
    return Memory(database)


def credit(strategy: str = "reindex", *, run: str = "r1", signature: str = SIGN, versions: str = "v1") -> Credit:
    return Credit(
        delegation=f"{run}/3/0",
        environment="regtest",
        component="daemon",
        signature=signature,
        strategy=strategy,
        at=100.0,
        due=160.0,
        instance="77:1:ab",
        seconds=4.0,
        versions=versions,
    )


def learn(database: Database, one: Credit, *, lasted: bool, at: float = 200.0) -> None:
    with database.transaction():
        Memory(database).learn(one, lasted=lasted, at=at)


def numbers(memory: Memory) -> dict[str, tuple[int, int]]:
    return {one.strategy: (one.lasted, one.failed) for one in memory.lessons()}


def test_lasting_successes_add_up_and_one_failure_takes_them_away(database: Database, memory: Memory) -> None:
    for _ in range(3):
        learn(database, credit(), lasted=True)
    assert numbers(memory) == {"reindex": (3, 0)}
    assert memory.lessons()[0].rate == pytest.approx(0.8)
    learn(database, credit(), lasted=False)
    assert numbers(memory) == {"reindex": (0, 1)}, "what failed is proven no longer"


def test_the_mean_of_seconds_is_kept(database: Database, memory: Memory) -> None:
    for seconds in (2.0, 4.0, 6.0):
        learn(database, credit().but(seconds=seconds), lasted=True)
    assert memory.lessons()[0].seconds == pytest.approx(4.0)


def test_a_lesson_with_other_versions_replaces_what_was_learned_before(database: Database, memory: Memory) -> None:
    learn(database, credit("reindex"), lasted=True)
    learn(database, credit("restart_one"), lasted=True)
    learn(database, credit("reindex", signature="pool/died/1"), lasted=True)
    learn(database, credit("reset_environment", versions="v2"), lasted=True)
    assert {(one.signature, one.strategy, one.versions) for one in memory.lessons()} == {
        (SIGN, "reset_environment", "v2"),
        ("pool/died/1", "reindex", "v1"),
    }
    assert [one.strategy for one in memory.lessons("v2")] == ["reset_environment"]


def test_a_credit_comes_back_as_it_was_and_only_where_it_belongs(database: Database, memory: Memory) -> None:
    one = credit()
    with database.transaction():
        memory.open_credit(one)
        memory.open_credit(one)
    assert memory.credits(["regtest"], "v1") == [one]
    assert memory.credits(["signet"], "v1") == []
    assert memory.credits(["regtest"], "v2") == []
    with database.transaction():
        memory.close_credit(one.delegation)
        memory.close_credit(one.delegation)
    assert memory.credits(["regtest"], "v1") == []


def test_credits_of_data_that_a_person_replaced_are_dropped(database: Database, memory: Memory) -> None:
    with database.transaction():
        memory.open_credit(credit())
        memory.open_credit(credit(run="r2").but(environment="signet"))
    memory.drop_credits("regtest")
    assert memory.credits(["regtest", "signet"], "v1") == [credit(run="r2").but(environment="signet")]


def test_forgetting(database: Database, memory: Memory) -> None:
    for one in (credit(), credit("restart_one"), credit("wait", signature="pool/died/1")):
        learn(database, one, lasted=True)
    with database.transaction():
        memory.mended_by_hand(Remedy(signature=SIGN, component="daemon", what="a new disk", at=1.0))
    assert memory.forget("daemon/", "restart_one") == 1
    assert set(numbers(memory)) == {"reindex", "wait"}
    assert len(memory.remedies()) == 1
    assert memory.forget("daemon/") == 1
    assert memory.remedies() == []
    assert memory.forget() == 1
    assert memory.export() == {"lessons": [], "remedies": [], "durations": []}


def test_a_signature_is_no_pattern(database: Database, memory: Memory) -> None:
    learn(database, credit(signature="a_b/died/1"), lasted=True)
    learn(database, credit(signature="axb/died/1"), lasted=True)
    assert memory.forget("a_b") == 1
    assert memory.forget("%") == 0


def test_a_store_of_the_first_format_gets_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    Database(path).close()
    old = sqlite3.connect(path)
    old.executescript("DROP TABLE lessons; DROP TABLE credits; DROP TABLE remedies; PRAGMA user_version=1;")
    old.close()
    looking = Database(path, readonly=True)
    assert Memory(looking).lessons() == []
    looking.close()
    acting = Database(path)
    learn(acting, credit(), lasted=True)
    assert acting.path == path
    acting.close()
    check = sqlite3.connect(path)
    assert check.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    check.close()


def test_a_store_of_the_second_format_keeps_its_lessons_and_drops_its_durations(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    made = Database(path)
    learn(made, credit(), lasted=True)
    with made.transaction():
        Memory(made).open_credit(credit())
    made.close()
    old = sqlite3.connect(path)
    old.executescript(
        "DROP TABLE duration_samples;"
        "CREATE TABLE durations (agent TEXT, component TEXT, mode TEXT, count INTEGER, mean REAL, last REAL);"
        "INSERT INTO durations VALUES ('a', 'c', 'ensure', 3, 2.0, 1.0); PRAGMA user_version=2;"
    )
    old.close()
    looking = Database(path, readonly=True)
    assert numbers(Memory(looking)) == {"reindex": (1, 0)}
    assert Memory(looking).credits(["regtest"], "v1") == [credit()]
    assert Memory(looking).durations() == []
    looking.close()
    check = sqlite3.connect(path)
    assert check.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    assert check.execute("SELECT 1 FROM sqlite_master WHERE name = 'durations'").fetchall() == []
    check.close()


HERE = Conditions(profile="regtest", host="h1", versions="v1")
KIND = ("keeper", "pool", "ensure")


def took(database: Database, *seconds: float, conditions: Conditions = HERE) -> None:
    for at, one in enumerate(seconds):
        with database.transaction():
            Memory(database).learn_duration(KIND, one, conditions, float(at))


def test_durations_are_kept_by_the_conditions_they_were_measured_under(database: Database, memory: Memory) -> None:
    took(database, 1.0, 2.0)
    took(database, 5.0, conditions=HERE.but(host="h2"))
    took(database, 7.0, conditions=HERE.but(profile="testnet4"))
    found = {one.conditions: one for one in memory.durations()}
    assert {where: one.samples for where, one in found.items()} == {
        HERE: (1.0, 2.0),
        HERE.but(host="h2"): (5.0,),
        HERE.but(profile="testnet4"): (7.0,),
    }
    assert (found[HERE].kind, found[HERE].count, found[HERE].seen) == (KIND, 2, 1.0)


def test_only_the_newest_samples_are_kept_and_all_are_counted(database: Database, memory: Memory) -> None:
    took(database, *[float(number % 2) for number in range(40)])
    (found,) = memory.durations()
    assert (len(found.samples), found.count) == (KEPT, 40)


def test_old_lessons_fade_when_the_machine_changes(database: Database, memory: Memory) -> None:
    took(database, 1.0, 1.1, 0.9, 1.0, 1.05, 4.0, 4.1)
    (found,) = memory.durations()
    assert len(found.samples) == 7, "two slow ones may be chance"
    took(database, 3.9)
    (found,) = memory.durations()
    assert (found.samples, found.count) == ((4.0, 4.1, 3.9), 8)


def test_durations_are_exported_with_their_conditions(database: Database, memory: Memory) -> None:
    took(database, 1.0)
    (one,) = memory.export()["durations"]
    assert one["conditions"] == {"profile": "regtest", "host": "h1", "versions": "v1"}
    assert json.loads(json.dumps(one))["samples"] == [1.0]
