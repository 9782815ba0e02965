"""What an agent that is a prompt or a command is told with its order, beyond the names that the order carries."""

from collections.abc import Mapping
from dataclasses import field

from shiftboss.model.value import Value


class Brief(Value):
    """The words around an order: what the user wants, what came before, what was said meanwhile."""

    prompt: str = ""  #: the user's own words
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])  #: stage or component -> what its agent put out
    notes: Mapping[int, str] = field(default_factory=dict[int, str])  #: number -> what a person said, still open
    decisions: tuple[str, ...] = ()  #: what the agent may answer here, success first and failure second
    meanings: Mapping[str, str] = field(default_factory=dict[str, str])  #: decision -> what it means
    task: str = ""  #: what this stage asks for, where its file says so
