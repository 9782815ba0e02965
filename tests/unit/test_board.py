"""The board shows exactly the legal moves of the open gaps, in declared order, gentlest first."""

from hypothesis import given
from hypothesis import strategies as st

from demo.small import RELOCATE, RESTART, hub_stack
from shiftboss.engine.board import Board
from shiftboss.engine.moves import Budget, Options, Terms, options_for
from shiftboss.model.failure import FailureKind
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.move import DELEGATED, Mode, Move

NAMES = [f"c{number}" for number in range(6)]
STACK = hub_stack(dict.fromkeys(NAMES, ()), strategies=(RESTART, RELOCATE))
BUDGET = Budget(attempts=3, recoveries=3)


def gaps() -> st.SearchStrategy[Gap]:
    return st.builds(
        Gap,
        environment=st.sampled_from(["x", "xy"]),
        component=st.sampled_from(NAMES),
        kind=st.sampled_from(GapKind),
        why=st.just("so"),
        failure=st.sampled_from([None, FailureKind.DIED, FailureKind.PERMISSION, FailureKind.TIMEOUT]),
        blocked_by=st.sampled_from([(), (), ("c0",)]),
    )


def ending(environment: str) -> Move:
    return Move(id=f"{environment}/escalate", environment=environment, mode=Mode.ESCALATE, keyword="escalate", why="so")


@given(st.lists(st.tuples(gaps(), st.booleans(), st.sampled_from([0.0, 99.0])), max_size=40))
def test_the_board_is_what_was_put_last(puts: list[tuple[Gap, bool, float]]) -> None:
    board = Board()
    expected: dict[str, Options] = {}
    for gap, there, waited in puts:
        options = options_for(gap, STACK, [], Terms(budget=BUDGET, recoveries=0), waited=waited) if there else None
        board.put(gap.key, (0.0, STACK.order[gap.component]), options)
        expected.pop(gap.key, None)
        if options is not None:
            expected[gap.key] = options
    board.offer_endings({"x/escalate": ending("x")})
    keys = sorted(expected, key=lambda key: (STACK.order[key.partition("/")[2]], key))
    moves = [move for key in keys for move in expected[key].moves if move.mode in DELEGATED]
    assert list(board) == [*moves, ending("x")]
    assert len(board) == len({move.key for move in moves}) + 1
    assert all(board.get(move.id) == move for move in board)
    assert board.hopeless == {key: options.hopeless for key, options in expected.items() if options.hopeless}


def test_what_is_not_on_the_board_is_not_found() -> None:
    board = Board()
    gap = Gap(environment="x", component="c0", kind=GapKind.MISSING, why="so")
    board.put(gap.key, (0.0, 0), options_for(gap, STACK, [], Terms(budget=BUDGET, recoveries=0), waited=0))
    assert board.get("x/c0/ensure") is not None
    for other in ("x/c0", "x/c0/recover/restart_one", "x/c1/ensure", "", "x", "x/c0/ensure/more", "x/complete"):
        assert board.get(other) is None
