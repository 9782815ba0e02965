"""The policy brain with a model looking on: what the model would have chosen is noted beside, and changes nothing.

The model is asked while the run goes on; its answers are handed over with later decisions, the last ones before the
run's end. So a slow model costs the run nothing but the wait for its last answers.
"""

import asyncio
from collections.abc import Sequence

from shiftboss.brains.llm import Advice, Adviser, completions
from shiftboss.brains.offer import offered
from shiftboss.brains.policy import PolicyBrain
from shiftboss.contracts import Mind
from shiftboss.model.events import Consulted
from shiftboss.model.mind import Allowance, Usage
from shiftboss.model.move import Decision, Move
from shiftboss.model.situation import Situation


class ShadowBrain:
    """Decides by rule; asks a model about the same situations."""

    name = "shadow"

    def __init__(self, mind: Mind, *, allowance: Allowance, seconds: float) -> None:
        """`seconds` is how long one answer may take."""
        self._policy = PolicyBrain()
        self._adviser = Adviser(mind, allowance=allowance, seconds=seconds)
        self._asked: list[asyncio.Task[Advice]] = []

    async def decide(self, situation: Situation) -> Decision | None:
        """The policy's choice, with what the model has said meanwhile."""
        policy = await self._policy.decide(situation)
        if policy is None:
            return None
        options = offered(situation)
        if completions(situation) is None and len(options) > 1 and not self._adviser.given_up:
            self._ask(situation, options, policy)
        elif self._asked and _is_the_last(policy, situation):  # the end needs answers younger than the wait
            return Decision(moves=(), reasoning="", source=self.name, consulted=await self._all())
        return policy.but(consulted=self._ended())

    def _ask(self, situation: Situation, options: Sequence[Move], policy: Decision) -> None:
        """Ask about it as it is now: what a situation shows goes on changing."""
        under_way = Usage(calls=sum(not task.done() for task in self._asked))
        frozen = situation.but(
            snapshot=dict(situation.snapshot),
            gaps=dict(situation.gaps),
            in_flight=dict(situation.in_flight),
            ledger={key: tuple(attempts) for key, attempts in situation.ledger.items()},
            usage=situation.usage.plus(under_way),
        )
        self._asked.append(asyncio.ensure_future(self._adviser.ask(frozen, options, policy)))

    def _ended(self) -> tuple[Consulted, ...]:
        done = [task for task in self._asked if task.done()]
        self._asked = [task for task in self._asked if not task.done()]
        return tuple(_beside(task.result().asked) for task in done)

    async def _all(self) -> tuple[Consulted, ...]:
        """Every answer that is still to come; each has its own time limit."""
        await asyncio.wait(self._asked)
        return self._ended()


def _beside(asked: Consulted) -> Consulted:
    return asked.but(verdict="beside") if asked.verdict == "followed" else asked


def _is_the_last(policy: Decision, situation: Situation) -> bool:
    """Whether nothing comes after this decision."""
    endings = {move.id for move in situation.legal.endings()}
    return not situation.in_flight and endings.issuperset(policy.moves)
