"""approve, deny, memory and `down` on nothing, as a person types them; over a store written by hand: no stack runs."""

import json

import pytest

from command import document, no_traceback, shiftboss
from shiftboss.app import Request, bound_to, open_for_work, open_session
from shiftboss.model.events import ApprovalAsked, EnvironmentEnded, RunEnded, RunStarted
from shiftboss.model.lesson import Credit
from shiftboss.store.memory import Remedy

AT = 1_700_000_000.0
DIED = "pool/died/1a2b3c4d"
FULL = "daemon/no_space/9f8e7d6c"


def asked(act, part):
    return ApprovalAsked(
        environment="regtest",
        component=part,
        act=act,
        move=f"regtest/{part}/recover/restart_one",
        risk="disruptive",
        what="start it again",
        why=f"{part} ended",
    )


@pytest.fixture
def store(place):
    """A working directory with one run that asks about two acts, and some lessons."""
    request = Request(workdir=place / ".shiftboss", environ={"HOME": str(place)}, cwd=place)
    session, records = open_for_work(open_session(request))
    begun = RunStarted(
        pack="mining",
        pipeline="intelligent-mining-infrastructure-setup",
        brain="policy",
        goal={"want": "up", "components": [], "replace": [], "purge": False},
        environments=["regtest"],
    )
    ended = EnvironmentEnded(environment="regtest", ending="needs_approval", reasoning="consent is missing")
    end = RunEnded(ending="needs_approval", turns=1, seconds=1.0)
    records.journal.append("run-1", AT, [begun, asked("aaaa11", "pool"), asked("aaaa22", "miner"), ended, end])
    with records.database.transaction():
        for number, (signature, strategy, lasted) in enumerate(
            [(DIED, "restart_one", True), (DIED, "restart_one", True), (DIED, "restart_rest", False)]
        ):
            credit = credit_of(session, str(number), signature, strategy)
            records.memory.learn(credit, lasted=lasted, at=AT)
        records.memory.open_credit(credit_of(session, "run-1/3/0", FULL, "free_space"))
        records.memory.mended_by_hand(Remedy(signature=FULL, component="daemon", what="no room -> ready", at=AT))
    records.close()
    return place


def credit_of(session, delegation, signature, strategy):
    return Credit(
        delegation=delegation,
        environment="regtest",
        component=signature.partition("/")[0],
        signature=signature,
        strategy=strategy,
        at=AT,
        due=AT + 60,
        seconds=1.5,
        versions=bound_to(session),
    )


def test_approving_says_what_it_means_and_what_comes_next(store):
    result = no_traceback(shiftboss(store, "approve", "aaaa11"))
    assert result.returncode == 0
    text = " ".join(result.stdout.split())
    assert "Approved: start it again (regtest/pool/recover/restart_one, disruptive), act aaaa11 of run run-1." in text
    assert result.stdout.splitlines()[-1] == "Next: shiftboss resume run-1"
    again = document(shiftboss(store, "approve", "run-1", "aaaa1", "--json"))
    assert (again["state"], again["new"], again["next"]) == ("approved", False, "shiftboss resume run-1")
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_denying_takes_a_reason(store):
    found = document(shiftboss(store, "deny", "aaaa22", "--reason", "not \x1b[31mnow", "--json"))
    assert (found["state"], found["run"], found["act"]) == ("denied", "run-1", "aaaa22")
    assert "It was denied before" in shiftboss(store, "deny", "aaaa22").stdout
    assert shiftboss(store, "approve", "aaaa22").returncode == 2


def test_what_is_not_asked_is_refused_in_words(store):
    result = no_traceback(shiftboss(store, "approve", "zz"))
    assert result.returncode == 2
    text = " ".join(result.stderr.split())
    assert "no run asks for 'zz'" in text
    assert "aaaa11 for regtest/pool/recover/restart_one (disruptive: start it again); aaaa22 for" in text
    too_short = shiftboss(store, "approve", "aaa").stderr
    assert "no run asks for 'aaa'" in " ".join(too_short.split())
    assert "fits several acts" in shiftboss(store, "approve", "aaaa").stderr
    assert shiftboss(store, "approve", "a", "b", "c").returncode == 2
    assert shiftboss(store, "deny", "x", "--workdir", "nowhere").returncode == 2
    assert not (store / "nowhere").exists()


