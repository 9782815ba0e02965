"""What a run learns while it goes: trends of measures, whether recoveries last, how long things take, what people did.

The hub tells it what it sees; it answers with events and writes memory through the pen, in the same transaction.
"""

from collections.abc import Mapping, Sequence

from shiftboss.engine.charter import Charter
from shiftboss.engine.credit import Credits, remember, remember_attempt
from shiftboss.engine.forecast import Trends
from shiftboss.engine.judge import Verdict
from shiftboss.engine.pen import Pen
from shiftboss.model.duration import Conditions, kind_of
from shiftboss.model.events import Event, MendedByHand
from shiftboss.model.failure import FailureKind, signature
from shiftboss.model.forecast import Forecast
from shiftboss.model.lesson import Lesson
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Observation, Snapshot
from shiftboss.store.memory import Remedy
from shiftboss.system.clock import Clock


class Learner:
    """The learning side of one hub."""

    def __init__(self, charter: Charter, pen: Pen, clock: Clock) -> None:
        self._trends = Trends(charter.limits)
        self._credits = Credits(charter.credits, charter.lessons, charter.versions)
        self._window = charter.window
        self._conditions = charter.conditions
        self._pen = pen
        self._clock = clock

    @property
    def forecasts(self) -> Mapping[str, Forecast]:
        """What is seen coming, by `environment/component`."""
        return self._trends.forecasts

    @property
    def lessons(self) -> Mapping[str, dict[str, Lesson]]:
        """What earlier runs taught, by signature and strategy."""
        return self._credits.lessons

    def look(self, seen: Observation, events: list[Event]) -> bool:
        """Take an answer in, adding what is learned to the events; whether what is to be done may have changed."""
        sign = signature(seen.component, seen.failure, seen.summary) if seen.failure else None
        announced = self._trends.take(seen)
        return self._judge(seen, sign, events) or announced

    def forget(self, key: str) -> None:
        """Something is done about a component: its trends begin anew."""
        self._trends.forget(key)

    def _judge(self, seen: Observation, sign: str | None, events: list[Event]) -> bool:
        now = self._clock.now()
        closed = self._credits.judge(seen, sign, now)
        if not closed:
            return False
        self._pen.later((), lambda memory: remember(memory, closed, now))
        events += [learned for _, learned in closed if learned is not None]
        return True

    def settled(
        self,
        order: Delegation,
        verdict: Verdict,
        seconds: float,
        treated: str | None,
        seen: Observation | None,
        events: list[Event],
    ) -> None:
        """What the ending of an order teaches: how long it took, and whether a recovery may have helped."""
        if verdict.ok and order.mode in (Mode.ENSURE, Mode.FORCE, Mode.RECOVER):
            kind, at = kind_of(order.agent, order.component, order.mode, order.strategy), self._clock.now()
            here = self._conditions.get(order.environment, Conditions())
            self._pen.later((), lambda memory: memory.learn_duration(kind, seconds, here, at))
        if seen is None:
            return
        if verdict.failure is not None:
            self._judge(seen, verdict.failure.signature, events)
        if order.mode is Mode.RECOVER and treated:
            credit = self._credits.grant(order, treated, seen, seconds, self._window, pending=verdict.ok)
            now = self._clock.now()
            self._pen.later((), lambda memory: remember_attempt(memory, credit, ok=verdict.ok, now=now))

    def mended_by_hand(self, before: Snapshot, after: Snapshot, notes: Sequence[str]) -> list[MendedByHand]:
        """What had failed and works now though no hub was at work: offered the next time it fails like this."""
        pairs = ((old, after.get(key)) for key, old in before.items() if old.failure is not None)
        events = [_by_hand(old, now, notes) for old, now in pairs if now is not None and now.failure != old.failure]
        for event in events:
            words = "; ".join([event.what, *notes])
            remedy = Remedy(signature=event.signature, component=event.component, what=words, at=self._clock.now())
            self._pen.later((), lambda memory, remedy=remedy: memory.mended_by_hand(remedy))
        return events


def _by_hand(before: Observation, now: Observation, notes: Sequence[str]) -> MendedByHand:
    names = {name for name in {*before.evidence, *now.evidence} if before.evidence.get(name) != now.evidence.get(name)}
    return MendedByHand(
        environment=before.environment,
        component=before.component,
        signature=signature(before.component, before.failure or FailureKind.CRASHED, before.summary),
        what=f"{before.summary} -> {now.summary}",
        changed=sorted(names),
        notes=list(notes),
    )
