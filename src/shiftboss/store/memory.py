"""What lasted over runs: how long things take here, which recoveries held, and what people mended by hand.

Writing is done within the transaction of the events it follows from (Journal.append's `within`), so that journal and
memory never tell different stories. Reading is for the start of a run and for `shiftboss memory`.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from shiftboss.model.duration import Conditions, Duration, Kind, added
from shiftboss.model.lesson import Credit, Lesson
from shiftboss.model.value import Value
from shiftboss.store.database import Database


class Remedy(Value):
    """A failure that went away while a person was at work, with what had changed by then."""

    signature: str
    component: str
    what: str
    at: float  #: unix seconds


class Memory:
    """Lessons of earlier runs, for estimates, plans and recoveries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def learn_duration(self, kind: Kind, seconds: float, conditions: Conditions, at: float) -> None:
        """Keep one more duration (unix seconds `at`); call it in a transaction."""
        key = (*kind, conditions.profile, conditions.host, conditions.versions)
        found = self._database.rows("duration", *key)
        samples, count = found[0] if found else ("[]", 0)
        kept = json.dumps(added(json.loads(samples), round(seconds, 4)))
        self._database.run("keep_duration", *key, kept, count + 1, at)

    def durations(self) -> list[Duration]:
        """What all kinds of orders took, in all places."""
        return [
            Duration(
                agent=agent,
                component=component,
                mode=mode,
                conditions=Conditions(profile=profile, host=host, versions=versions),
                samples=tuple(json.loads(samples)),
                count=count,
                seen=seen,
            )
            for agent, component, mode, profile, host, versions, samples, count, seen in self._database.rows(
                "durations"
            )
        ]

    def learn(self, credit: Credit, *, lasted: bool, at: float) -> None:
        """Fold in whether a recovery lasted. One that did not loses what it had earned: the lesson is dropped.

        What was learned with other versions is forgotten with the first lesson of these.
        """
        one = credit
        self._database.run("drop_other_versions", one.signature, one.versions)
        kind = "lesson_lasted" if lasted else "lesson_failed"
        self._database.run(kind, one.signature, one.strategy, one.seconds, one.versions, at)

    def open_credit(self, credit: Credit) -> None:
        """Keep a credit that a later moment, or a later run, will settle; idempotent."""
        values = [getattr(credit, name) for name in _CREDIT]
        self._database.run("open_credit", *values)

    def close_credit(self, delegation: str) -> None:
        """Drop a credit; idempotent."""
        self._database.run("close_credit", delegation)

    def drop_credits(self, environment: str) -> None:
        """Drop the open credits of an environment: a person changed its data, so nothing can be told any more."""
        with self._database.transaction():
            self._database.run("drop_credits", environment)

    def credits(self, environments: Iterable[str], versions: str) -> list[Credit]:
        """The open credits of some environments, with these versions."""
        wanted = set(environments)
        rows = [dict(zip(_CREDIT, row, strict=True)) for row in self._database.rows("credits")]
        found = [Credit(**row) for row in rows]
        return [one for one in found if one.environment in wanted and one.versions == versions]

    def lessons(self, versions: str | None = None) -> list[Lesson]:
        """All lessons, or those learned with these versions; best known first."""
        rows = self._database.rows("lessons")
        found = [Lesson(**dict(zip(_LESSON, row, strict=True))) for row in rows]
        return [one for one in found if versions is None or one.versions == versions]

    def mended_by_hand(self, remedy: Remedy) -> None:
        """Keep what a person changed when a failure went away."""
        self._database.run("add_remedy", remedy.signature, remedy.component, remedy.what, remedy.at)

    def remedies(self) -> list[Remedy]:
        """What people did, newest first."""
        rows = self._database.rows("remedies")
        return [Remedy(signature=s, component=c, what=w, at=at) for s, c, w, at in rows]

    def forget(self, signature: str | None = None, strategy: str | None = None) -> int:
        """Forget lessons, credits and remedies: all, those of a signature (or its beginning), or of a strategy there.

        How many lessons were forgotten. Durations are kept.
        """
        pattern = _begins_with(signature or "")
        gone = len(self._database.rows("lessons_like", pattern, strategy))
        with self._database.transaction():
            self._database.run("forget_lessons", pattern, strategy)
            self._database.run("forget_credits", pattern, strategy)
            if strategy is None:
                self._database.run("forget_remedies", pattern)
        return gone

    def export(self) -> dict[str, Sequence[dict[str, Any]]]:
        """Everything as plain values."""
        durations = [{**vars(one), "conditions": dict(vars(one.conditions))} for one in self.durations()]
        return {
            "lessons": [{**vars(one), "rate": round(one.rate, 3)} for one in self.lessons()],
            "remedies": [dict(vars(one)) for one in self.remedies()],
            "durations": durations,
        }


def _begins_with(text: str) -> str:
    """The LIKE pattern for texts that begin so; `_` and `%` mean themselves."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%"


_LESSON = ("signature", "strategy", "lasted", "failed", "seconds", "versions", "seen")
_CREDIT = (
    "delegation",
    "environment",
    "component",
    "signature",
    "strategy",
    "at",
    "due",
    "instance",
    "seconds",
    "versions",
)
