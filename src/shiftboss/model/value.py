"""The base of all plain values: frozen, keyword-only, equal when their fields are equal.

To a type checker, and to `dataclasses.fields`, `replace` and `asdict`, a subclass is a frozen dataclass. But an
ordinary one compiles five methods of its own at import, about 0.7 ms; with some sixty kinds of values that was a
quarter of the time of a run that changes nothing. Here all kinds share methods that are written once.
"""

from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from typing import Any, ClassVar, NoReturn, Self, cast, dataclass_transform


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Value:
    """A value whose fields are keyword arguments; a missing or unknown one raises TypeError."""

    _template: ClassVar[dict[str, Any]]  #: every field in order, with its default where it has one
    _required: ClassVar[frozenset[str]]
    _made: ClassVar[dict[str, Any]]  #: fields whose default is made anew for each value
    _compared: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        dataclass(init=False, repr=False, eq=False, match_args=False)(cls)
        rows = fields(cast("Any", cls))
        cls._template = {row.name: None if row.default is MISSING else row.default for row in rows}
        cls._made = {row.name: row.default_factory for row in rows if row.default_factory is not MISSING}
        missing = {row.name for row in rows if row.default is MISSING and row.default_factory is MISSING}
        cls._required = frozenset(missing)
        cls._compared = tuple(row.name for row in rows if row.compare)

    def __init__(self, **values: Any) -> None:
        held = self.__dict__
        held.update(self._template, **values)
        if len(held) != len(self._template) or not self._required <= values.keys():
            raise TypeError(_complaint(type(self).__name__, self._required, self._template, values))
        for name, make in self._made.items():
            if name not in values:
                held[name] = make()

    def but(self, **changes: Any) -> Self:
        """The same value with some fields changed; as `dataclasses.replace`, but quick."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.__dict__.update(changes)
        return new

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"{type(self).__name__}.{name} can't be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"{type(self).__name__}.{name} can't be removed")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine, theirs = vars(self), vars(other)
        return all(mine[name] == theirs[name] for name in self._compared)

    def __hash__(self) -> int:
        held = vars(self)
        return hash(tuple(held[name] for name in self._compared))


def _complaint(kind: str, required: frozenset[str], template: dict[str, Any], values: dict[str, Any]) -> str:
    unknown = ", ".join(sorted(values.keys() - template.keys()))
    missing = ", ".join(sorted(required - values.keys()))
    said = [f"has no field {unknown}"] if unknown else []
    return f"{kind} {' and '.join([*said, *([f'needs {missing}'] if missing else [])])}"
