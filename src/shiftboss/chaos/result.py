"""What one fault did to a stack and what the hub did about it: a row of the scorecard, real and simulated alike.

Made by chaos/real.py and the simulator, drawn by the scorecard. Plain values only.
"""

from collections.abc import Mapping
from typing import Any

from shiftboss.model.value import Value


class FaultResult(Value):
    """One run against one fault (or several at once: their names joined by +)."""

    name: str
    mode: str  #: real or simulated
    seed: int = 0
    skipped: str = ""  #: why it could not be put in here; then nothing below counts
    control: bool = False  #: nothing was wrong
    detected: bool = False  #: the run saw that something is wrong (a control: saw nothing wrong)
    diagnosed: bool = False  #: with the right kind of failure, and no wrong one
    mitigated: bool = False  #: it ended converged as it should, and the world agrees
    escalated_rightly: bool = False  #: it ended asking for a person (or for consent), as it should
    false_action: bool = False  #: something was done that the fault does not call for
    collateral: tuple[str, ...] = ()  #: what changed and need not have: components, or foreign processes that ended
    seconds: float = 0.0  #: from the start of the run that met it to its end (MTTR)
    delegations: int = 0
    least: int | None = None  #: the fewest delegations that would have done; None when not known
    ending: str = ""  #: as in model.run.Ending; empty when there was none
    notes: str = ""  #: what a person should know, in a sentence or two

    @property
    def good(self) -> bool:
        """Whether the target holds: mitigated or rightly escalated, nothing false done, nothing harmed needlessly."""
        right = self.mitigated or self.escalated_rightly
        return bool(self.skipped) or (right and not self.false_action and not self.collateral)


def plain(result: FaultResult) -> Mapping[str, Any]:
    """The result as plain JSON values."""
    return {**vars(result), "collateral": list(result.collateral), "good": result.good}
