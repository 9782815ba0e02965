"""What is drawn as a table at the end of a run: components, endpoints, proof.

Pure; drawn by plain.py, and in colours by terminal.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shiftboss.frontends.text import clean, seconds_text
from shiftboss.model.value import Value
from shiftboss.view import RunView

Named = Mapping[str, Mapping[str, Any]]


class Table(Value):
    """A title, the heads of the columns (may be empty), and rows of plain text."""

    title: str
    heads: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]]


def components_table(rows: Iterable[tuple[str, str, str, str]]) -> Table:
    """Rows of environment, component, health, summary; the environment is left out where there is only one."""
    found = list(rows)
    several = len({row[0] for row in found}) > 1
    shown = [(f"{e}/{c}" if several else c, health, clean(text)) for e, c, health, text in found]
    return Table(title="Components", heads=("component", "health", "what is seen"), rows=shown)


def of_run(view: RunView) -> Table:
    """The components as the run last saw them."""
    return components_table((c.environment, c.component, c.health, c.summary) for c in view.components.values())


def endpoints_table(environment: str, endpoints: Mapping[str, Any]) -> Table:
    """Where the parts are reached."""
    rows = [(clean(name).replace("_", " "), clean(value)) for name, value in endpoints.items() if value]
    return Table(title=f"Endpoints of {environment}", rows=rows)


def proof_table(environment: str, proof: Mapping[str, Any]) -> Table:
    """What was proven, and each checkpoint with its time.

    The labels are short enough for a block's hash to stay on one line of 80 columns.
    """
    rows = [
        ("height", f"{proof.get('height_before')} -> {proof.get('height_after')}"),
        ("block", clean(proof.get("block_hash", ""))),
        ("transactions", clean(proof.get("transactions", ""))),
        ("pays to", clean(proof.get("coinbase_address", ""))),
        ("shares", clean(proof.get("shares_accepted", ""))),
    ]
    rows += [(f"after {seconds_text(float(one['seconds']))}", _checkpoint(one)) for one in proof.get("checkpoints", ())]
    return Table(title=f"Proof of {environment}", rows=rows)


_TOLD = ("name", "seconds", "after")


def _checkpoint(one: Mapping[str, Any]) -> str:
    facts = ", ".join(f"{name} {clean(value)}" for name, value in one.items() if name not in _TOLD)
    return f"{clean(one['name'])} ({facts})" if facts else clean(one["name"])


def end_tables(view: RunView, endpoints: Named, proof: Named) -> list[Table]:
    """Everything a run ends with."""
    tables = [of_run(view)]
    if view.start is None or view.start.goal.get("want") != "down":
        tables += [endpoints_table(name, one) for name, one in endpoints.items() if one]
        tables += [proof_table(name, one) for name, one in proof.items() if one]
    return tables
