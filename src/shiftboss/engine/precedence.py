"""Who goes first in a run: the learned order, worked out when there is something to do after there was nothing.

The hub asks for the place of each component on its board; engine/work.py makes the ranking. A run that finds nothing
to do loads none of it. Only the durations of bringing something up count: what fails meanwhile is seen to in its place.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from shiftboss.engine.charter import Charter
from shiftboss.engine.moves import Options
from shiftboss.model.duration import kind_of
from shiftboss.model.gap import Gap
from shiftboss.model.move import Mode
from shiftboss.model.ranking import DECLARED, Ranking
from shiftboss.model.run import Want

if TYPE_CHECKING:
    from shiftboss.model.estimate import Estimates


class Precedence:
    """The ranking of one run. Without durations in its charter, and for what is to be stopped, the declared order."""

    def __init__(self, charter: Charter) -> None:
        self._charter = charter
        self._stack = charter.stack
        self._expect = None if charter.goal.want is Want.DOWN else charter.expect
        self._known: Mapping[str, Estimates] | None = None
        self._begun = False
        self.ranking = Ranking()

    def begin(self, gaps: Mapping[str, Gap]) -> None:
        """Rank what is to be done; nothing changes then until all of it is done."""
        if self._expect is None or bool(gaps) == self._begun:
            return
        self._begun = bool(gaps)
        if gaps:
            from shiftboss.engine.work import ranked, work_of

            seconds = {key: self._seconds(key) for key in gaps}
            self.ranking = ranked(work_of(self._stack, gaps, seconds), gaps, self._charter.parallel)

    def _seconds(self, key: str) -> float:
        """Expected for bringing a component up."""
        if self._known is None:
            self._known = self._expect() if self._expect else {}
        environment, _, name = key.partition("/")
        declared, known = self._stack.specs[name].estimate, self._known.get(environment)
        return (
            known.of(kind_of(self._stack.owners[name].id, name, Mode.ENSURE), declared).seconds if known else declared
        )

    def place(self, key: str) -> tuple[float, int]:
        """Where a component stands among those that may start; the smallest first."""
        order = self._stack.order[key.partition("/")[2]]
        if self.ranking.rule == DECLARED:
            return 0.0, order
        priority = self.ranking.priorities.get(key)
        return -(self._remaining(key) if priority is None else priority), order

    def _remaining(self, key: str) -> float:
        """Seconds to the end of the longest way that begins there; also for what was well when the ranking was made."""
        known = self.ranking.remaining.get(key)
        if known is not None:
            return known
        environment, _, name = key.partition("/")
        near = (self.ranking.remaining.get(f"{environment}/{one}", 0.0) for one in self._stack.dependents[name])
        return self._seconds(key) + max(near, default=0.0)

    def told(self, key: str, options: Options) -> Options:
        """The options, with how far it is from there in each move."""
        if not self.ranking.remaining or not options.moves:
            return options
        remaining = self._remaining(key)
        return options.but(moves=tuple(move.but(remaining=remaining) for move in options.moves))
