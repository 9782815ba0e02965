"""What may not run beside what."""

from dataclasses import dataclass

import pytest

from demo.small import hub_stack
from shiftboss.model.conflict import obstacle
from shiftboss.model.move import Mode

STACK = hub_stack({"config": (), "daemon": ("config",), "pool": ("daemon",), "notes": ()})


@dataclass(frozen=True)
class Holding:
    component: str
    mode: Mode = Mode.ENSURE
    touches: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    environment: str = "e"


@pytest.mark.parametrize(
    ("move", "holder", "says"),
    [
        (Holding("daemon"), Holding("notes"), None),
        (Holding("daemon"), Holding("daemon"), "daemon is already being worked on"),
        (Holding("daemon"), Holding("daemon", environment="other"), None),
        (Holding("daemon", touches=("notes",)), Holding("notes"), "notes is already"),
        (Holding("notes"), Holding("daemon", Mode.RECOVER, touches=("notes",)), "notes is already"),
        (Holding("pool"), Holding("daemon"), None),
        (Holding("pool"), Holding("daemon", Mode.RECOVER), "daemon, which it requires, is being changed"),
        (Holding("pool"), Holding("daemon", Mode.REMOVE), "daemon, which it requires, is being changed"),
        (Holding("pool"), Holding("daemon", Mode.FORCE), "daemon, which it requires, is being changed"),
        (Holding("daemon"), Holding("notes", Mode.RECOVER, touches=("config",)), "config, which it requires"),
        (Holding("notes", locks=("disk",)), Holding("pool", locks=("disk", "net")), "'disk' is held for pool"),
        (Holding("notes", locks=("disk",)), Holding("pool", locks=("disk",), environment="other"), None),
    ],
)
def test_two_moves_beside_each_other(move: Holding, holder: Holding, says: str | None) -> None:
    found = obstacle(move, STACK, [holder])
    assert (found is None) == (says is None)
    assert (says or "") in (found or "")


def test_nobody_is_in_the_way_of_the_first() -> None:
    assert obstacle(Holding("daemon"), STACK, []) is None
