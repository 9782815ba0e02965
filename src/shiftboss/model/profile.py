"""A kind of environment: which chain (or other variant) a stack runs on there, and which of its parts belong to it."""

from collections.abc import Mapping
from dataclasses import field

from shiftboss.model.value import Value


class Profile(Value):
    """What "ready" means in one kind of environment. Declared by a pack; closed under `requires`."""

    name: str
    chain: str  #: as the daemon calls it; consent has its defaults by chain
    what: str  #: one sentence for people
    parts: tuple[str, ...] = ()  #: components that belong there; empty: all
    settings: Mapping[str, str] = field(default_factory=dict[str, str])  #: defaults there, weaker than what anybody set
