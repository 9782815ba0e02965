"""Take secrets out of text before it is journalled, shown or reported."""

import re
from typing import Any, cast

_SECRETS = (
    re.compile(r"(__cookie__:)[0-9a-zA-Z]+"),
    re.compile(r"(rpc(?:password|user|auth)\s*[=:]\s*)\S+", re.IGNORECASE),
    re.compile(r"(://[^/\s:@]+:)[^@\s/]+(?=@)"),
    re.compile(r"((?:passw(?:or)?d|passphrase|secret|token|api[_-]?key)[\"']?\s*[=:]\s*)\"[^\"]*\"", re.IGNORECASE),
    re.compile(
        r"((?:passw(?:or)?d|passphrase|secret|token|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;]+", re.IGNORECASE
    ),
    re.compile(r"(authorization:\s*\w+\s+)\S+", re.IGNORECASE),
)


_HINT = re.compile(r"cookie|pass|rpc|secret|token|key|auth|://", re.IGNORECASE)
"""One of these stands in everything that the patterns above find: most texts are done with after one look."""


def redact_all(value: Any) -> Any:
    """A plain JSON value with every text in it redacted."""
    match value:
        case str():
            return redact(value)
        case dict():
            held = cast("dict[str, Any]", value)
            return {key: redact_all(one) for key, one in held.items()}
        case list() | tuple():
            return [redact_all(one) for one in cast("list[Any]", value)]
        case _:
            return value


def redact(text: str) -> str:
    """The text with every value that looks like a secret replaced."""
    if not _HINT.search(text):
        return text
    for pattern in _SECRETS:
        text = pattern.sub(r"\1[removed]", text)
    return text
