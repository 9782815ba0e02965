"""The brain that asks a model: what it may see and choose, who decides when its answer can't be used, what is kept."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.small import STRATEGIES, Driver, Part, World, hub_stack, ready, world_of
from scripted_mind import ScriptedMind, options, pick
from shiftboss.brains.llm import LlmBrain
from shiftboss.brains.question import WAIT
from shiftboss.contracts import Mind
from shiftboss.engine.report import Surroundings, build
from shiftboss.errors import MindFailed
from shiftboss.frontends.report_text import text_lines
from shiftboss.minds.recording import RecordingMind, ReplayMind
from shiftboss.model.events import Consulted, Decided, Delegated, NotAdmitted, NoteAdded, NoteAddressed
from shiftboss.model.failure import FailureKind
from shiftboss.model.mind import Allowance, Question, Usage
from shiftboss.model.move import Risk
from shiftboss.model.observation import Health
from shiftboss.model.recovery import Strategy
from shiftboss.model.run import Ending

CHAIN = {"a": (), "b": ("a",), "c": ("a",)}
PLENTY = Allowance(calls=1000, tokens=10**9, money=10**6)


def driven(folder: Path, mind: Mind, requires=None, allowance=PLENTY, **more) -> Driver:
    folder.mkdir(exist_ok=True)
    stack = more.pop("stack", None) or hub_stack(requires or CHAIN)
    world = more.pop("world", None) or world_of(stack)
    brain = LlmBrain(mind, allowance=allowance, seconds=30.0)
    return Driver(stack, world, folder, brain=brain, **more)


def run(driver: Driver) -> Ending:
    try:
        return asyncio.run(driver.run())
    finally:
        driver.seen = driver.events()
        driver.close()


def of(driver: Driver, kind: type) -> list:
    return [record.event for record in driver.seen if isinstance(record.event, kind)]


def test_the_model_chooses_and_the_journal_says_what_the_policy_would_have_done(tmp_path: Path):
    mind = ScriptedMind(pick("e/c/"))
    driver = driven(tmp_path, mind)
    assert run(driver) is Ending.CONVERGED
    assert [(e.component) for e in of(driver, Delegated)] == ["a", "c", "b"]
    (asked,) = of(driver, Consulted)
    assert (asked.verdict, asked.chosen) == ("followed", ["e/c/ensure"])
    assert asked.policy == ["e/b/ensure", "e/c/ensure"]
    assert asked.tokens == 100
    sources = [event.source for event in of(driver, Decided)]
    assert sources == ["policy", "llm", "policy", "llm"], "one option is no question; what is reached is worked out"


def test_several_moves_at_once(tmp_path: Path):
    mind = ScriptedMind({"decision": "e/c/ensure", "also": ["e/b/ensure"], "reasoning": "both can start"})
    driver = driven(tmp_path, mind)
    assert run(driver) is Ending.CONVERGED
    assert [len(orders) for orders in driver.together if orders][:2] == [1, 2]
    assert "The model says: both can start" in of(driver, Decided)[1].reasoning


def test_one_legal_option_is_not_asked_about(tmp_path: Path):
    mind = ScriptedMind(pick("a"))
    driver = driven(tmp_path, mind, {"a": (), "b": ("a",), "c": ("b",)})
    assert run(driver) is Ending.CONVERGED
    assert mind.asked == []


FAILURES = [
    MindFailed("failed", "it can't be asked: no route"),
    MindFailed("late", "no answer within 30 s", Usage(calls=1, tokens=7)),
    MindFailed("refused", "the model refused: I would rather not"),
    MindFailed("unreadable", "its answer could not be read"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.verdict)
def test_without_a_usable_answer_the_policy_decides_and_both_stand_in_the_journal(tmp_path: Path, failure: MindFailed):
    driver = driven(tmp_path, ScriptedMind(failure))
    assert run(driver) is Ending.CONVERGED
    (asked,) = of(driver, Consulted)
    assert (asked.verdict, asked.chosen, asked.why) == (failure.verdict, [], str(failure))
    assert asked.policy == ["e/b/ensure", "e/c/ensure"]
    assert of(driver, Decided)[1].source == "policy"


def test_a_model_that_fails_again_and_again_is_given_up_for_the_run(tmp_path: Path):
    names = dict.fromkeys("abcdefgh", ())
    answers = [FAILURES[0], pick("x"), FAILURES[1], FAILURES[0], FAILURES[1], pick("x")]
    driver = driven(tmp_path, mind := ScriptedMind(*answers), names, parallel=1)
    assert run(driver) is Ending.CONVERGED
    asked = of(driver, Consulted)
    assert [one.verdict for one in asked] == ["failed", "followed", "late", "failed", "late"]
    assert "it is not asked in this run any more" in asked[-1].why
    assert len(mind.asked) == 5


@pytest.mark.parametrize("said", ["e/a/remove", "rm -rf /", "", "e/complete", "e/escalate", "x" * 10_000])
def test_an_answer_outside_the_options_is_never_followed(tmp_path: Path, said: str):
    driver = driven(tmp_path, ScriptedMind({"decision": said, "reasoning": "why not"}))
    assert run(driver) is Ending.CONVERGED
    (asked,) = of(driver, Consulted)
    assert (asked.verdict, asked.chosen) == ("unreadable", [])
    assert len(asked.why) < 200
    assert sorted(e.component for e in of(driver, Delegated)) == ["a", "b", "c"]


def test_a_clash_is_turned_down_by_the_hub_and_the_rest_goes_on(tmp_path: Path):
    stack = hub_stack({"a": (), "b": (), "c": ()}, locks=("one",))
    mind = ScriptedMind({"decision": "e/a/ensure", "also": ["e/b/ensure"], "reasoning": ""}, pick("c"))
    driver = driven(tmp_path, mind, stack=stack)
    assert run(driver) is Ending.CONVERGED
    assert [(e.source, e.move) for e in of(driver, NotAdmitted)][:1] == [("llm", "e/b/ensure")]


def wait_if_possible(question: Question):
    names = options(question)
    return {"decision": WAIT if WAIT in names else names[0], "also": [], "reasoning": "wait"}


def test_waiting_is_asked_about_once_and_not_again_and_again(tmp_path: Path):
    driver = driven(tmp_path, mind := ScriptedMind(wait_if_possible), {"a": (), "b": (), "c": ()})

    async def polled() -> Ending:
        driver.hub.reconcile(driver.world.look(driver.hub.probes_due()))
        first = await driver.one_turn(0, [])
        later = [await driver.one_turn(number, []) for number in range(1, 6)]  # as the runner does twice a second
        assert ([len(first)], later) == ([1], [[]] * 5)
        assert len(mind.asked) == 2, "nothing has changed while it waits"
        return await driver.run()

    assert asyncio.run(polled()) is Ending.CONVERGED
    assert [one.chosen == [WAIT] for one in driver.of(Consulted)][:2] == [False, True]
    driver.close()


def test_waiting_is_no_option_when_nothing_is_under_way(tmp_path: Path):
    mind = ScriptedMind({"decision": WAIT, "reasoning": "wait"})
    driver = driven(tmp_path, mind, {"a": (), "b": ()})
    assert run(driver) is Ending.CONVERGED
    assert WAIT not in options(mind.asked[0])
    assert of(driver, Consulted)[0].verdict == "unreadable"


SPENT = [
    (Allowance(calls=1, tokens=10**9, money=9), "calls"),
    (Allowance(calls=9, tokens=50, money=9), "tokens"),
    (Allowance(calls=9, tokens=10**9, money=0.0005), "money"),
]


@pytest.mark.parametrize(("allowance", "which"), SPENT, ids=str)
def test_a_spent_allowance_asks_nobody_any_more_also_after_a_restart(tmp_path: Path, allowance: Allowance, which: str):
    names = dict.fromkeys("abcdef", ())
    driver = driven(tmp_path, mind := ScriptedMind(pick("x")), names, allowance, parallel=1)
    assert run(driver) is Ending.CONVERGED
    assert len(mind.asked) == 1
    asked = of(driver, Consulted)
    assert [one.verdict for one in asked] == ["followed", *["spent"] * 4]
    assert f"brain.{which}" in asked[1].why
    again = Driver(
        hub_stack(names), world_of(hub_stack(names)), tmp_path, brain=LlmBrain(mind, allowance=allowance, seconds=1)
    )
    assert again.state.usage.calls == 1, "what was spent is read off the journal"
    again.close()


def test_the_question_holds_what_a_decision_needs(tmp_path: Path):
    stack = hub_stack({"a": (), "b": ()}, strategies=(*STRATEGIES, GENTLE, HARSH))
    world = world_of(stack, a=Part(health=Health.BROKEN, failure=FailureKind.DIED, summary="a ended with code 1"))
    driver = driven(tmp_path, mind := ScriptedMind(pick("harsh", "b")), stack=stack, world=world)
    driver.inbox = [NoteAdded(text="b is the urgent one")]
    world.script = {"e/a": ["fail:died"]}
    assert run(driver) is Ending.CONVERGED
    first = mind.asked[0]
    assert "a ended with code 1" in first.text
    assert "note 1 of the user: <<<b is the urgent one>>>" in first.text
    assert set(options(first)) >= {"e/a/recover/gentle", "e/a/recover/harsh", "e/b/ensure"}
    assert {field.name for field in first.fields} == {"decision", "also", "quotes", "addressed", "reasoning"}
    after = next(question for question in mind.asked if "tried harsh" in question.text)
    assert "tried harsh: failed, died <<<could not do it: died>>>" in after.text


def test_what_a_probe_went_by_is_shown_with_the_last_log_lines_and_without_secrets(tmp_path: Path):
    class Telling(World):
        def seen(self, key):
            log = [f"line {number}" for number in range(20)]
            evidence = {"exit_code": 1, "log": log, "config": "rpcpassword=hunter2", "more": {"deep": 1}}
            return super().seen(key).but(evidence=evidence if key == "e/a" else {})

    stack = hub_stack({"a": (), "b": ()})
    made = world_of(stack, a=Part(health=Health.BROKEN, failure=FailureKind.DIED, summary="a ended"))
    world = Telling(clock=made.clock, parts=made.parts)
    driver = driven(tmp_path, mind := ScriptedMind(pick("x")), stack=stack, world=world)
    assert run(driver) is Ending.CONVERGED
    lines = mind.asked[0].text.splitlines()
    assert "  evidence: <<<exit_code: 1, config: rpcpassword=[removed]>>>" in lines
    assert [line for line in lines if line.startswith("  log:")] == [f"  log: <<<line {n}>>>" for n in range(12, 20)]


def test_what_is_under_way_is_shown(tmp_path: Path):
    driver = driven(tmp_path, mind := ScriptedMind(pick("c")), {"a": (), "b": (), "c": ()})

    async def twice() -> None:
        driver.hub.reconcile(driver.world.look(driver.hub.probes_due()))
        await driver.one_turn(0, [])
        await driver.one_turn(1, [])

    asyncio.run(twice())
    assert "UNDER WAY\n- e/c: ensure" in mind.asked[1].text
    driver.close()


GENTLE = Strategy(name="gentle", rung="retry", treats={FailureKind.DIED}, what="ask it kindly")
HARSH = Strategy(
    name="harsh", rung="restart_rest", treats={FailureKind.DIED}, risk=Risk.DISRUPTIVE, what="start all again"
)


def test_the_model_picks_the_strategy_and_cites_only_what_it_was_shown(tmp_path: Path):
    stack = hub_stack({"a": ()}, strategies=(GENTLE, HARSH))
    world = world_of(stack, a=Part(health=Health.BROKEN, failure=FailureKind.DIED, summary="block 7 is bad"))
    answer = {"decision": "e/a/recover/harsh", "quotes": ["block 7   is bad", "made up line"], "reasoning": "the block"}
    driver = driven(tmp_path, ScriptedMind(answer), stack=stack, world=world)
    assert run(driver) is Ending.CONVERGED
    assert of(driver, Delegated)[0].strategy == "harsh"
    assert of(driver, Consulted)[0].quotes == ["block 7   is bad"]


def test_a_note_is_shown_until_it_is_addressed(tmp_path: Path):
    names = dict.fromkeys("abcd", ())
    answers = [pick("x"), lambda question: {**pick("x")(question), "addressed": ["note 1", "note 9"]}, pick("x")]
    driver = driven(tmp_path, mind := ScriptedMind(*answers), names, parallel=1)
    driver.inbox = [NoteAdded(text="hurry"), NoteAdded(text="gently")]
    assert run(driver) is Ending.CONVERGED
    assert ["hurry" in question.text for question in mind.asked] == [True, True, False]
    assert all("gently" in question.text for question in mind.asked)
    assert [(e.note, e.by) for e in of(driver, NoteAddressed)] == [(1, "llm brain")]


def test_options_stand_in_another_order_than_the_policys_and_always_in_the_same(tmp_path: Path):
    names = {f"part{number}": () for number in range(8)}
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    orders = []
    for folder in ("1", "2"):
        driver = driven(tmp_path / folder, mind := ScriptedMind(pick("x")), names, parallel=1)
        run(driver)
        orders.append([options(question) for question in mind.asked])
    assert orders[0] == orders[1]
    assert any(list(shown) != sorted(shown) for shown in orders[0])


def test_a_slow_model_does_not_make_old_answers_good_enough_to_end_on(tmp_path: Path):
    class Slow(ScriptedMind):
        async def ask(self, question, seconds):
            driver.clock.time += 20.0
            return await super().ask(question, seconds)

    stack = hub_stack({"a": (), "b": ()})
    world = world_of(stack, ("e", "f"), a=ready())
    world.parts["f/a"] = world.parts["f/b"] = ready(2)
    world.parts["e/a"] = world.parts["e/b"] = Part()
    driver = driven(tmp_path, Slow(pick("x")), stack=stack, world=world, environments=("e", "f"), parallel=1)
    assert run(driver) is Ending.CONVERGED


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_model_answers_only_legal_things_happen_and_the_run_ends(tmp_path_factory, data: st.DataObject):
    """Random answers, in the options and out of them, on a world where things go wrong."""
    stack = hub_stack({"a": (), "b": ("a",), "c": ("a",)}, strategies=(*STRATEGIES, GENTLE, HARSH))
    world = world_of(stack)
    words = st.sampled_from(["ok", "fail:died", "crash", "lie", "start", "flap", "harm:died"])
    world.script = {f"e/{name}": data.draw(st.lists(words, max_size=4)) for name in "abc"}

    def answer(question: Question):
        names = options(question)
        anything = st.one_of(st.sampled_from(names), st.text(max_size=5), st.just("e/complete"))
        return {
            "decision": data.draw(anything),
            "also": data.draw(st.lists(anything, max_size=3)),
            "reasoning": "so",
            "addressed": ["note 3"],
        }

    driver = driven(tmp_path_factory.mktemp("any"), ScriptedMind(answer), stack=stack, world=world)
    ending = run(driver)
    assert ending in {Ending.CONVERGED, Ending.ESCALATED, Ending.EXHAUSTED}
    if ending is Ending.CONVERGED:
        assert {key: part.health for key, part in world.parts.items()} == dict.fromkeys(world.parts, Health.READY)
    for asked in of(driver, Consulted):
        assert set(asked.chosen) <= set(asked.options)


def test_a_run_is_repeated_from_a_recording_without_asking_anybody(tmp_path: Path):
    names, said = dict.fromkeys("abcdef", ()), tmp_path / "said"
    first = driven(tmp_path / "1", RecordingMind(mind := ScriptedMind(pick("d", "b")), said), names, run="r1")
    assert run(first) is Ending.CONVERGED
    assert mind.asked
    again = driven(tmp_path / "2", ReplayMind(said), names, run="r2")
    assert run(again) is Ending.CONVERGED
    before, after = of(first, Consulted), of(again, Consulted)
    assert [e.component for e in of(again, Delegated)] == [e.component for e in of(first, Delegated)]
    assert [(one.verdict, one.replayed) for one in after] == [("followed", True)] * len(before)
    assert [one.options for one in after] != [one.options for one in before], "shuffled anew"


def test_whoever_reads_the_report_is_told_which_model_was_asked(tmp_path: Path):
    driver = driven(tmp_path, ScriptedMind(pick("b"), FAILURES[1]), {"a": (), "b": (), "c": ()}, parallel=1)
    run(driver)
    nowhere = Surroundings(versions={}, paths={}, log_tails={}, suggestions=())
    report = build("e", "why", driver.state, {}, nowhere)
    assert report["models"] == {"test:scripted": "asked 2 times: 1 followed, 1 late"}
    assert "- model test:scripted: asked 2 times: 1 followed, 1 late" in list(text_lines(report))


def test_a_question_stays_of_a_size_whatever_the_stack(tmp_path: Path):
    names = {f"c{number}": () for number in range(2000)}
    parts = {f"c{number}": ready(number) for number in range(1000)}
    stack = hub_stack(names)
    driver = driven(tmp_path, mind := ScriptedMind(pick("x")), stack=stack, world=world_of(stack, **parts))
    asyncio.run(driver.one_turn(0, driver.world.look(driver.hub.probes_due())))
    assert len(mind.asked[0].text) < 12_000
    assert len(options(mind.asked[0])) <= 25
    assert "- and 970 more" in mind.asked[0].text
    driver.close()
