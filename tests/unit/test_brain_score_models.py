"""What is counted of models: out of events, of a journal or of simulated runs; and the verb that shows it."""

import json
from pathlib import Path

import pytest

from command import document, shiftboss
from shiftboss.app import STORE
from shiftboss.chaos.brain_count import answers_of, ninth
from shiftboss.chaos.brain_files import told
from shiftboss.chaos.brain_model import Purse, left, maker
from shiftboss.chaos.brain_score import compare, play
from shiftboss.errors import MindFailed
from shiftboss.model.events import Consulted, RunStarted
from shiftboss.model.mind import Allowance, FieldKind, Reply, Usage
from shiftboss.packs.mining.pack import PACK
from shiftboss.store.database import Database
from shiftboss.store.journal import Journal

PLENTY = Allowance(calls=1000, tokens=10**6, money=1.0)


def asked(chosen, policy, verdict="followed", **more):
    options = ["regtest/pool/ensure", "regtest/daemon/ensure"]
    usage = {"calls": 1, "tokens": 100, "money": 0.001, "seconds": 2.0}
    return Consulted(
        purpose="decide", model="m", verdict=verdict, options=options, chosen=chosen, policy=policy, **{**usage, **more}
    )


STARTED = RunStarted(pack="mining", pipeline="p", brain="llm", goal={}, environments=["regtest"])
POOL, DAEMON = ["regtest/pool/ensure"], ["regtest/daemon/ensure"]
EVENTS = [
    asked(POOL, POOL, seconds=1.0),
    asked(DAEMON, POOL, verdict="beside", seconds=5.0),
    asked([*DAEMON, *POOL], [*POOL, *DAEMON], seconds=3.0),
    asked([], POOL, verdict="late", seconds=0.0),
    asked([], POOL, verdict="late", seconds=0.0),
    Consulted(purpose="work", model="m", verdict="followed", tokens=10**9),
]


def test_answers_are_counted_by_model():
    (found,) = answers_of(EVENTS)
    assert (found.asked, found.answered, found.same) == (5, 3, 2)
    assert found.verdicts == {"late": 2, "followed": 2, "beside": 1}
    assert (found.seconds, found.slow) == (3.0, 5.0)
    assert (found.calls, found.tokens, round(found.money, 6)) == (5, 500, 0.005)
    assert (found.first, found.lot_first, found.lot) == (1, 1.5, 1.0)
    assert "Of 3 usable (different questions: 2) 2 (67%) choose" in told(found)
    assert "by lot it would be 1.0; 1 name the first option shown, by lot 1.5." in told(found)


def test_models_are_told_apart():
    assert [one.model for one in answers_of([*EVENTS, EVENTS[0].but(model="a")])] == ["a", "m"]


def test_nine_of_ten():
    assert ninth([]) == 0.0
    assert ninth([7.0]) == 7.0
    assert ninth([float(n) for n in range(1, 11)]) == 9.0


class FirstOption:
    """A mind that names the first option, as small models like to."""

    name = "first:option"

    def __init__(self, failing=False):
        self.asked = 0
        self._failing = failing

    async def ask(self, question, seconds):
        self.asked += 1
        usage = Usage(calls=1, tokens=500, money=0.01)
        if self._failing:
            raise MindFailed("late", "no answer", usage)
        values = {one.name: one.options[0] for one in question.fields if one.kind is FieldKind.CHOICE}
        return Reply(values=values, model=self.name, usage=usage, seconds=0.5)


def test_a_model_that_is_played_is_counted():
    mind = FirstOption()
    score = compare(PACK, ["policy"], seed=1, runs=40, models={"llm": maker(mind, PLENTY, 1.0)}, model_runs=8)[-1]
    (model,) = score.models
    assert score.safe
    assert (model.model, model.asked, model.first) == ("first:option", mind.asked, mind.asked)
    assert mind.asked >= 8
    assert score.same < score.choices


def test_where_the_model_fails_the_policy_decides():
    models = {"llm": maker(FirstOption(failing=True), PLENTY, 1.0)}
    scores = compare(PACK, ["policy"], seed=1, runs=40, models=models, model_runs=8)
    (model,) = scores[-1].models
    assert model.verdicts == {"late": model.asked}
    assert (scores[-1].same, scores[-1].ratio) == (scores[-1].choices, scores[-2].ratio)


def test_one_purse_holds_for_all_runs():
    mind = FirstOption()
    models = {"llm": maker(mind, PLENTY.but(money=0.035), 1.0)}
    score = compare(PACK, [], seed=1, runs=40, models=models, model_runs=8)[-1]
    assert mind.asked == 4
    assert score.models[0].verdicts["spent"] == score.models[0].asked - 4


async def _ask(purse):
    with pytest.raises(MindFailed):
        await purse.ask(None, 1.0)


def test_what_a_failed_answer_cost_is_counted():
    import asyncio

    purse = Purse(FirstOption(failing=True))
    asyncio.run(_ask(purse))
    assert purse.used.tokens == 500
    assert left(Allowance(calls=1, tokens=100, money=1.0), purse.used) == Allowance(calls=0, tokens=0, money=0.99)


def test_the_same_question_comes_in_several_orders():
    runs = play(PACK, maker(FirstOption(), PLENTY, 1.0), seed=1, numbers=range(80))
    events = [event for run in runs for asked_ in run.asked for event in asked_.consulted]
    orders = {}
    for event in events:
        orders.setdefault(frozenset(event.options), set()).add(tuple(event.options))
    assert any(len(found) > 1 for found in orders.values())
    assert all(event.chosen == event.options[:1] for event in events)


# -- the verb -----------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder whose working directory has a journal in which a model was asked."""
    home = tmp_path / ".shiftboss"
    home.mkdir()
    database = Database(home / STORE)
    Journal(database).append("r1", 1.0, [STARTED, *EVENTS])
    database.close()
    return tmp_path


def test_compare_counts_over_the_journals(place: Path):
    got = shiftboss(place, "brains", "compare")
    assert got.returncode == 0, got.stderr
    assert "m: asked 5 times: 2 followed, 2 late, 1 beside." in " ".join(got.stdout.split())
    assert max(map(len, got.stdout.splitlines())) <= 80
    (model,) = document(shiftboss(place, "brains", "compare", "--json"))["models"]
    assert (model["asked"], model["same"], model["verdicts"]["late"]) == (5, 2, 2)


def test_compare_on_the_simulated_stack(tmp_path: Path):
    words = ("brains", "compare", "--simulated", "--runs", "5", "--brain", "policy,first-legal")
    assert "first-legal" in shiftboss(tmp_path, *words).stdout
    found = document(shiftboss(tmp_path, *words, "--json"))
    assert [one["name"] for one in found["brains"]["scores"]] == ["policy", "first-legal"]
    assert not (tmp_path / ".shiftboss").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--brain", "oracle"), "there is no brain 'oracle' to compare"),
        (("--brain", ","), "no brain is named"),
        (("--brain", "llm"), "no model is set"),
        (("--runs", "0"), "--runs 0: there is nothing to run"),
    ],
)
def test_what_cant_be_compared_is_said(tmp_path: Path, words, said):
    got = shiftboss(tmp_path, "brains", "compare", "--simulated", *words)
    assert got.returncode == 2
    assert said in got.stderr


def test_documents_hold_plain_values(tmp_path: Path):
    found = document(shiftboss(tmp_path, "brains", "compare", "--simulated", "--runs", "3", "--json"))
    assert json.dumps(found)
    assert found["models"] == []
