"""Brains that know nothing, for comparison only: what a brain is worth is what it does better than these.

They choose among the legal moves and wait when none can start, so they show what the hub's rules alone are worth. The
options are shuffled anew for each question: the first place of a list that is sorted by priority would be no baseline
but the policy. Used by chaos/brain_score.py, never by a run on real parts.
"""

from collections import Counter
from collections.abc import Callable
from itertools import count
from random import Random

from shiftboss.brains.offer import startable
from shiftboss.brains.policy import PolicyBrain
from shiftboss.contracts import Brain
from shiftboss.model.conflict import Holder, has_lane, obstacle
from shiftboss.model.move import DELEGATED, Decision, Move
from shiftboss.model.situation import Situation

ONE_MORE = 0.5
"""How often the random brain picks a further move beside those it has."""

Maker = Callable[[], Brain]
"""Makes the brain of one run."""


def options(situation: Situation) -> list[Move]:
    """Every move that would be admitted by itself now: what may be started, and the endings that are due."""
    return [*startable(situation), *situation.legal.endings()]


class RandomBrain:
    """Picks uniformly among the options; half the time one more beside it, and so on."""

    name = "random-legal"

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    async def decide(self, situation: Situation) -> Decision | None:
        """One or several options; None when there is none."""
        left, chosen = options(situation), list[Move]()
        while left:
            chosen.append(left.pop(self._chance.randrange(len(left))))
            left = [move for move in left if fits(move, chosen, situation)]
            if self._chance.random() >= ONE_MORE:
                break
        return _decision(self.name, chosen, "drawn by lot")


class FirstBrain:
    """Takes what stands first in the shuffled list, as a model does that does not read on."""

    name = "first-legal"

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    async def decide(self, situation: Situation) -> Decision | None:
        """The first option; None when there is none."""
        return _decision(self.name, shuffled(situation, self._chance)[:1], "the first of the list")


class MajorityBrain:
    """Always gives the answer that is right most often, where it is an option; else the first of the list."""

    name = "majority"

    def __init__(self, chance: Random, keyword: str) -> None:
        self._chance = chance
        self._keyword = keyword

    async def decide(self, situation: Situation) -> Decision | None:
        """An option with the keyword, else the first; None when there is none."""
        listed = shuffled(situation, self._chance)
        best = next((move for move in listed if move.keyword == self._keyword), None)
        return _decision(self.name, [best] if best else listed[:1], f"{self._keyword} is right most often")


def shuffled(situation: Situation, chance: Random) -> list[Move]:
    """The options in an order that says nothing."""
    found = options(situation)
    chance.shuffle(found)
    return found


def fits(move: Move, chosen: list[Move], situation: Situation) -> bool:
    """Whether an option may still be chosen beside others."""
    if any(one.mode not in DELEGATED and one.environment == move.environment for one in chosen):
        return False
    beside: list[Holder] = [one for one in chosen if one.mode in DELEGATED]
    if move.mode not in DELEGATED:
        return all(one.environment != move.environment for one in beside)
    held = [*situation.in_flight.values(), *beside]
    lanes = situation.lanes + len(situation.in_flight)
    free = has_lane(move.environment, lanes, held, situation.overdue)
    return free and obstacle(move, situation.stack, held) is None


def _decision(name: str, chosen: list[Move], why: str) -> Decision | None:
    if not chosen:
        return None
    reasoning = "\n".join(f"{move.component or move.environment}: {why}." for move in chosen)
    return Decision(moves=tuple(move.id for move in chosen), reasoning=reasoning, source=name)


def makers(seed: int, keywords: Counter[str]) -> dict[str, Maker]:
    """The policy and the baselines by name; `keywords` is how often the policy chose each (for the majority)."""
    most = min(keywords, key=lambda word: (-keywords[word], word), default="")
    return {
        PolicyBrain.name: PolicyBrain,
        RandomBrain.name: _seeded(f"{seed}/random", RandomBrain),
        FirstBrain.name: _seeded(f"{seed}/first", FirstBrain),
        MajorityBrain.name: _seeded(f"{seed}/majority", lambda chance: MajorityBrain(chance, most)),
    }


def _seeded(seed: str, make: Callable[[Random], Brain]) -> Maker:
    """A maker whose brains all have chances of their own: the n-th run of a seed is always the same."""
    numbers = count()
    return lambda: make(Random(f"{seed}/{next(numbers)}"))  # noqa: S311 - for variety, not for secrets
