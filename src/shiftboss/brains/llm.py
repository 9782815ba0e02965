"""The brain that asks a language model. It may only choose among the moves the hub has found legal.

The policy brain is its guard: it decides whenever there is nothing to choose, the allowance is spent, or the model's
answer can't be used; what the model said and what the policy would have done stand in the journal side by side.
"""

from collections.abc import Sequence

from shiftboss.brains.offer import offered
from shiftboss.brains.policy import PolicyBrain, reason
from shiftboss.brains.question import WAIT, question_for, quoted
from shiftboss.contracts import Mind
from shiftboss.errors import MindFailed
from shiftboss.model.events import Consulted
from shiftboss.model.mind import Allowance, Question, Reply
from shiftboss.model.move import Decision, Mode, Move
from shiftboss.model.situation import Situation
from shiftboss.model.untrusted import clean, sentence
from shiftboss.model.value import Value

FAILURES = 3
"""So many calls in a row may fail before a run goes on without the model."""

DEAD = frozenset({"failed", "late"})
"""Verdicts that say something of the model's server; a bad answer may be followed by a good one."""


class LlmBrain:
    """Chooses by asking a model; falls back to the policy brain, and says so."""

    name = "llm"

    def __init__(self, mind: Mind, *, allowance: Allowance, seconds: float) -> None:
        """`seconds` is how long one answer may take."""
        self._policy = PolicyBrain()
        self._adviser = Adviser(mind, allowance=allowance, seconds=seconds)
        self._waits: tuple[str, ...] | None = None  #: what it saw when it chose to wait

    async def decide(self, situation: Situation) -> Decision | None:
        """The model's choice, or the policy's; None while waiting is all there is to do."""
        computed = completions(situation)
        if computed:
            return computed.but(source=self.name)
        policy = await self._policy.decide(situation)
        options = offered(situation)
        if policy is None or len(options) < 2 or self._adviser.given_up:  # one legal option is no question
            return policy
        here = _state_of(situation, options)
        if here == self._waits:
            return None
        self._waits = None
        advice = await self._adviser.ask(situation, options, policy)
        asked = advice.asked
        if asked.verdict != "followed":
            return policy.but(consulted=(asked,))
        chosen = tuple(name for name in asked.chosen if name != WAIT)
        if not chosen:
            self._waits = here
        return Decision(
            moves=chosen,
            reasoning=_reasoning([move for move in options if move.id in chosen], situation, asked),
            source=self.name,
            consulted=(asked,),
            addressed=advice.addressed,
        )


def completions(situation: Situation) -> Decision | None:
    """The ends that are reached: worked out by the hub, and no matter of choice."""
    reached = [move for move in situation.legal.endings() if move.mode is Mode.COMPLETE]
    if not reached:
        return None
    reasoning = "\n".join(reason(move, situation) for move in reached)
    return Decision(moves=tuple(move.id for move in reached), reasoning=reasoning, source="policy")


class Advice(Value):
    """What a model said of one situation."""

    asked: Consulted
    addressed: tuple[int, ...] = ()  #: notes that its choice acts on


class Adviser:
    """Asks a model about one situation, and judges its answer; decides nothing.

    A model that fails again and again is given up for the rest of the run: waiting for it would only hold the stack up.
    """

    def __init__(self, mind: Mind, *, allowance: Allowance, seconds: float) -> None:
        self._mind = mind
        self._allowance = allowance
        self._seconds = seconds
        self._failures = 0  #: in a row

    @property
    def given_up(self) -> bool:
        """Whether it is not asked any more."""
        return self._failures >= FAILURES

    async def ask(self, situation: Situation, options: Sequence[Move], policy: Decision) -> Advice:
        """What the model says; never raises."""
        advice = await self._advice(situation, options, policy)
        said = advice.asked
        self._failures = self._failures + 1 if said.verdict in DEAD else 0
        if self.given_up:
            why = f"{said.why}; after {FAILURES} failures in a row it is not asked in this run any more"
            return advice.but(asked=said.but(why=why))
        return advice

    async def _advice(self, situation: Situation, options: Sequence[Move], policy: Decision) -> Advice:
        question, names = question_for(situation, options)
        about = Consulted(
            purpose="decide",
            model=self._mind.name,
            verdict="followed",
            turn=situation.turn,
            options=names,
            policy=list(policy.moves),
        )
        lacking = self._allowance.lacking(situation.usage)
        if lacking:
            return Advice(asked=about.but(verdict="spent", why=lacking))
        try:
            reply = await self._mind.ask(question, self._seconds)
        except MindFailed as error:
            failed = about.but(verdict=error.verdict, why=clean(str(error)), seconds=error.seconds)
            return Advice(asked=failed.but(**vars(error.usage)))
        except Exception as error:  # noqa: BLE001 - a mind's bug is no answer, and must not stop a run
            why = sentence(f"{type(error).__name__}: {error}")
            return Advice(asked=about.but(verdict="failed", why=why, calls=1))
        addressed = tuple(number for number in _notes(reply) if number in situation.notes)
        return Advice(asked=about.but(**_answered(reply, question, names)), addressed=addressed)


def _answered(reply: Reply, question: Question, names: Sequence[str]) -> dict[str, object]:
    """The fields of the event that an answer fills; an answer outside the options is unreadable."""
    values = reply.values
    chosen = list(dict.fromkeys([str(values.get("decision", "")), *map(str, values.get("also") or ())]))
    outside = [name for name in chosen if name not in names]
    if WAIT in chosen[1:]:
        chosen.remove(WAIT)
    return {
        "model": reply.model,
        "verdict": "unreadable" if outside else "followed",
        "why": f"{sentence(outside[0], 100)!r} is none of the options" if outside else "",
        "chosen": [] if outside else chosen[:1] if chosen[0] == WAIT else chosen,
        "reasoning": clean(str(values.get("reasoning") or ""))[:600],
        "quotes": [clean(one) for one in quoted(map(str, values.get("quotes") or ()), question)],
        "seconds": reply.seconds,
        "replayed": reply.replayed,
        **vars(reply.usage),
    }


def _notes(reply: Reply) -> tuple[int, ...]:
    said = [str(one).rpartition(" ")[2] for one in reply.values.get("addressed") or ()]
    return tuple(int(number) for number in said if number.isdigit())


def _state_of(situation: Situation, options: Sequence[Move]) -> tuple[str, ...]:
    """What a decision to wait stands on: when any of it changes, it is thought over again."""
    tried = sum(len(attempts) for attempts in situation.ledger.values())
    seen = [f"{key}={gap.kind}" for key, gap in situation.gaps.items()]
    notes = [f"note {number}" for number in situation.notes]
    return (*(move.id for move in options), *situation.in_flight, *seen, *notes, str(tried))


def _reasoning(chosen: Sequence[Move], situation: Situation, asked: Consulted) -> str:
    """A line per move with the facts as the policy would cite them; what the model said comes after the last."""
    said = f" The model says: {' '.join(asked.reasoning.split())}" if asked.reasoning.strip() else ""
    lines = [reason(move, situation) for move in chosen] or ["what is under way should end first."]
    return "\n".join(lines) + said
