"""The model brain for a comparison: a new brain for each run, one purse for all of them, and a new shuffle each time.

A run's limits (brain.calls, brain.tokens, brain.money) hold for the whole comparison here: thirty runs may not cost
thirty times what one may. And in a run the same question always has the same order of options; as a few questions come
again and again, a model that always takes the first would be lucky or unlucky with all of them at once.
"""

from collections.abc import Sequence
from random import Random

from shiftboss.brains.llm import LlmBrain
from shiftboss.chaos.baselines import Maker
from shiftboss.contracts import Mind
from shiftboss.errors import MindFailed
from shiftboss.model.mind import Allowance, FieldKind, Question, Reply, Usage
from shiftboss.model.move import Decision
from shiftboss.model.situation import Situation


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


class Reshuffled:
    """A mind that is shown the options in a new order at every question."""

    def __init__(self, mind: Mind, chance: Random) -> None:
        self.name = mind.name
        self.shown: list[str] = []  #: the order of the last question
        self._mind, self._chance = mind, chance

    async def ask(self, question: Question, seconds: float) -> Reply:
        """As the other mind's.

        Raises:
            MindFailed: as the other mind does.
        """
        self.shown = list(next((one.options for one in question.fields if one.kind is FieldKind.CHOICE), ()))
        self._chance.shuffle(self.shown)
        return await self._mind.ask(reordered(question, self.shown), seconds)


def reordered(question: Question, order: Sequence[str]) -> Question:
    """The question with its options in another order, in the text and in the fields."""
    lines = question.text.splitlines()
    places = {name: _place(lines, name) for name in order}
    free = sorted(place for place in places.values() if place is not None)
    texts = [lines[place] for name in order if (place := places[name]) is not None]
    for place, text in zip(free, texts, strict=True):
        lines[place] = text
    rank = {name: number for number, name in enumerate(order)}
    fields = [
        one.but(options=tuple(sorted(one.options, key=lambda name: rank.get(name, len(rank)))))
        for one in question.fields
    ]
    return question.but(text="\n".join(lines), fields=tuple(fields))


def _place(lines: Sequence[str], name: str) -> int | None:
    """The line of an option: the last that begins with its name."""
    found = [number for number, line in enumerate(lines) if line.startswith(f"- {name}: ")]
    return found[-1] if found else None


class ModelBrain:
    """The brain that asks a model; what it notes of a question is the order in which its options were shown."""

    name = LlmBrain.name

    def __init__(self, mind: Reshuffled, allowance: Allowance, seconds: float) -> None:
        self._mind = mind
        self._brain = LlmBrain(mind, allowance=allowance, seconds=seconds)

    async def decide(self, situation: Situation) -> Decision | None:
        """The model's choice, or the policy's."""
        self._mind.shown = []
        decision = await self._brain.decide(situation)
        if decision is None or not self._mind.shown:
            return decision
        return decision.but(consulted=tuple(one.but(options=self._mind.shown) for one in decision.consulted))


def maker(mind: Mind, allowance: Allowance, seconds: float, seed: int) -> Maker:
    """Makes brains that ask this model, as long as the allowance of all of them together lasts."""
    purse = Purse(mind)
    shuffled = Reshuffled(purse, Random(f"{seed}/options"))  # noqa: S311 - against habits of models, not for secrets

    def make() -> ModelBrain:
        return ModelBrain(shuffled, left(allowance, purse.used), seconds)

    return make


def left(allowance: Allowance, used: Usage) -> Allowance:
    """What is left of an allowance; nothing less than nothing."""
    return Allowance(
        calls=max(0, allowance.calls - used.calls),
        tokens=max(0, allowance.tokens - used.tokens),
        money=max(0.0, allowance.money - used.money),
    )
