"""Whether recoveries last: open credits against what is seen, and the lessons drawn (DESIGN section 7).

A strategy is credited only if its component is ready when the window is over and the same failure has not come back.
A process that was replaced in between proves nothing: no credit.
"""

from collections.abc import Iterable, Sequence

from shiftboss.model.events import Learned
from shiftboss.model.lesson import Credit, Lesson
from shiftboss.model.move import Delegation
from shiftboss.model.observation import Health, Observation
from shiftboss.store.memory import Memory


def verdict(credit: Credit, seen: Observation, signature: str | None, now: float) -> tuple[bool, str] | None:
    """Whether the recovery lasted, with the reason; None while that is not known."""
    if signature == credit.signature and now < credit.due:
        return False, f"the same failure was back after {max(0.0, now - credit.at):.0f} s"
    if now < credit.due or seen.health is not Health.READY:
        return None
    if credit.instance is not None and seen.instance != credit.instance:
        return None
    return True, f"still ready {now - credit.at:.0f} s later"


class Credits:
    """The open credits of a run's environments, and what is learned from them."""

    def __init__(self, open_ones: Iterable[Credit], lessons: Iterable[Lesson], versions: str) -> None:
        """`open_ones` and `lessons` are those of earlier runs with the same versions."""
        self.versions = versions
        self.lessons: dict[str, dict[str, Lesson]] = {}
        self._open: dict[str, list[Credit]] = {}
        for lesson in lessons:
            self.lessons.setdefault(lesson.signature, {})[lesson.strategy] = lesson
        for credit in open_ones:
            self._open.setdefault(credit.key, []).append(credit)

    def grant(
        self, order: Delegation, treated: str, seen: Observation, seconds: float, window: float, *, pending: bool
    ) -> Credit:
        """The credit of a settled recovery; kept open if it seems to have worked."""
        credit = Credit(
            delegation=order.id,
            environment=order.environment,
            component=order.component,
            signature=treated,
            strategy=order.strategy or "",
            at=seen.at,
            due=seen.at + window,
            instance=seen.instance,
            seconds=seconds,
            versions=self.versions,
        )
        if pending:
            self._open.setdefault(credit.key, []).append(credit)
        else:
            self._note(credit, lasted=False, now=seen.at)
        return credit

    def judge(self, seen: Observation, signature: str | None, now: float) -> list[tuple[Credit, Learned | None]]:
        """The credits of a component that this answer closes; with nothing learned where it can't be known any more."""
        closed: list[tuple[Credit, Learned | None]] = []
        for credit in list(self._open.get(seen.key, ())):
            found = verdict(credit, seen, signature, now)
            replaced = now >= credit.due and credit.instance is not None and seen.instance != credit.instance
            if found is None and not replaced:
                continue
            self._open[seen.key].remove(credit)
            if found:
                self._note(credit, lasted=found[0], now=now)
            closed.append((credit, _learned(credit, *found) if found else None))
        return closed

    def _note(self, credit: Credit, *, lasted: bool, now: float) -> None:
        """What was just learned counts from now on, in this run too."""
        known = self.lessons.setdefault(credit.signature, {})
        first = Lesson(signature=credit.signature, strategy=credit.strategy, versions=credit.versions)
        known[credit.strategy] = known.get(credit.strategy, first).after(lasted=lasted, seconds=credit.seconds, now=now)


def _learned(credit: Credit, lasted: bool, why: str) -> Learned:
    return Learned(
        environment=credit.environment,
        component=credit.component,
        signature=credit.signature,
        strategy=credit.strategy,
        delegation=credit.delegation,
        lasted=lasted,
        why=why,
    )


def remember(memory: Memory, closed: Sequence[tuple[Credit, Learned | None]], now: float) -> None:
    """Write down what closed credits taught; call it in the transaction of their events."""
    for credit, learned in closed:
        memory.close_credit(credit.delegation)
        if learned is not None:
            memory.learn(credit, lasted=learned.lasted, at=now)


def remember_attempt(memory: Memory, credit: Credit, *, ok: bool, now: float) -> None:
    """Write down a settled recovery: open credit if it seems to have worked, a failure if it did not."""
    if ok:
        memory.open_credit(credit)
    else:
        memory.learn(credit, lasted=False, at=now)