LISTED = f"""\
{DIED}
  restart_one              2       0   0.75    1.50 s  2023-11-14 22:13:20
  restart_rest             0       1   0.33    1.50 s  2023-11-14 22:13:20
"""


def test_memory_is_listed_in_80_columns(store):
    text = shiftboss(store, "memory", "list").stdout
    assert text.endswith(LISTED)
    assert text.splitlines()[0].split() == ["strategy", "lasted", "failed", "rate", "mean", "last", "seen", "(UTC)"]
    assert "with shiftboss" in text
    assert max(map(len, text.splitlines())) <= 80
    found = document(shiftboss(store, "memory", "list", "--json"))
    assert [(one["strategy"], one["lasted"], one["failed"], one["rate"]) for one in found] == [
        ("restart_one", 2, 0, 0.75),
        ("restart_rest", 0, 1, 0.333),
    ]


def test_memory_shows_what_is_not_known_yet_and_what_people_did(store):
    text = " ".join(shiftboss(store, "memory", "show", "daemon/no_space").stdout.split())
    assert "Not known yet: free_space of daemon" in text
    assert "it has lasted if the failure is not back by 2023-11-14 22:14:20" in text
    assert "Mended by hand (2023-11-14 22:13:20): daemon: no room -> ready." in text
    found = document(shiftboss(store, "memory", "show", FULL, "--json"))
    assert [one["strategy"] for one in found["credits"]] == ["free_space"]
    assert [one["what"] for one in found["remedies"]] == ["no room -> ready"]
    assert found["lessons"] == []
    assert no_traceback(shiftboss(store, "memory", "show", "nothing")).returncode == 2
    assert shiftboss(store, "memory", "show").returncode == 2


def test_memory_is_exported_whole(store):
    found = json.loads(shiftboss(store, "memory", "export").stdout)
    assert {"lessons", "remedies", "durations"} <= set(found)
    assert len(found["lessons"]) == 2


def test_forgetting_says_how_many_and_everything_needs_a_word(store):
    assert "--all" in no_traceback(shiftboss(store, "memory", "forget")).stderr
    assert shiftboss(store, "memory", "forget", DIED, "--all").returncode == 2
    assert shiftboss(store, "memory", "forget", DIED, "--strategy", "restart_rest").stdout == "1 lesson is forgotten.\n"
    assert document(shiftboss(store, "memory", "forget", "--all", "--json"))["lessons"] == 1
    assert shiftboss(store, "memory", "forget", "--all").stdout == "0 lessons are forgotten.\n"
    assert "Nothing has been learned yet" in shiftboss(store, "memory", "list").stdout
    assert json.loads(shiftboss(store, "memory", "export").stdout)["remedies"] == []


@pytest.mark.parametrize("words", [("memory", "list"), ("memory", "forget", "--all"), ("approve", "aaaa")])
def test_nothing_is_made_where_nothing_was_run(place, words):
    assert no_traceback(shiftboss(place, *words)).returncode == 2
    assert list(place.iterdir()) == []


def test_down_where_nothing_was_ever_run_says_so_and_makes_nothing(place):
    result = no_traceback(shiftboss(place, "down"))
    assert result.returncode == 0
    assert "there is nothing to stop" in " ".join(result.stdout.split())
    found = document(shiftboss(place, "down", "--json"))
    assert (found["ending"], found["exit_code"], found["mutations"], found["run"]) == ("converged", 0, 0, "")
    assert shiftboss(place, "down", "-q").stdout == ""
    assert shiftboss(place, "down", "nosuchpart").returncode == 2
    assert list(place.iterdir()) == []


def test_a_variable_that_is_misspelt_is_no_silent_default(place):
    result = no_traceback(shiftboss(place, "status", SHIFTBOSS_PORTS_RPC="1"))
    assert result.returncode == 2
    assert "SHIFTBOSS_PORTS__RPC" in result.stderr
