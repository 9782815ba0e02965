"""Who goes first where not all may start at once: by how long the way is that begins with each.

Made by engine/schedule.py, kept by engine/precedence.py for a run; the brain reads its reasons here.
"""

from collections.abc import Mapping
from dataclasses import field

from shiftboss.model.value import Value

DECLARED = "declared"
"""The rule that no rule is: as the pipeline lists its components."""


class Ranking(Value):
    """Priorities by `environment/component`, and what they come from."""

    rule: str = DECLARED
    priorities: Mapping[str, float] = field(default_factory=dict[str, float])  #: higher goes first; else as declared
    remaining: Mapping[str, float] = field(default_factory=dict[str, float])  #: seconds to the end of the longest way
    onward: Mapping[str, str] = field(default_factory=dict[str, str])  #: what comes next on that way
    seconds: float | None = None  #: expected for all of it; None: not simulated
    declared: float | None = None  #: expected in declared order

    def way(self, key: str, most: int = 4) -> tuple[str, ...]:
        """The longest way that begins with a component, by component names; of a long one the beginning."""
        names: list[str] = []
        one: str | None = key
        while one is not None and len(names) < most:
            names.append(one.partition("/")[2])
            one = self.onward.get(one)
        return (*names, "...") if one is not None else tuple(names)
