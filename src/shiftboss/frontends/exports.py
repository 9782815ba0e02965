"""The endpoints as environment variables, for a shell (`shiftboss env`) and for a command that CI runs on the stack.

Pure. No name holds a double underscore: those are settings.
"""

import re
from collections.abc import Mapping
from typing import Any

from shiftboss.frontends.text import clean


def variables(endpoints: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """SHIFTBOSS_RPC and its like of the first environment; of several also SHIFTBOSS_ALICE_RPC of each."""
    found: dict[str, str] = {}
    for number, (name, one) in enumerate(endpoints.items()):
        if number == 0:
            found |= _named("SHIFTBOSS", one)
        if len(endpoints) > 1:
            found |= _named(f"SHIFTBOSS_{prefix(name)}", one)
    return found


def prefix(environment: str) -> str:
    """An environment's name as a part of a variable's: `my-node` is MY_NODE."""
    return re.sub(r"[^A-Z0-9]+", "_", environment.upper()).strip("_")


def _named(start: str, endpoints: Mapping[str, Any]) -> dict[str, str]:
    return {f"{start}_{prefix(name)}": clean(value) for name, value in endpoints.items() if value is not None}
