"""Which environments there are, what each is, and that no two are given the same port."""

import json
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiftboss.environments import Place, allotted, chosen_places, enrol, give_slot, known_places, purged_places
from shiftboss.errors import BadInput
from shiftboss.model.profile import Profile

PROFILES = {name: Profile(name=name, chain=name, what=name) for name in ("regtest", "testnet4", "main")}
PORTS = {"rpc": 18443, "p2p": 18444, "stratum": 3333, "pool_status": 8334}


def place(name: str, profile: str = "regtest", slot: int = 0) -> Place:
    return Place(name=name, profile=profile, slot=slot)


KNOWN = {"regtest": place("regtest"), "bob": place("bob", "testnet4", 2)}


@pytest.mark.parametrize(
    ("asked", "known", "expected"),
    [
        ([], {}, {"regtest": ("regtest", 0)}),
        ([], KNOWN, {"regtest": ("regtest", 0), "bob": ("testnet4", 2)}),
        (["main"], {}, {"main": ("main", 0)}),
        (["alice=regtest,bob=regtest"], {}, {"alice": ("regtest", 0), "bob": ("regtest", 1)}),
        (["alice=regtest", "main"], {}, {"alice": ("regtest", 0), "main": ("main", 1)}),
        (["bob"], KNOWN, {"bob": ("testnet4", 2)}),
        (["bob=testnet4"], KNOWN, {"bob": ("testnet4", 2)}),
        (["carol=main, dave=main"], KNOWN, {"carol": ("main", 1), "dave": ("main", 3)}),
    ],
)
def test_what_is_asked_for_is_chosen(asked, known, expected):
    found = chosen_places(asked, known, PROFILES)
    assert {name: (one.profile, one.slot) for name, one in found.items()} == expected


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("nobody", ["unknown environment 'nobody'"]),
        ("alice=moon", ["unknown profile 'moon'"]),
        ("bob=main", ["'bob' is there already, and is testnet4, not main"]),
        ("main,main", ["'main' is named twice"]),
        ("../x=main", ["'../x=main' names no environment"]),
        ("a=,,=main,a/b=main", ["'a='", "''", "'=main'", "'a/b=main'"]),
        ("x=moon,y=sun", ["moon", "sun"]),
    ],
)
def test_all_that_is_wrong_is_said_at_once(asked, words):
    with pytest.raises(BadInput) as raised:
        chosen_places([asked], KNOWN, PROFILES)
    assert len(raised.value.diagnostics) == len(words)
    for word, one in zip(words, raised.value.diagnostics, strict=True):
        assert word in one.what
        assert "regtest, testnet4, main" in one.remedy


def test_the_first_has_its_own_ports_and_the_next_ones_ten_further():
    found = allotted([place("regtest"), place("bob", slot=1)], {"regtest": PORTS, "bob": PORTS})
    assert found["regtest"] == PORTS
    assert found["bob"] == {name: port + 10 for name, port in PORTS.items()}


names = st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=10, unique=True)
ports = st.fixed_dictionaries({name: st.integers(1024, 1200) for name in PORTS})


@given(st.data())
def test_no_port_is_given_twice_in_whichever_order_they_come(data):
    chosen = data.draw(names)
    places = [place(name, slot=data.draw(st.integers(0, 5))) for name in chosen]
    preferred = {name: data.draw(ports) for name in chosen}
    found = allotted(places, preferred)
    every = list(chain.from_iterable(one.values() for one in found.values()))
    assert len(set(every)) == len(every) == len(chosen) * len(PORTS)
    assert allotted(list(reversed(places)), preferred) == found


def test_one_that_comes_later_changes_no_port_of_those_that_are_there():
    there = [place("a"), place("b", slot=1)]
    before = allotted(there, dict.fromkeys("ab", PORTS))
    after = allotted([*there, place("c", slot=2)], dict.fromkeys("abc", PORTS))
    assert {name: after[name] for name in "ab"} == before


def test_too_high_a_port_is_a_finding():
    with pytest.raises(BadInput) as raised:
        allotted([place("bob", slot=1)], {"bob": {"rpc": 65530}})
    assert "'bob' has no room for its port rpc" in raised.value.diagnostics[0].what


def test_an_environment_says_in_its_folder_what_it_is(tmp_path):
    enrol(tmp_path, [place("bob", "testnet4", 3), place("main", "main", 1)])
    assert known_places(tmp_path, PROFILES) == {"main": place("main", "main", 1), "bob": place("bob", "testnet4", 3)}


def test_a_folder_from_before_that_is_of_the_profile_of_its_name(tmp_path):
    for name in ("regtest", "strange"):
        (tmp_path / "env" / name).mkdir(parents=True)
    assert known_places(tmp_path, PROFILES) == {"regtest": place("regtest")}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"profile": "moon", "slot": 1}', '{"profile": "main", "slot": "x"}'])
def test_a_damaged_note_hides_no_environment_that_can_be_told_by_its_name(tmp_path, text):
    enrol(tmp_path, [place("regtest")])
    (tmp_path / "env" / "regtest" / "environment.json").write_text(text)
    found = known_places(tmp_path, PROFILES)
    assert found == ({} if "moon" in text else {"regtest": place("regtest")})


def test_what_comes_back_takes_no_ports_of_those_that_are_there(tmp_path):
    enrol(tmp_path, [place("a"), place("bob", slot=1), place("dora", slot=1)])
    assert give_slot(tmp_path, "bob", PROFILES) == [
        "gave bob other ports: those it had belong to another environment now"
    ]
    slots = {name: one.slot for name, one in known_places(tmp_path, PROFILES).items()}
    assert slots == {"a": 0, "dora": 1, "bob": 2}
    assert give_slot(tmp_path, "bob", PROFILES) == []
    assert give_slot(tmp_path, "nobody", PROFILES) == []


def test_what_was_purged_is_found_where_it_lies(tmp_path):
    folder = tmp_path / "aside" / "bob-20261122" / "data" / "env" / "bob"
    folder.mkdir(parents=True)
    (folder / "environment.json").write_text(json.dumps({"profile": "testnet4", "slot": 4}))
    assert purged_places(tmp_path, PROFILES) == {"bob": place("bob", "testnet4", 4)}
