"""What may be done about a gap, as data: gap + attempts + budget -> legal moves, or why there are none."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from demo.small import STRATEGIES, hub_stack
from shiftboss.engine.analyse import Analysis
from shiftboss.engine.moves import NOTHING, Budget, Terms, options_for
from shiftboss.model.failure import FailureKind, signature
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.move import Risk
from shiftboss.model.observation import Health, Observation
from shiftboss.model.recovery import Attempt, Strategy
from shiftboss.model.run import Goal, Want

CASES = Path(__file__).parent.parent / "cases"
PUSH = Strategy(name="push", rung="wait", treats={FailureKind.DISCONNECTED}, risk=Risk.FOREIGN, what="push it away")
STACK = hub_stack({"part": (), "other": ()}, strategies=(*STRATEGIES, PUSH))


def signed(text: str | None) -> str | None:
    """`kind: message` as the signature of that failure of the part."""
    kind, _, message = (text or "").partition(": ")
    return signature("part", FailureKind(kind), message) if text else None


def attempt(number: int, told: dict[str, Any]) -> Attempt:
    kind = FailureKind(told["kind"]) if "kind" in told else None
    message = told.get("message", "")
    return Attempt(
        delegation=f"r/{number}/0",
        component="part",
        keyword="delegate_keeper",
        mode=told["mode"],
        strategy=told.get("strategy"),
        ok=told["ok"],
        kind=kind,
        signature=signature("part", kind, message) if kind else None,
        message=message,
        treated=signed(told.get("treated")),
    )


def named(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", sorted((CASES / "moves").glob("*.yaml")), ids=named)
def test_the_legal_moves_are_those_of_the_case(path: Path) -> None:
    case = yaml.safe_load(path.read_text())
    told = case["gap"]
    gap = Gap(
        environment="e",
        component="part",
        kind=GapKind(told["kind"]),
        why="as it is",
        failure=FailureKind(told["failure"]) if "failure" in told else None,
        blocked_by=tuple(told.get("blocked_by", ())),
    )
    budget = Budget(**{"attempts": 5, "recoveries": 10, **case.get("budget", {})})
    attempts = [attempt(number, one) for number, one in enumerate(case.get("attempts", ()))]
    recoveries = case.get("recoveries", 0)
    options = options_for(
        gap, STACK, attempts, Terms(budget=budget, recoveries=recoveries), waited=case.get("waited", 0)
    )
    assert [move.id.removeprefix("e/part/") for move in options.moves] == case.get("moves", [])
    assert case.get("hopeless", "") in (options.hopeless or "")
    assert bool(options.hopeless) == ("hopeless" in case)
    assert bool(options.asks) == case.get("consent", False)


@pytest.mark.parametrize("path", sorted((CASES / "gaps").glob("*.yaml")), ids=named)
def test_the_gaps_are_those_of_the_case(path: Path) -> None:
    case = yaml.safe_load(path.read_text())
    told = case.get("goal", {})
    goal = Goal(
        want=Want(told.get("want", "up")),
        components=tuple(told.get("components", ())),
        replace=tuple(told.get("replace", ())),
    )
    snapshot = {
        f"e/{name}": Observation(
            environment="e",
            component=name,
            health=Health(one["health"]),
            summary="as it is",
            failure=FailureKind(one["failure"]) if "failure" in one else None,
            instance=one.get("instance"),
            unproven=one.get("unproven", False),
        )
        for name, one in case["seen"].items()
    }
    gaps = Analysis(hub_stack(case["parts"]), goal).full(["e"], snapshot)
    found = [[gap.component, gap.kind, gap.failure, list(gap.blocked_by)] for gap in gaps.values()]
    assert found == case["gaps"]


attempts = st.lists(
    st.builds(
        Attempt,
        delegation=st.just("r/0/0"),
        component=st.just("part"),
        keyword=st.just("k"),
        mode=st.sampled_from(["ensure", "recover", "remove"]),
        strategy=st.sampled_from([None, "restart_one", "relocate_port"]),
        ok=st.booleans(),
        kind=st.sampled_from([None, *FailureKind]),
        signature=st.sampled_from([None, "part/died/1", "part/timeout/2"]),
        treated=st.sampled_from([None, "part/died/1", "part/timeout/2"]),
    ),
    max_size=12,
)


@given(
    st.sampled_from(GapKind),
    st.sampled_from([None, *FailureKind]),
    attempts,
    st.floats(0, 100),
    st.integers(0, 5),
)
def test_there_is_always_something_to_do_or_a_reason_why_not(kind, failure, tried, waited, recoveries) -> None:
    gap = Gap(environment="e", component="part", kind=kind, why="so", failure=failure)
    budget = Budget(attempts=3, recoveries=3)
    options = options_for(gap, STACK, tried, Terms(budget=budget, recoveries=recoveries), waited=waited)
    assert bool(options.moves) != bool(options.hopeless)
    assert [move.rung for move in options.moves] == sorted(move.rung for move in options.moves)
    assert all(move.risk in (Risk.SAFE, Risk.DISRUPTIVE) for move in options.moves)
    blocked = Gap(environment="e", component="part", kind=kind, why="so", failure=failure, blocked_by=("other",))
    assert options_for(blocked, STACK, tried, Terms(budget=budget, recoveries=recoveries), waited=waited) == NOTHING
