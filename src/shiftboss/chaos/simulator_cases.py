"""Seeds -> cases: which faults meet in a run, which of them come later, in which weather. Pure and reproducible.

Case number n of a seed is always the same, whoever plays it and however many are played.
"""

from collections.abc import Sequence
from random import Random

from shiftboss.chaos.simulator import Case
from shiftboss.model.fault import Fault, Moment

SHARES = ((0.10, 0), (0.55, 1), (0.85, 2), (1.0, 3))
"""Up to this share of the runs: so many faults (0: a control)."""

COMES_LATER = 0.4
"""How often the second and third fault come while the run lasts."""

LATEST = 25.0
RECURRING = 0.05
"""How often the first fault is a recurring one, beside its turn."""


class Cases:
    """What may happen, from a catalogue."""

    def __init__(self, faults: Sequence[Fault], seed: int, *, groups: Sequence[Sequence[Fault]] = ()) -> None:
        """`groups`: only these, one after the other; each is one fault, or several that meet in one run."""
        self._seed = seed
        self._groups = [list(group) for group in groups]
        self._controls = [fault for fault in faults if fault.control]
        self._faults = [fault for fault in faults if not fault.control]
        self._recurring = [fault for fault in self._faults if fault.recurs]

    def case(self, number: int) -> Case:
        """Case number n."""
        name = f"{self._seed}/{number}"
        chance = Random(name)  # noqa: S311 - for variety, not for secrets
        if self._groups:
            return _together(name, self._groups[number % len(self._groups)], chance)
        drawn = chance.random()
        count = next(count for share, count in SHARES if drawn <= share)
        if self._controls and (count == 0 or not self._faults):
            return _single(name, self._controls[number % len(self._controls)])
        first = self._faults[chance.randrange(len(self._faults))]
        if self._recurring and chance.random() < RECURRING:
            first = chance.choice(self._recurring)
        return self._several(name, first, max(0, count - 1), chance)

    def _several(self, name: str, first: Fault, more: int, chance: Random) -> Case:
        there, late = [first.name], list[tuple[float, str]]()
        others = [fault for fault in self._faults if fault is not first]
        for fault in chance.sample(others, min(len(others), 3 * more)):
            if len(there) + len(late) > more:
                break
            if fault.moment is Moment.RUNNING and chance.random() < COMES_LATER:
                late.append((_some_time(chance), fault.name))
            elif fault.moment is first.moment:
                there.append(fault.name)
        return Case(seed=name, faults=tuple(there), late=tuple(late), moment=first.moment)


def _some_time(chance: Random) -> float:
    return round(chance.uniform(0.5, LATEST), 3)


def _together(name: str, group: Sequence[Fault], chance: Random) -> Case:
    """These faults in one run; what needs a running stack comes later where the first does not."""
    moment = group[0].moment
    late = [one for one in group if one.moment is Moment.RUNNING and moment is not Moment.RUNNING]
    there = tuple(one.name for one in group if one not in late)
    return Case(seed=name, faults=there, late=tuple((_some_time(chance), one.name) for one in late), moment=moment)


def _single(name: str, fault: Fault) -> Case:
    return Case(seed=name, faults=(fault.name,), moment=fault.moment)
