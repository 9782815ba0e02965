"""Which strategies may be tried, in which order: blast radius, budgets, rung, what earlier runs taught, consent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.small import hub_stack
from shiftboss.engine.ladder import SAME_RUNG, Budget, Terms, Undoable, ladder
from shiftboss.engine.moves import options_for
from shiftboss.engine.trouble import Trouble
from shiftboss.model.consent import Answer, Consent, act_of, rules_for
from shiftboss.model.failure import FailureKind, signature
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.lesson import Lesson, by_experience
from shiftboss.model.move import Mode, Risk
from shiftboss.model.recovery import Attempt, Strategy

DAMAGED, DIED = FailureKind.DATA_DAMAGED, FailureKind.DIED
GENTLE = Strategy(name="gentle", rung="reload", treats={DAMAGED, DIED}, uses=3, what="ask it to read again")
AGAIN = Strategy(name="again", rung="restart_one", treats={DAMAGED, DIED}, risk=Risk.DISRUPTIVE, what="start it again")
REPAIR = Strategy(name="repair", rung="repair_data", treats={DAMAGED, DIED}, risk=Risk.DISRUPTIVE, what="mend its data")
RESET = Strategy(
    name="reset",
    rung="reset_environment",
    treats={DAMAGED, DIED},
    risk=Risk.DESTRUCTIVE,
    uses=9,
    most=2,
    what="begin anew",
)
PUSH = Strategy(name="push", rung="restart_rest", treats={DAMAGED, DIED}, risk=Risk.FOREIGN, what="push another away")
LADDER = (GENTLE, AGAIN, PUSH, REPAIR, RESET)
STACK = hub_stack({"part": ()}, strategies=LADDER)
WHY = "it is gone"
SIGN = signature("part", DAMAGED, WHY)
TROUBLE = Trouble(kind=DAMAGED, signature=SIGN, message=WHY)
GAP = Gap(environment="e", component="part", kind=GapKind.BROKEN, why=WHY, failure=DAMAGED)


def treated(*strategies: str, ok: bool = True, lasted: bool = True) -> list[Attempt]:
    return [
        Attempt(
            delegation=f"r/{n}/0",
            component="part",
            keyword="delegate_recovery",
            mode=Mode.RECOVER,
            strategy=name,
            ok=ok,
            lasted=lasted,
            treated=SIGN,
        )
        for n, name in enumerate(strategies)
    ]


def order(*tried: str, **terms) -> list[str]:
    return [one.name for one in ladder("part", STACK.strategies, treated(*tried), TROUBLE, Terms(**terms))]


def test_the_gentlest_comes_first() -> None:
    assert order() == ["gentle", "again", "push", "repair", "reset"]


def test_the_third_identical_failure_changes_the_rung() -> None:
    assert order("gentle")[0] == "gentle"
    assert order("gentle", "gentle")[0] == "again", "although gentle may be used three times"


def test_a_strategy_has_a_limit_of_its_own_per_environment() -> None:
    assert "reset" in order(used={"reset": 1})
    assert "reset" not in order(used={"reset": 2})


@pytest.mark.parametrize("budget", [Budget(attempts=9, recoveries=0), Budget(attempts=9, recoveries=9, signature=1)])
def test_a_spent_budget_leaves_nothing(budget: Budget) -> None:
    assert order("gentle", budget=budget) == []


def lesson(strategy: str, lasted: int, failed: int = 0, seconds: float = 1.0) -> Lesson:
    return Lesson(signature=SIGN, strategy=strategy, lasted=lasted, failed=failed, seconds=seconds)


def taught(*lessons: Lesson) -> dict[str, dict[str, Lesson]]:
    return {SIGN: {one.strategy: one for one in lessons}}


def test_what_lasted_comes_first_the_next_time() -> None:
    assert order(lessons=taught(lesson("reset", 1)))[:2] == ["reset", "gentle"]


def test_of_what_lasted_the_best_rate_per_second_comes_first() -> None:
    known = taught(lesson("reset", 5, seconds=1.0), lesson("repair", 5, seconds=9.0))
    assert order(lessons=known)[:2] == ["reset", "repair"]


def test_memory_is_not_asked_about_failures_with_many_causes() -> None:
    """That a reset helped against some crash is no reason to begin the next one with it."""
    sign = signature("part", DIED, WHY)
    died = Trouble(kind=DIED, signature=sign, message=WHY)
    known = {sign: {"reset": lesson("reset", 9), "gentle": lesson("gentle", 0, 9)}}
    assert [s.name for s in ladder("part", LADDER, [], died, Terms(lessons=known))] == [s.name for s in LADDER]


def test_on_the_highest_rung_there_is_what_worked_for_a_while_is_done_again() -> None:
    only = (AGAIN.but(uses=5),)
    tried = treated("again", "again", "again")
    assert [s.name for s in ladder("part", only, tried, TROUBLE, Terms())] == ["again"]
    assert ladder("part", only, treated(*["again"] * 5), TROUBLE, Terms()) == []


def test_ties_go_to_the_smaller_radius() -> None:
    assert order(lessons=taught(lesson("reset", 5), lesson("repair", 5)))[:2] == ["repair", "reset"]


def test_what_failed_twice_goes_last_and_once_is_no_verdict() -> None:
    assert order(lessons=taught(lesson("gentle", 0, 1)))[0] == "gentle"
    assert order(lessons=taught(lesson("gentle", 0, 2)))[-1] == "gentle"


@given(st.lists(st.tuples(st.sampled_from([s.name for s in LADDER]), st.integers(0, 4), st.integers(0, 4))))
def test_experience_changes_the_order_and_nothing_else(told: list[tuple[str, int, int]]) -> None:
    lessons = {name: lesson(name, lasted, failed) for name, lasted, failed in told}
    assert sorted(s.name for s in by_experience(LADDER, lessons)) == sorted(s.name for s in LADDER)
    unknown = [s.name for s in by_experience(LADDER, lessons) if s.name not in lessons]
    assert unknown == [s.name for s in LADDER if s.name not in lessons]


@given(st.lists(st.sampled_from([s.name for s in LADDER]), max_size=12))
def test_no_rung_is_used_more_than_twice_for_the_same_failure(tried: list[str]) -> None:
    """Whatever was tried: what may come next stands above every rung that has been used up."""
    rungs = {s.name: s.radius for s in LADDER}
    worn = {rungs[name] for name in tried if sum(rungs[one] == rungs[name] for one in tried) >= SAME_RUNG}
    used_up, left = max(worn, default=-1), ladder("part", LADDER, treated(*tried), TROUBLE, Terms())
    assert all(s.radius >= used_up for s in left)
    assert not any(s.radius == used_up for s in left) or all(s.radius == used_up for s in left), "the highest there is"


def legal(*tried: str, **terms) -> list[str]:
    return [m.strategy or m.mode for m in options_for(GAP, STACK, treated(*tried), Terms(**terms), waited=0).moves]


def test_without_consent_nothing_foreign_is_offered() -> None:
    assert "push" not in legal()
    allowed = Consent(rules=rules_for("regtest", {Risk.FOREIGN: Answer.ALLOW}))
    assert "push" in legal(consent=allowed)


@pytest.mark.parametrize(("chain", "there"), [("regtest", True), ("testnet4", False), ("main", False)])
def test_data_is_moved_aside_without_asking_on_regtest_only(chain: str, there: bool) -> None:
    assert ("reset" in legal(consent=Consent(rules=rules_for(chain, {})))) == there


WORN = ("gentle", "gentle", "again", "again", "repair", "repair")


def test_when_only_what_needs_consent_is_left_a_person_is_asked_for_exactly_that() -> None:
    terms = Terms(
        consent=Consent(rules=rules_for("testnet4", {})), budget=Budget(attempts=9, recoveries=9, signature=9)
    )
    options = options_for(GAP, STACK, treated(*WORN), terms, waited=0)
    assert not options.moves
    assert [ask.move.strategy for ask in options.asks] == ["reset"]
    act = options.asks[0].act
    yes = terms.but(consent=terms.consent.but(approved=frozenset({act})))
    assert [m.strategy for m in options_for(GAP, STACK, treated(*WORN), yes, waited=0).moves] == ["reset"]
    no = terms.but(consent=terms.consent.but(denied=frozenset({act})))
    refused = options_for(GAP, STACK, treated(*WORN), no, waited=0)
    assert not refused.moves
    assert not refused.asks
    assert "denied" in (refused.hopeless or "")


def test_an_approval_is_of_no_use_where_the_class_is_denied_or_for_another_act() -> None:
    reset = options_for(GAP, STACK, [], Terms(), waited=0).moves[-1]
    act = act_of(reset, SIGN)
    main = Consent(rules=rules_for("main", {}), approved=frozenset({act}))
    assert main.to(reset, SIGN) is Answer.DENY
    asking = Consent(rules=rules_for("signet", {}), approved=frozenset({act}))
    assert asking.to(reset, SIGN) is Answer.ALLOW
    for other in (
        reset.but(component="other"),
        reset.but(environment="f"),
        reset.but(strategy="worse"),
        reset.but(touches=("wallet",)),
        reset.but(mode=Mode.ENSURE),
        reset.but(target="4711 python3"),
    ):
        assert asking.to(other, SIGN) is Answer.ASK
    assert asking.to(reset, "another/failure") is Answer.ASK


def test_who_would_be_ended_is_part_of_the_act_and_of_the_question() -> None:
    """Another process that took the place of the one approved is asked for anew."""
    worn = treated("gentle", "gentle", "again", "again", "repair", "repair", "reset")
    terms = Terms(budget=Budget(attempts=9, recoveries=9, signature=9), used={"reset": 2})
    asked = []
    for target in ("17 bitcoind", "18 bitcoind"):
        options = options_for(GAP.but(target=target), STACK, worn[:2], terms.but(used={}), waited=0)
        assert "push" not in [move.strategy for move in options.moves]
        only = hub_stack({"part": ()}, strategies=(PUSH,))
        asked += options_for(GAP.but(target=target), only, [], terms, waited=0).asks
    assert [ask.what.rpartition(": ")[2] for ask in asked] == ["process 17 bitcoind", "process 18 bitcoind"]
    assert asked[0].act != asked[1].act


def test_nothing_riskier_is_done_past_a_gentler_move_that_asks_or_is_forbidden() -> None:
    for answer in (Answer.ASK, Answer.DENY):
        held = Terms(consent=Consent(rules=rules_for("regtest", {Risk.DISRUPTIVE: answer})))
        options = options_for(GAP, STACK, treated("gentle", "gentle"), held, waited=0)
        assert options.moves == (), "the reset is allowed, but a gentler way is not"


def test_what_failed_is_taken_back_before_anything_else_and_even_while_others_are_waited_for() -> None:
    undo = Undoable(delegation="r/3/0", strategy="repair", touches=("part",))
    for gap in (GAP, GAP.but(blocked_by=("other",)), GAP.but(kind=GapKind.NOT_YET)):
        assert [m.mode for m in options_for(gap, STACK, [], Terms(undo=undo), waited=0).moves] == [Mode.UNDO]


def test_under_watch_what_keeps_failing_is_left_alone_for_ever_longer() -> None:
    tried = treated("gentle", "again", "repair", "reset")
    first = options_for(GAP, STACK, tried, Terms(watching=True), waited=0.5)
    assert [m.mode for m in first.moves] == [Mode.WAIT]
    assert 0 < first.rest <= 2
    assert options_for(GAP, STACK, tried, Terms(watching=True), waited=2.1).rest == 0
    assert options_for(GAP, STACK, treated("gentle"), Terms(watching=True), waited=0).rest == 0
    assert options_for(GAP, STACK, tried, Terms(), waited=0).rest == 0, "a run that is to end does not dawdle"
