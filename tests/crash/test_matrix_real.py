"""The hub killed with -9 at random moments over real parts: a plain `up` then always comes to the same end."""

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from random import Random

import pytest

from helpers import eventually
from shiftboss.app import Request, open_session
from shiftboss.chaos.inject import inject
from shiftboss.errors import StoreBroken
from shiftboss.model.events import Delegated, Settled
from shiftboss.system.instance import marks_of

pytestmark = pytest.mark.real

PARTS = ("daemon", "pool", "miner")
FUNDED = 101
"""Blocks that the wallet is funded with; a second funding would double them."""

A_FEW = 40
"""So many blocks at most do the miner and the proofs of one test make."""

KILLS = 5


def owners(stack) -> Counter:
    """Living processes of this working directory by component: leaders of a group of their own, and helpers."""
    found = Counter()
    for pid in stack.processes():
        marks = marks_of(pid)
        with suppress(ProcessLookupError):
            if marks is not None and os.getpgid(pid) == pid:
                found[marks.component] += 1
    return found


def killed_after(stack, seconds: float) -> None:
    """Start `up`, and kill its hub some seconds later."""
    hub = stack.start("up")
    time.sleep(seconds)  # the moment is what is tested
    hub.kill()
    hub.wait()


def check_up(stack, heights: list[int]) -> None:
    """A plain `up` converges: one process per part, no helper, nothing made twice; then nothing is left to do."""
    document = stack.run("up")
    assert document["ending"] == "converged"
    assert owners(stack) == dict.fromkeys(PARTS, 1)
    heights.append(stack.height())
    assert heights == sorted(heights)
    assert FUNDED <= heights[-1] <= FUNDED + A_FEW
    proof = document["proof"]["regtest"]
    assert stack.rpc("getblockheader", proof["block_hash"])["confirmations"] >= 1
    assert open_session(asked(stack)).benches["regtest"].undo.open() == []


def asked(stack) -> Request:
    sets = [f"{key}={value}" for key, value in stack.settings.items()]
    return Request(workdir=stack.home, sets=sets, environ={})


def break_something(stack, chance: Random) -> None:
    """Kill some of the parts, so that the next hub has work to do."""
    for name in chance.sample(PARTS, chance.randint(1, 3)):
        stack.kill(name)


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random_moments(stack, seed: int) -> None:
    chance = Random(f"moments {seed}")
    heights: list[int] = []
    for number in range(KILLS):
        moment = chance.uniform(0.05, 2.5 if number == 0 else 1.2)
        print(f"kill {number}: after {moment:.2f} s")
        killed_after(stack, moment)
        check_up(stack, heights)
        break_something(stack, chance)
    check_up(stack, heights)
    assert stack.run("up")["mutations"] == 0


def test_killed_again_and_again_while_it_sets_up_for_the_first_time(fresh) -> None:
    chance = Random("fresh")
    for _ in range(6):
        killed_after(fresh, chance.uniform(0.3, 1.6))
        assert max(owners(fresh).values(), default=0) <= 1
    check_up(fresh, [])


# -- amid a recovery of the data -----------------------------------------------------------------------------------


def ordered(stack, strategy: str) -> bool:
    """Whether the newest run has ordered this recovery and not settled it."""
    try:
        events = stack.events()
    except (StoreBroken, IndexError, TypeError):  # not made yet
        return False
    settled = {event.id for event in events if isinstance(event, Settled)}
    return any(isinstance(one, Delegated) and one.strategy == strategy and one.id not in settled for one in events)


def killed_amid(stack, strategy: str, seconds: float) -> bool:
    """Start `up`, and kill its hub so many seconds after it has ordered this recovery; False if it never does."""
    hub = stack.start("up")
    try:
        eventually(lambda: ordered(stack, strategy) or hub.poll() is not None, what=strategy)
        time.sleep(seconds)
        return hub.returncode is None
    finally:
        hub.send_signal(signal.SIGKILL)
        hub.wait()


def keepsakes(stack) -> list[str]:
    """Where the file is now that was laid beside the blocks."""
    found = stack.home.rglob("keepsake.txt")
    return [str(path.relative_to(stack.home)) for path in found if "undo" not in path.relative_to(stack.home).parts]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("fault", "strategy"), [("chainstate_corrupt", "reindex"), ("block_file_gone", "reset_environment")]
)
def test_killed_amid_a_recovery_of_the_data(stack, fault: str, strategy: str, seed: int) -> None:
    chance = Random(f"{fault} {seed}")
    (stack.folder / "daemon" / "regtest" / "keepsake.txt").write_text("of the old chain")
    assert inject(open_session(asked(stack)), fault)
    for number in range(2):
        moment = chance.choice((0.0, chance.uniform(0.0, 0.3), chance.uniform(0.0, 1.0)))
        print(f"killed {moment:.2f} s after {strategy} was ordered")
        assert killed_amid(stack, strategy, moment) or number  # the second time it may not be needed any more
    check_up(stack, [])
    places = keepsakes(stack)
    assert len([place for place in places if place.startswith("env/")]) == (strategy == "reindex")
    assert places
