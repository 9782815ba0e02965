"""The model brain for a comparison: a new brain for each run, and one purse for all of them.

A run's limits (brain.calls, brain.tokens, brain.money) hold for the whole comparison here: thirty runs may not cost
thirty times what one may.
"""

from shiftboss.brains.llm import LlmBrain
from shiftboss.chaos.baselines import Maker
from shiftboss.contracts import Mind
from shiftboss.errors import MindFailed
from shiftboss.model.mind import Allowance, Question, Reply, Usage


class Purse:
    """A mind that counts what its answers cost."""

    def __init__(self, mind: Mind) -> None:
        self.name = mind.name
        self.used = Usage()
        self._mind = mind

    async def ask(self, question: Question, seconds: float) -> Reply:
        """As the other mind's.

        Raises:
            MindFailed: as the other mind does.
        """
        try:
            reply = await self._mind.ask(question, seconds)
        except MindFailed as error:
            self.used = self.used.plus(error.usage)
            raise
        self.used = self.used.plus(reply.usage)
        return reply


def maker(mind: Mind, allowance: Allowance, seconds: float) -> Maker:
    """Makes brains that ask this model, as long as the allowance of all of them together lasts."""
    purse = Purse(mind)

    def make() -> LlmBrain:
        return LlmBrain(purse, allowance=left(allowance, purse.used), seconds=seconds)

    return make


def left(allowance: Allowance, used: Usage) -> Allowance:
    """What is left of an allowance; nothing less than nothing."""
    return Allowance(
        calls=max(0, allowance.calls - used.calls),
        tokens=max(0, allowance.tokens - used.tokens),
        money=max(0.0, allowance.money - used.money),
    )
