"""How a setting is declared: a field of a plain value that carries its documentation.

Used by settings_table.py only.
"""

from dataclasses import field
from typing import Any

from shiftboss.settings_kinds import Kind


def setting(default: object, kind: Kind, doc: str, *, why: str) -> Any:
    """One row of the table: a field with its default (or what makes it), kind, sentence and the default's reason."""
    row = {"kind": kind, "doc": doc, "why": why}
    return field(default_factory=default, metadata=row) if callable(default) else field(default=default, metadata=row)
