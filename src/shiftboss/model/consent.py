"""Who may do what without being asked: allow, ask or deny per risk class; and what a person has said to one act.

An approval binds to the exact act: its hash covers everything that is done and to what. If the act changes, the
approval is worth nothing and a person is asked again (DESIGN sections 4, 7 and 9).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from shiftboss.model.move import Move, Risk
from shiftboss.model.value import Value


class Answer(StrEnum):
    """What consent says to a move."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


def _defaults(destructive: Answer) -> dict[Risk, Answer]:
    return {
        Risk.SAFE: Answer.ALLOW,
        Risk.DISRUPTIVE: Answer.ALLOW,
        Risk.DESTRUCTIVE: destructive,
        Risk.FOREIGN: Answer.ASK,
        Risk.SYSTEM: Answer.ASK,
    }


def rules_for(chain: str, given: Mapping[Risk, Answer]) -> dict[Risk, Answer]:
    """The answer for each risk class: what was set, else the chain's default.

    A chain that can be made anew in a second may be moved aside without asking; the main chain never is.
    """
    destructive = {"regtest": Answer.ALLOW, "main": Answer.DENY}.get(chain, Answer.ASK)
    return {**_defaults(destructive), **given}


def act_of(move: Move, signature: str | None) -> str:
    """The name of exactly this act: 12 hex digits over what is done, to what, and against which failure."""
    act = [
        move.environment,
        move.component,
        str(move.mode),
        move.strategy,
        str(move.risk),
        list(move.touches),
        move.target,
        signature,
    ]
    return hashlib.sha256(json.dumps(act).encode()).hexdigest()[:12]


class Consent(Value):
    """What may be done in one environment, and what a person has said so far."""

    rules: Mapping[Risk, Answer] = field(default_factory=lambda: rules_for("regtest", {}))
    approved: frozenset[str] = frozenset()  #: acts
    denied: frozenset[str] = frozenset()  #: acts

    def to(self, move: Move, signature: str | None) -> Answer:
        """What consent says to a move against a failure. A denial outweighs everything; no approval undoes `deny`."""
        act = act_of(move, signature)
        rule = self.rules[move.risk]
        if act in self.denied or rule is Answer.DENY:
            return Answer.DENY
        return Answer.ALLOW if act in self.approved else rule
