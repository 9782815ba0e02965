"""Comparing brains: whatever a brain says, the rules hold; and what is counted is what was done."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from shiftboss.brains.policy import PolicyBrain
from shiftboss.chaos.baselines import makers
from shiftboss.chaos.brain_count import score_of
from shiftboss.chaos.brain_files import markdown, plain, table
from shiftboss.chaos.brain_score import BASELINES, compare, play, with_choice
from shiftboss.chaos.brain_watch import BrainRun, Watched, keywords
from shiftboss.chaos.simulator import Simulator
from shiftboss.chaos.simulator_cases import Cases
from shiftboss.model.events import Delegated, Recorded
from shiftboss.model.move import Decision
from shiftboss.packs.mining.faults.catalogue import FAULTS
from shiftboss.packs.mining.pack import PACK

SEED, RUNS = 4, 60


class Lying:
    """Says what its function makes of a situation; its source is a lie too."""

    def __init__(self, say, name="liar", source="policy"):
        self.name, self._say, self._source = name, say, source

    async def decide(self, situation):
        await asyncio.sleep(0)
        moves = tuple(self._say(situation))
        return Decision(moves=moves, reasoning="because I say so", source=self._source)


LIES = {
    "nothing": lambda _situation: [],
    "made up": lambda _situation: ["sim/daemon/explode", "", "nowhere/x/ensure", "sim"],
    "all is well": lambda _situation: ["sim/complete"],
    "call a person": lambda _situation: ["sim/escalate"],
    "everything at once": lambda situation: [move.id for move in situation.legal] * 2,
    "everything backwards": lambda situation: [move.id for move in situation.legal][::-1],
    "what is under way": lambda situation: [f"{key}/ensure" for key in situation.in_flight] or ["sim/pool/ensure"],
    "end and go on": lambda situation: ["sim/complete", *(m.id for m in situation.legal), "sim/escalate"],
}


@pytest.fixture(scope="module")
def by_rule() -> list[BrainRun]:
    return play(PACK, PolicyBrain, seed=SEED, numbers=range(RUNS))


@pytest.mark.parametrize("say", LIES.values(), ids=LIES)
def test_a_brain_that_lies_gets_nothing_wrong_endless_or_illegal_done(say):
    score = score_of("liar", play(PACK, lambda: Lying(say), seed=SEED, numbers=range(RUNS)))
    assert (score.wrong, score.endless, score.illegal) == (0, 0, 0)
    assert score.safe


def test_where_nothing_of_a_choice_is_legal_the_policy_takes_over(by_rule):
    made_up = score_of("liar", play(PACK, lambda: Lying(LIES["made up"]), seed=SEED, numbers=range(RUNS)))
    assert made_up.taken_over == made_up.decisions
    assert made_up.refused == 4 * made_up.decisions
    assert (made_up.right, made_up.ratio) == (score_of("policy", by_rule).right, score_of("policy", by_rule).ratio)


def test_a_brain_that_says_nothing_mends_nothing():
    score = score_of("mute", play(PACK, lambda: Lying(LIES["nothing"]), seed=SEED, numbers=range(RUNS)))
    assert score.right < score.counted / 2
    assert score.refused == 0


@pytest.mark.parametrize("name", [name for name in BASELINES if name != "policy"])
def test_a_baseline_chooses_only_what_is_admitted(name, by_rule):
    runs = play(PACK, makers(SEED, Counter(keywords(by_rule)))[name], seed=SEED, numbers=range(RUNS))
    score = score_of(name, runs)
    assert (score.refused, score.taken_over, score.safe) == (0, 0, True)
    assert 0 < score.same < score.choices


def test_the_same_seed_gives_the_same_comparison():
    found = [compare(PACK, BASELINES, seed=SEED, runs=20) for _ in range(2)]
    one, other = ([score.but(seconds=0.0, slow=0.0) for score in scores] for scores in found)
    assert one == other
    assert [score.name for score in one] == list(BASELINES)
    assert {score.runs for score in one} == {20}


def test_baselines_of_another_seed_choose_otherwise():
    runs = [play(PACK, makers(seed, Counter())["random-legal"], seed=SEED, numbers=range(RUNS)) for seed in (1, 2)]
    one, other = ([run.judged.how for run in found] for found in runs)
    assert one != other


def test_a_model_plays_the_first_cases_that_leave_a_choice(by_rule):
    scores = compare(PACK, ["policy"], seed=SEED, runs=RUNS, models={"llm": PolicyBrain}, model_runs=5)
    few = with_choice(by_rule, 5)
    assert len(few) == 5
    assert all(any(asked.choice for asked in by_rule[number].asked) for number in few)
    assert [(score.name, score.runs, score.part) for score in scores] == [
        ("policy", RUNS, False),
        ("policy", 5, True),
        ("llm", 5, True),
    ]
    assert scores[1].but(name="llm", seconds=0.0, slow=0.0) == scores[2].but(seconds=0.0, slow=0.0)


def test_a_brain_that_really_waits_makes_the_same_runs(tmp_path: Path):
    class Slow(PolicyBrain):
        async def decide(self, situation):
            await asyncio.sleep(0.0001)
            return await super().decide(situation)

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    simulators = [Simulator(PACK, tmp_path / "a"), Simulator(PACK, tmp_path / "b", brain=Slow)]
    one, other = ([each.play(Cases(FAULTS, SEED).case(n)) for n in range(20)] for each in simulators)
    for each in simulators:
        each.close()
    assert one == other


def test_a_brain_that_waits_is_refused_where_there_is_no_loop(tmp_path: Path):
    simulator = Simulator(PACK, tmp_path)
    simulator.brain = lambda: Lying(LIES["nothing"])
    with pytest.raises(TypeError, match="decides at once"):
        simulator.play(Cases(FAULTS, SEED).case(0))
    simulator.close()


def test_an_order_that_was_not_shown_counts_as_illegal(by_rule):
    watched = Watched(PolicyBrain())
    order = Delegated(
        id="r/0/0",
        environment="sim",
        component="daemon",
        agent="x",
        mode="recover",
        strategy="explode",
        keyword="x",
        attempt=1,
        deadline=1.0,
    )
    watched.hear(Recorded(seq=1, run="r", at=0.0, event=order))
    run = watched.run(by_rule[0].judged)
    assert run.illegal == ("sim/daemon/recover/explode",)
    assert not score_of("x", [run]).safe


def test_the_table_keeps_to_eighty_columns_and_says_what_the_numbers_mean():
    scores = compare(PACK, BASELINES, seed=SEED, runs=20, models={"llm": PolicyBrain}, model_runs=3)
    text = table(scores, SEED)
    assert max(map(len, text.splitlines())) <= 80
    assert "shuffled" in text
    assert "Only cases that leave a choice" in text
    assert markdown(scores, SEED).count("\n| policy |") == 2
    assert plain(scores[0])["safe"] is True
