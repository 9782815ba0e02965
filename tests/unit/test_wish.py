"""Goals in words: the grammar as data, a model where it ends, and what must not be touched."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from demo.small import Driver, Part, hub_stack, ready, world_of
from scripted_mind import ScriptedMind
from shiftboss.app import Request, open_session
from shiftboss.brains.policy import PolicyBrain
from shiftboss.errors import BadInput, MindFailed
from shiftboss.model.events import Delegated, NotAdmitted
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Decision
from shiftboss.model.observation import Health
from shiftboss.model.run import Ending, Goal, Want
from shiftboss.model.wish import Wanted, read_wish
from shiftboss.wishing import Understood, goal_of_prompt, understand

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "wishes.yaml").read_text())
PARTS = ["daemon", "wallet", "pool", "pool.config", "miner", "cycle"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["says"] or "nothing")
def test_words_mean_what_the_case_says(case: dict):
    wish = read_wish(case["says"], PARTS, ["cycle"])
    assert list(wish.unclear) == case.get("unclear", [])
    if "means" in case:
        assert str(wish) == case["means"]


@given(st.text(max_size=200))
def test_whatever_is_said_only_known_parts_are_named_and_none_is_both_wanted_and_untouched(text: str):
    wish = read_wish(text, PARTS, ["cycle"])
    assert set(wish.components) | set(wish.untouched) <= set(PARTS)
    if wish.want is Wanted.RESET:
        assert "reset" in text.lower() or "wipe" in text.lower() or "start" in text.lower()


def session(tmp_path: Path, *sets: str):
    return open_session(Request(workdir=tmp_path / "w", sets=sets, environ={}, cwd=tmp_path))


class Asking:
    """A session whose model is a scripted one."""

    def __init__(self, inner, mind: ScriptedMind) -> None:
        self.stack, self.settings, self._mind = inner.stack, inner.settings, mind

    def mind(self) -> ScriptedMind:
        return self._mind


def understood(tmp_path: Path, words: str, *answers, brain: str = "llm") -> Understood:
    return asyncio.run(understand(Asking(session(tmp_path), ScriptedMind(*answers)), words, brain))


def test_a_model_reads_what_the_grammar_can_not(tmp_path: Path):
    said = {"decision": "restart", "components": ["pool"], "untouched": ["daemon"], "reasoning": "the pool is stuck"}
    found = understood(tmp_path, "give the pool a kick, hands off bitcoind", said)
    assert str(found.wish) == "restart pool; not to be touched: daemon"
    (asked,) = found.asked
    assert (asked.purpose, asked.verdict, asked.reasoning) == ("goal", "followed", "the pool is stuck")


def test_what_the_grammar_understands_asks_no_model(tmp_path: Path):
    assert understood(tmp_path, "only the pool", MindFailed("failed", "never asked")).asked == ()


REFUSED = [
    {"decision": "unclear"},
    {"decision": "reset"},
    {"decision": "up", "components": ["pool", "rm -rf"]},
    {"decision": "up", "components": ["pool"], "untouched": ["pool"]},
    {"decision": "down --purge"},
    {},
    MindFailed("late", "no answer"),
]


@pytest.mark.parametrize("answer", REFUSED, ids=str)
def test_a_model_can_not_wish_for_what_is_not_in_the_form(tmp_path: Path, answer):
    with pytest.raises(BadInput):
        understood(tmp_path, "do what you think is right", answer)


def test_the_policy_brain_says_what_it_does_not_understand(tmp_path: Path):
    with pytest.raises(BadInput, match="'make coffee' is not understood"):
        understood(tmp_path, "make coffee", brain="policy")


def test_a_prompt_may_say_more_than_a_goal(tmp_path: Path):
    opened = session(tmp_path)
    assert goal_of_prompt(opened, "Please read the plan, then build.") == Goal(
        words="Please read the plan, then build."
    )
    assert goal_of_prompt(opened, "only the pool").components == ("pool",)


# -- what must not be touched ------------------------------------------------------------------------------------

CHAIN = {"a": (), "b": ("a",), "c": ()}


def driven(tmp_path: Path, goal: Goal, brain=None, **parts: Part) -> tuple[Ending, Driver]:
    stack = hub_stack(CHAIN)
    driver = Driver(stack, world_of(stack, **parts), tmp_path, goal=goal, brain=brain)
    return asyncio.run(driver.run()), driver


DIED = Part(health=Health.BROKEN, failure=FailureKind.DIED, summary="it died")


def test_what_works_and_must_not_be_touched_is_no_obstacle(tmp_path: Path):
    ending, driver = driven(tmp_path, Goal(untouched=("a",)), a=ready(), b=DIED)
    assert ending is Ending.CONVERGED
    assert {order.component for order in driver.of(Delegated)} == {"b", "c"}
    driver.close()


@pytest.mark.parametrize("part", [Part(), DIED, Part(health=Health.BROKEN, summary="odd")], ids=["gone", "died", "odd"])
def test_what_is_broken_and_must_not_be_touched_stays_so(tmp_path: Path, part: Part):
    ending, driver = driven(tmp_path, Goal(untouched=("a",)), a=part)
    assert ending is Ending.ESCALATED
    assert "a" not in {order.component for order in driver.of(Delegated)}
    assert driver.world.parts["e/a"] == part
    driver.close()


def test_what_is_only_starting_is_waited_for(tmp_path: Path):
    coming = Part(health=Health.STARTING, summary="starting", later=(1_000_003.0, ready()))
    ending, driver = driven(tmp_path, Goal(untouched=("a",)), a=coming)
    assert ending is Ending.CONVERGED
    driver.close()


def test_down_leaves_it_and_what_it_stands_on(tmp_path: Path):
    ending, driver = driven(tmp_path, Goal(want=Want.DOWN, untouched=("b",)), a=ready(1), b=ready(2), c=ready(3))
    assert ending is Ending.CONVERGED
    assert {key: part.health for key, part in driver.world.parts.items()} == {
        "e/a": Health.READY,
        "e/b": Health.READY,
        "e/c": Health.ABSENT,
    }
    driver.close()


class Reckless:
    """A brain that asks for what it was told not to touch; the hub has the last word."""

    name = "reckless"

    async def decide(self, situation):
        decision = await PolicyBrain().decide(replace(situation, goal=Goal()))
        extra = ("e/a/ensure", "e/a/recover/restart_one")
        return Decision(moves=(*extra, *(decision.moves if decision else ())), reasoning="", source=self.name)


def test_the_hub_admits_nothing_against_it(tmp_path: Path):
    ending, driver = driven(tmp_path, Goal(untouched=("a",)), brain=Reckless(), a=DIED)
    assert ending is Ending.ESCALATED
    assert "a" not in {order.component for order in driver.of(Delegated)}
    assert {event.move for event in driver.of(NotAdmitted)} >= {"e/a/ensure"}
    driver.close()
