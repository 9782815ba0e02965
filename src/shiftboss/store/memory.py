"""What lasted over runs: how long each kind of delegation takes here."""

from shiftboss.model.value import Value
from shiftboss.store.database import Database


class Duration(Value):
    """Seconds a kind of delegation took, folded over runs."""

    count: int
    mean: float
    last: float


class Memory:
    """Lessons of earlier runs, for estimates and plans."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def learn_duration(self, agent: str, component: str, mode: str, seconds: float) -> None:
        """Fold one more duration in (a running mean that forgets after about 20); call it in a transaction."""
        self._database.run("learn_duration", agent, component, mode, seconds)

    def durations(self) -> dict[tuple[str, str, str], Duration]:
        """By (agent, component, mode)."""
        rows = self._database.rows("durations")
        return {(a, c, m): Duration(count=n, mean=mean, last=last) for a, c, m, n, mean, last in rows}
