"""What a group of settings is: a frozen keyword-only dataclass, made cheaply, whose fields carry their documentation.

Used by settings_table.py only. An ordinary frozen dataclass compiles its methods at import, about 0.7 ms each; with a
dozen groups that would be felt at every start. Here the groups share methods that are written once.
"""

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from typing import Any, NoReturn, cast, dataclass_transform

from shiftboss.settings_kinds import Kind


def setting(default: object, kind: Kind, doc: str, *, why: str) -> Any:
    """One row of the table: a field with its default (or what makes it), kind, sentence and the default's reason."""
    row = {"kind": kind, "doc": doc, "why": why}
    return field(default_factory=default, metadata=row) if callable(default) else field(default=default, metadata=row)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Group:
    """The base of all groups: fields are keyword arguments with defaults; values are equal when all fields are."""

    def __init_subclass__(cls) -> None:
        dataclass(init=False, repr=False, eq=False, match_args=False)(cls)

    def __init__(self, **values: object) -> None:
        for row in fields(cast("Any", self)):
            object.__setattr__(self, row.name, values.pop(row.name) if row.name in values else _default(row))
        if values:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(values)}")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"{type(self).__name__}.{name} can't be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"{type(self).__name__}.{name} can't be removed")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))


def _default(row: Field[Any]) -> object:
    return row.default if row.default_factory is MISSING else row.default_factory()
