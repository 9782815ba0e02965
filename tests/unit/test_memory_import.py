"""What one working directory has learned, taken into another: merged, idempotent, all or nothing."""

import json

import pytest

from command import document, shiftboss
from shiftboss.app import STORE
from shiftboss.errors import BadInput
from shiftboss.model.duration import Conditions
from shiftboss.model.lesson import Credit
from shiftboss.store.database import Database
from shiftboss.store.memory import Memory, Remedy
from shiftboss.store.memory_import import Taken, read, take_in

NOW = 1_800_000_000.0
HERE = Conditions(profile="regtest", host="this", versions="1")


@pytest.fixture
def store(tmp_path):
    """Makes stores; they are closed afterwards."""
    made = []

    def make(name):
        made.append(Database(tmp_path / name, synchronous="OFF"))
        return made[-1]

    yield make
    for database in made:
        database.close()


def credit(signature, strategy="restart_one"):
    return Credit(
        delegation="r/1/1",
        environment="regtest",
        component="pool",
        signature=signature,
        strategy=strategy,
        at=1.0,
        due=2.0,
        seconds=3.5,
        versions="v",
    )


def fill(database, at):
    memory = Memory(database)
    with database.transaction():
        memory.learn(credit("pool/died/1"), lasted=True, at=at)
        memory.learn(credit("pool/died/2"), lasted=False, at=at)
        memory.learn_duration(("boss", "pool", "ensure"), 2.5, HERE, at)
        memory.mended_by_hand(Remedy(signature="pool/died/1", component="pool", what="a cable", at=at))


def exported(database):
    return json.dumps(Memory(database).export())


def test_an_export_comes_in_whole_and_a_second_time_changes_nothing(store):
    one, other = store("one"), store("other")
    fill(one, at=100.0)
    learned = read(exported(one), "file", NOW)
    assert take_in(other, learned) == Taken(lessons=2, remedies=1, durations=1)
    assert exported(other) == exported(one)
    assert take_in(other, learned) == Taken(lessons=0, remedies=0, durations=0)
    assert exported(other) == exported(one)


def test_the_newer_of_two_stays(store):
    one, other = store("one"), store("other")
    fill(one, at=100.0)
    fill(other, at=200.0)
    fill(other, at=300.0)
    newer = exported(other)
    assert take_in(other, read(exported(one), "file", NOW)) == Taken(lessons=0, remedies=1, durations=0)
    assert json.loads(exported(other))["lessons"] == json.loads(newer)["lessons"]
    taken = take_in(one, read(newer, "file", NOW))
    assert taken == Taken(lessons=2, remedies=2, durations=1)
    assert json.loads(exported(one))["lessons"] == json.loads(newer)["lessons"]
    assert json.loads(exported(one))["durations"] == json.loads(newer)["durations"]


def test_of_the_same_thing_twice_in_a_file_the_newer_counts(store):
    one = store("one")
    lesson = {"signature": "s", "strategy": "t", "lasted": 1, "failed": 0, "seconds": 1.0, "versions": "v"}
    text = json.dumps({"lessons": [{**lesson, "seen": 9, "failed": 4}, {**lesson, "seen": 3}]})
    assert take_in(one, read(text, "file", NOW)).lessons == 1
    assert Memory(one).lessons()[0].failed == 4


def test_all_that_is_wrong_is_said_at_once():
    text = json.dumps(
        {
            "lessons": [{"signature": "s", "strategy": 7, "lasted": -1, "failed": 0, "seconds": True, "versions": ""}],
            "remedies": {"signature": "s"},
            "durations": [
                "x",
                {"agent": "a", "component": "b", "mode": "c", "conditions": {}, "samples": [], "count": 1, "seen": 1},
            ],
        }
    )
    with pytest.raises(BadInput) as caught:
        read(text, "memory.json", NOW)
    assert {one.place for one in caught.value.diagnostics} == {"memory.json"}
    assert [one.path for one in caught.value.diagnostics] == [
        "lessons[0].strategy",
        "lessons[0].lasted",
        "lessons[0].seconds",
        "lessons[0].seen",
        "remedies",
        "durations[0]",
        "durations[1].samples",
        "durations[1].conditions.profile",
        "durations[1].conditions.host",
        "durations[1].conditions.versions",
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", "7", '{"lessons": [', '{"lessons": [{"seen": NaN}]}'])
def test_what_is_no_export_is_refused(text):
    with pytest.raises(BadInput):
        read(text, "file", NOW)


LESSON = {"signature": "s", "strategy": "t", "lasted": 1, "failed": 0, "seconds": 1.0, "versions": "v", "seen": 9}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seen", 10**400),
        ("seen", NOW + 2 * 86_400),
        ("seen", float("inf")),
        ("lasted", 10**9 + 1),
        ("seconds", 1e300),
        ("signature", "\ud800"),
        ("seen", -1),
    ],
)
def test_what_can_not_be_is_a_finding(name, value):
    read(json.dumps({"lessons": [{**LESSON, "seen": NOW + 80_000}]}), "file", NOW)
    with pytest.raises(BadInput) as caught:
        read(json.dumps({"lessons": [{**LESSON, name: value}]}), "file", NOW)
    assert [one.path for one in caught.value.diagnostics] == [f"lessons[0].{name}"]


def test_deep_nesting_is_a_finding():
    with pytest.raises(BadInput):
        read('{"lessons": ' + "[" * 200_000, "file", NOW)


def test_a_date_that_no_calendar_has_is_listed(tmp_path, store):
    (tmp_path / ".shiftboss").mkdir(mode=0o700)
    fill(store(".shiftboss/" + STORE), at=1e300)
    for words in (("list",), ("show", "pool/died/1")):
        listed = shiftboss(tmp_path, "memory", *words)
        assert listed.returncode == 0, listed.stderr
        assert "unknown" in listed.stdout


def test_on_the_command_line(tmp_path, store):
    one = store("one")
    fill(one, at=100.0)
    (tmp_path / "memory.json").write_text(exported(one))
    (tmp_path / "bad.json").write_text('{"lessons": [{}], "remedies": 7}')
    bad = shiftboss(tmp_path, "memory", "import", "bad.json", "--json")
    assert (bad.returncode, len(document(bad)["diagnostics"])) == (2, 8)
    assert not (tmp_path / ".shiftboss").exists()
    assert shiftboss(tmp_path, "memory", "import").returncode == 2
    assert shiftboss(tmp_path, "memory", "import", "nosuch.json").returncode == 2
    taken = document(shiftboss(tmp_path, "memory", "import", "memory.json", "--json"))
    assert taken == {"state": "imported", "lessons": 2, "remedies": 1, "durations": 1}
    assert "0 lessons, 0 remedies" in shiftboss(tmp_path, "memory", "import", "memory.json").stdout
    assert document(shiftboss(tmp_path, "memory", "export")) == json.loads(exported(one))
    assert [path.name for path in (tmp_path / ".shiftboss").iterdir() if "state" not in path.name] == []
