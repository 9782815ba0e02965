"""The policy brain: as data, deterministic, only legal moves, never two that disturb each other."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from demo.small import RELOCATE, RESTART, hub_stack, specs_of
from shiftboss.brains.policy import PolicyBrain, choose
from shiftboss.engine.analyse import Analysis
from shiftboss.engine.board import Board
from shiftboss.engine.moves import Budget, Terms, options_for
from shiftboss.model.conflict import obstacle
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode, Move
from shiftboss.model.observation import Health, Observation
from shiftboss.model.pipeline import ComponentSpec
from shiftboss.model.recovery import Strategy
from shiftboss.model.run import Goal
from shiftboss.model.situation import Situation
from shiftboss.model.stack import COMPLETE, ESCALATE, Stack

CASES = sorted((Path(__file__).parent.parent / "cases" / "decisions").glob("*.yaml"))
STRATEGIES = {"restart_one": RESTART, "relocate_port": RELOCATE}


def situation(
    stack: Stack, answers: list[Observation], in_flight: list[Delegation], lanes: int, offered: list[Move] | None = None
) -> Situation:
    """What the hub would show, without a hub."""
    snapshot = {seen.key: seen for seen in answers}
    environments = sorted({seen.environment for seen in answers})
    gaps = Analysis(stack, Goal()).full(environments, snapshot)
    flying = {order.key: order for order in in_flight}
    board = Board()
    for key, gap in gaps.items():
        if key not in flying:
            options = options_for(
                gap, stack, [], Terms(budget=Budget(attempts=3, recoveries=3), recoveries=0), waited=0.0
            )
            board.put(key, (0.0, stack.order[gap.component]), options)
    board.offer_endings({move.id: move for move in offered or ()})
    return Situation(
        turn=0,
        goal=Goal(),
        stack=stack,
        snapshot=snapshot,
        gaps=gaps,
        legal=board,
        in_flight=flying,
        ledger={},
        history={},
        hopeless=board.hopeless,
        lanes=lanes,
    )


def stack_from(parts: dict[str, Any], strategies: list[dict[str, Any]]) -> Stack:
    specs = {
        name: ComponentSpec(
            name=name, probe="x:p", requires=tuple(part.get("requires", ())), locks=tuple(part.get("locks", ()))
        )
        for name, part in parts.items()
    }
    more = [
        Strategy(**{**one, "treats": {FailureKind(kind) for kind in one["treats"]}, "touches": tuple(one["touches"])})
        for one in strategies
    ]
    return hub_stack(specs=specs, strategies=(*STRATEGIES.values(), *more))


def answer(key: str, written: str) -> Observation:
    """`ready`, `absent`, or `broken:KIND`."""
    environment, _, component = key.partition("/")
    health, _, kind = written.partition(":")
    return Observation(
        environment=environment,
        component=component,
        health=Health(health),
        summary=f"{component} is {written}",
        failure=FailureKind(kind) if kind else None,
    )


def flying(key: str, mode: str, stack: Stack) -> Delegation:
    environment, _, component = key.partition("/")
    return Delegation(
        id=f"r/0/{component}",
        run="r",
        environment=environment,
        component=component,
        agent="keeper",
        mode=Mode(mode),
        strategy=None,
        keyword="delegate_keeper",
        attempt=1,
        deadline=60.0,
        locks=stack.specs[component].locks,
    )


def offer(move_id: str) -> Move:
    environment, _, mode = move_id.partition("/")
    keyword = COMPLETE if mode == "complete" else ESCALATE
    return Move(id=move_id, environment=environment, mode=Mode(mode), keyword=keyword, why="nobody can do it")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_decision_is_the_one_in_the_case(path: Path) -> None:
    case = yaml.safe_load(path.read_text())
    stack = stack_from(case["parts"], case.get("strategies", []))
    shown = situation(
        stack,
        [answer(key, written) for key, written in case["seen"].items()],
        [flying(key, mode, stack) for key, mode in case.get("in_flight", {}).items()],
        case.get("lanes", 4),
        [offer(move_id) for move_id in case.get("offered", ())],
    )
    decision = asyncio.run(PolicyBrain().decide(shown))
    if not case["moves"]:
        assert decision is None
        return
    assert decision is not None
    assert list(decision.moves) == case["moves"]
    assert decision.reasoning.splitlines() == case["reasoning"]


HEALTHS = [
    "ready",
    "absent",
    "starting",
    "unknown",
    "broken",
    "broken:died",
    "broken:port_foreign",
    "broken:permission",
]


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    names = [f"c{number}" for number in range(draw(st.integers(1, 6)))]
    locks = st.lists(st.sampled_from(["disk", "chain"]), unique=True).map(tuple)
    specs = {
        name: ComponentSpec(
            name=name,
            probe="x:p",
            requires=tuple(draw(st.lists(st.sampled_from(names[:index]), unique=True))) if index else (),
            locks=draw(locks),
        )
        for index, name in enumerate(names)
    }
    touching = Strategy(
        name="touching",
        rung="reload",
        treats={FailureKind.DIED},
        touches=tuple(draw(st.lists(st.sampled_from(names), unique=True))),
        what="mend it and more",
    )
    stack = hub_stack(specs=specs, strategies=(RESTART, RELOCATE, touching))
    answers = [answer(f"{e}/{name}", draw(st.sampled_from(HEALTHS))) for e in ("x", "xy") for name in names]
    busy = draw(
        st.lists(st.sampled_from([f"{e}/{name}" for e in ("x", "xy") for name in names]), unique=True, max_size=2)
    )
    return situation(stack, answers, [flying(key, "ensure", stack) for key in busy], draw(st.integers(0, 5)))


@given(situations())
def test_decisions_are_legal_bounded_and_never_disturb_each_other(shown: Situation) -> None:
    moves = choose(shown)
    legal = {move.id for move in shown.legal}
    assert {move.id for move in moves} <= legal
    assert len(moves) <= max(0, shown.lanes)
    holders = list(shown.in_flight.values())
    lost = {key.partition("/")[0] for key in shown.hopeless}
    for index, move in enumerate(moves):
        assert move.environment not in lost
        assert obstacle(move, shown.stack, [*holders, *moves[:index]]) is None
        for other in [*holders, *moves[:index]]:
            if other.environment == move.environment:
                assert not {move.component, *move.touches} & {other.component, *other.touches}
                assert not set(move.locks) & set(other.locks)


@given(situations())
def test_decisions_are_deterministic(shown: Situation) -> None:
    brain = PolicyBrain()
    assert asyncio.run(brain.decide(shown)) == asyncio.run(brain.decide(shown))


@given(situations())
def test_the_gentlest_way_is_chosen_or_none(shown: Situation) -> None:
    first: dict[str, Move] = {}
    for move in shown.legal:
        first.setdefault(move.key, move)
    assert all(first[move.key] == move for move in choose(shown))


def test_the_brain_has_a_name() -> None:
    assert PolicyBrain().name == "policy"
    assert list(specs_of({"a": ()})) == ["a"]
