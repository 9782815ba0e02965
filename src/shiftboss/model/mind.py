"""What is asked of a language model and what it answers, as plain values. `minds` knows which model that is."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from shiftboss.model.value import Value


class FieldKind(StrEnum):
    """What one part of an answer may be."""

    CHOICE = "choice"  #: exactly one of the options
    CHOICES = "choices"  #: several of the options, or none
    TEXT = "text"
    TEXTS = "texts"  #: a list of texts


class Field(Value):
    """One part of the answer a question wants; nothing outside its options can come back."""

    name: str
    kind: FieldKind
    doc: str  #: one sentence for the model
    options: tuple[str, ...] = ()
    most: int = 8  #: entries of a list
    size: int = 300  #: characters of a text; small models do not stop by themselves


class Question(Value):
    """Everything a model is given for one answer."""

    purpose: str  #: decide, goal, work
    system: str  #: who it is and what holds always
    text: str  #: what is so now; holds untrusted text, marked as such
    fields: tuple[Field, ...]


class Usage(Value):
    """What answers have cost so far."""

    calls: int = 0
    tokens: int = 0
    money: float = 0.0  #: US dollars, as far as prices are known

    def plus(self, other: "Usage") -> "Usage":
        """Both together."""
        return Usage(calls=self.calls + other.calls, tokens=self.tokens + other.tokens, money=self.money + other.money)


class Allowance(Value):
    """What models may cost in one run."""

    calls: int = 200
    tokens: int = 400_000
    money: float = 1.0

    def lacking(self, used: Usage) -> str:
        """Why no further call may be made, in a sentence; empty while one may."""
        if used.calls >= self.calls:
            return f"the run's {self.calls} model calls are spent (brain.calls)"
        if used.tokens >= self.tokens:
            return f"the run's {self.tokens} tokens are spent (brain.tokens)"
        if used.money >= self.money:
            return f"the run's {self.money:g} US dollars for models are spent (brain.money)"
        return ""


class Reply(Value):
    """A model's answer, of the shape that was asked for."""

    values: Mapping[str, Any] = field(default_factory=dict[str, Any])  #: field name -> text or list of texts
    model: str
    usage: Usage = Usage()
    seconds: float = 0.0
    replayed: bool = False  #: out of a recording
