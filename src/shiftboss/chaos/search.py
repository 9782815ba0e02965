"""The least number of delegations that brings a simulated world to where everything is ready: breadth first.

It knows what really cures what, so it is a bound that no hub can beat; the scorecard divides by it. Pure.
"""

from collections.abc import Iterator

from shiftboss.chaos.world import Facts, World
from shiftboss.model.consent import Answer, rules_for
from shiftboss.model.fault import ENSURE, Fault
from shiftboss.model.move import Risk
from shiftboss.model.observation import Health

Act = tuple[str, str]
"""A strategy's name (or `ensure`), and the component."""

MOST = 5000
"""Worlds looked at before a search is given up; the mining stack needs a few hundred at most."""


class Search:
    """Remembers what it has found; one per world."""

    def __init__(self, world: World, chain: str = "regtest") -> None:
        rules = rules_for(chain, dict[Risk, Answer]())
        self._world = world
        self._found: dict[Facts, int | None] = {}
        self._strategies = {
            one.name: one for one in world.stack.strategies if rules[one.risk] is Answer.ALLOW
        }  # what a person would have to be asked about is not counted on

    def least(self, facts: Facts) -> int | None:
        """The least number of delegations to all ready; None where there is no way."""
        facts = self._world.waited(facts)
        if facts not in self._found:
            path = self.path(facts) if self._hopeful(facts) else None
            self._found[facts] = None if path is None else len(path)
        return self._found[facts]

    def path(self, facts: Facts) -> list[Act] | None:
        """One shortest way, as acts in order."""
        if self._world.ready(facts):
            return []
        came: dict[Facts, tuple[Facts, Act] | None] = {facts: None}
        edge = [facts]
        while edge and len(came) < MOST:
            following: list[Facts] = []
            for here in edge:
                for act, there in self._onward(here):
                    if there in came:
                        continue
                    came[there] = (here, act)
                    if self._world.ready(there):
                        return _walked(there, came)
                    following.append(there)
            edge = following
        return None

    def _hopeful(self, facts: Facts) -> bool:
        """Whether every fault that shows can be cured for good; if not, a search would only be long."""
        shown = [self._world.faults[name] for name in facts.faults]
        breaking = [fault for fault in shown if not fault.control and fault.breaks is not Health.READY]
        return all(not fault.recurs and self._ways(fault) for fault in breaking)

    def _ways(self, fault: Fault) -> list[str]:
        """What cures a fault, can be sent to its component, and needs nobody's consent."""
        return [act for act in fault.cures if act == ENSURE or self._can_go(act, fault.component)]

    def _can_go(self, act: str, component: str) -> bool:
        strategy = self._strategies.get(act)
        return strategy is not None and (not strategy.components or component in strategy.components)

    def _onward(self, facts: Facts) -> Iterator[tuple[Act, Facts]]:
        known = self._world.conditions(facts)
        for name, spec in self._world.stack.specs.items():
            if known[name].health is Health.READY:
                continue
            if all(known[need].health is Health.READY for need in spec.requires):
                yield (ENSURE, name), self._world.ensure(facts, name).facts
        for act in self._recoveries(facts):
            yield act, self._world.recover(facts, *act).facts

    def _recoveries(self, facts: Facts) -> list[Act]:
        found: set[Act] = set()
        for name in facts.faults:
            fault = self._world.faults[name]
            found.update((act, fault.component) for act in self._ways(fault) if act != ENSURE)
        return sorted(found)


def _walked(end: Facts, came: dict[Facts, tuple[Facts, Act] | None]) -> list[Act]:
    path: list[Act] = []
    step = came[end]
    while step is not None:
        here, act = step
        path.append(act)
        step = came[here]
    return path[::-1]
