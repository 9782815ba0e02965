"""What is to be done in a run: its gaps, and on the board what may be done about each. Kept up to date for the hub.

Costs what changed, not what there is. It decides and writes nothing; what a person should be told goes to `warn`.
"""

from collections.abc import Callable, Iterable

from shiftboss.engine.analyse import Analysis
from shiftboss.engine.board import Board
from shiftboss.engine.charter import Charter
from shiftboss.engine.learner import Learner
from shiftboss.engine.lookout import Lookout
from shiftboss.engine.moves import Options, options_for
from shiftboss.engine.precedence import Precedence
from shiftboss.engine.scripted import ScriptedBoard
from shiftboss.engine.state import RunState
from shiftboss.engine.terms import terms_for
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.pipeline import PipelineKind
from shiftboss.system.clock import Clock

Warn = Callable[[str, str, str], None]
"""(text, environment, component) -> nothing: tells a person."""


class Agenda:
    """The gaps of one run and the moves that close them."""

    def __init__(
        self, charter: Charter, state: RunState, learner: Learner, lookout: Lookout, clock: Clock, warn: Warn
    ) -> None:
        self._charter, self._state, self._learner = charter, state, learner
        self._lookout, self._clock, self._warn = lookout, clock, warn
        self._analysis = Analysis(charter.stack, charter.goal, learner.forecasts, charter.parts)
        self.gaps: dict[str, Gap] = {}
        self.open: dict[str, set[str]] = {environment: set() for environment in charter.environments}  #: keys of gaps
        scripted = charter.stack.pipeline.kind is PipelineKind.SCRIPTED
        self.board = ScriptedBoard(charter.stack, charter.steps, charter.environments) if scripted else Board()
        self.precedence = Precedence(charter)
        self.changed = lookout.all_keys()  # also for a run taken up again, whose gaps nobody has read off yet
        self._warned: set[str] = set()  #: forecasts nothing can be done about, told once

    def refresh(self) -> None:
        """Take in what has changed."""
        looked = self._analysis.update(self.gaps, self.changed, self._state.snapshot)
        self.precedence.begin(self.gaps)
        for key in looked | self.changed:
            self.place(key)
        self.changed.clear()

    def place(self, key: str) -> None:
        """Think over what may be done about one component now."""
        environment = key.partition("/")[0]
        gap = self.gaps.get(key)
        options = None
        self._lookout.resting.discard(key)
        if gap is not None and key not in self._state.in_flight and environment not in self._state.endings:
            options = self._options(gap)
            if gap.kind is GapKind.FORECAST and options.hopeless:
                self._only_warn(gap, options.hopeless)
                gap = options = None
            elif options.rest > 0:
                self._lookout.rest(key, options.rest)
        (self.open[environment].add if gap else self.open[environment].discard)(key)
        self.board.put(key, self.precedence.place(key), options)

    def _options(self, gap: Gap) -> Options:
        state, key = self._state, gap.key
        waited = state.waited(key, self._clock.now())
        terms = terms_for(self._charter, state, self._learner.lessons, key)
        options = options_for(gap, self._charter.stack, state.ledger[key], terms, waited=waited)
        return self.precedence.told(key, options)

    def place_all(self, environment: str) -> None:
        """Think over all that is open in an environment."""
        for key in sorted(self.open[environment]):
            self.place(key)

    def put_off(self, keys: Iterable[str]) -> None:
        """Nothing is decided about these until they have been looked at."""
        for key in keys:
            self.board.put(key, self.precedence.place(key), None)
            self.changed.add(key)

    def _only_warn(self, gap: Gap, why: str) -> None:
        """Something is coming that nothing here can prevent: a person is told, once, and the run goes on."""
        self.gaps.pop(gap.key, None)
        if gap.id not in self._warned:
            self._warned.add(gap.id)
            self._warn(f"{gap.why} ({why})", gap.environment, gap.component)
