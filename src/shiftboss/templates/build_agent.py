"""Plain data of an agent file -> Agent, with its handler, its components and its keywords.

Called by loader.py and user.py; build.py takes the reading of texts and keywords from here. It trusts the shape,
decides nothing about meaning (checks.py does) and reads no file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shiftboss.model.pipeline import KINDS, Agent, ComponentSpec, HandlerOptions

Document = Mapping[str, Any]

KEYWORD_KEYS = ("choice", "id", "name")  #: where a decision's keyword may stand
_COMPONENT_NUMBERS = ("estimate", "patience", "deadline")
_OPTIONS_AS_WRITTEN = ("seconds", "steps", "model", "money")


def agent_from(doc: Document, source: str) -> Agent:
    """An agent file's data as an Agent; targets written as ./file.py become absolute paths."""
    words, notes = decisions_of(doc.get("decisions") or ())
    handler: str | Document | None = doc.get("handler")
    return Agent(
        id=doc["id"],
        name=doc.get("name") or "",
        role=doc.get("role") or "",
        description=doc.get("description") or "",
        expertise=tuple(doc.get("expertise") or ()),
        system_prompt=text_of(doc.get("systemPrompt")),
        output_format=text_of(doc.get("outputFormat")),
        decisions=words,
        decision_notes=notes,
        delegation=doc.get("delegation"),
        handler=None if handler is None else _handler(handler, source),
        options=HandlerOptions() if handler is None or isinstance(handler, str) else _options(handler, source),
        components=tuple(_component(item, source) for item in doc.get("components") or ()),
        limits=dict(doc.get("limits") or {}),
        source=source,
    )


def _handler(written: str | Document, source: str) -> str:
    if isinstance(written, str):
        return written if written in KINDS else target(written, source)
    return target(written["target"], source) if written["kind"] == "python" else written["kind"]


def _options(written: Document, source: str) -> HandlerOptions:
    """What each kind of handler says of itself; a Python function says nothing."""
    return HandlerOptions(
        argv=command(written.get("argv") or (), source),
        environment=dict(written.get("environment") or {}),
        folder=beside(written.get("folder") or "", source),
        outcomes=dict(written.get("outcomes") or {}),
        tools=tuple(written.get("tools") or ()),
        commands=tuple(_words(item) for item in written.get("commands") or ()),
        **{key: written[key] for key in _OPTIONS_AS_WRITTEN if written.get(key) is not None},
    )


def _words(written: str | Sequence[str]) -> tuple[str, ...]:
    if not isinstance(written, str):
        return tuple(written)
    import shlex

    return tuple(shlex.split(written))


def text_of(value: str | Sequence[str] | None) -> str:
    """A text written as one string or as a list of lines."""
    if value is None or isinstance(value, str):
        return value or ""
    return "\n".join(value)


def target(written: str, source: str) -> str:
    """A `module:function` as it stands; a `path.py:function` with the path made absolute beside its file."""
    module, colon, function = written.rpartition(":")
    if not module.endswith(".py"):
        return written
    return f"{(Path(source).parent / module).resolve()}{colon}{function}"


def command(argv: Sequence[str], source: str) -> tuple[str, ...]:
    """Program and arguments; a program written ./x is the file x beside this one."""
    return (beside(argv[0], source), *argv[1:]) if argv else ()


def beside(written: str, source: str) -> str:
    """A path written ./x or ../x as the absolute path beside its file; anything else as it stands."""
    if not written.startswith(("./", "../")) and written not in (".", ".."):
        return written
    return str((Path(source).parent / written).resolve())


def _component(doc: Document, source: str) -> ComponentSpec:
    numbers = {key: float(doc[key]) for key in _COMPONENT_NUMBERS if key in doc}
    probe: str | Document = doc["probe"]
    return ComponentSpec(
        name=doc["name"],
        probe=target(probe, source) if isinstance(probe, str) else "",
        asks=() if isinstance(probe, str) else command(probe["argv"], source),
        requires=tuple(doc.get("requires") or ()),
        locks=tuple(doc.get("locks") or ()),
        shared=bool(doc.get("shared")),
        description=doc.get("description") or "",
        **numbers,
    )


def decisions_of(written: Sequence[Any]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Keywords in their order, and what is noted about them."""
    pairs = [_decision(item) for item in written]
    return tuple(word for word, _ in pairs), {word: note for word, note in pairs if note}


def _decision(item: Any) -> tuple[str, str]:
    if isinstance(item, str):
        return item, ""
    return word_of(item), item.get("description") or ""


def word_of(item: Document) -> str:
    """The keyword of a decision that is written as an object."""
    return next(item[key] for key in KEYWORD_KEYS if item.get(key))
