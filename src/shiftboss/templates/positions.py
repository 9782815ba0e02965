"""Where a key stands in a JSON or YAML file, and the file's data; only for users' files.

PyYAML's nodes carry their marks, and JSON is read through them too (with the tabs made spaces), so both kinds get
line numbers from the same code. Broken syntax becomes a Finding with line and column. Nothing here knows what the
data means.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import yaml

from shiftboss.model.value import Value
from shiftboss.templates.finding import DocumentPath, Finding

_MOST_NODES = 100_000  #: a template has a few hundred; aliases can blow up a tiny file to billions
_MOST_BYTES = 2_000_000
_DEEPEST = 100  #: levels; a template has six

# The C loader is about ten times as fast, but not every build of PyYAML has it.
_LOADER: type[yaml.SafeLoader] = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class Positions:
    """Lines of a document's parts."""

    def __init__(self, root: yaml.Node | None = None) -> None:
        self._root = root

    def line(self, path: DocumentPath) -> int | None:
        """The 1-based line of the part at that path, or of the nearest part around it that exists."""
        if self._root is None:
            return None
        node, line = self._root, self._root.start_mark.line + 1
        for step in path:
            found = _step(node, step)
            if found is None:
                break
            node, line = found
        return line


class Parsed(Value):
    """A file's data with its positions; no data where the syntax is broken."""

    data: Any = None
    positions: Positions
    findings: tuple[Finding, ...] = ()


def parse(path: Path) -> Parsed:
    """Read and parse one template file; whatever is wrong with it comes back as findings, never as an error."""
    source = str(path)
    try:
        raw = path.read_bytes()
        if len(raw) > _MOST_BYTES:
            return _broken(source, f"the file has {len(raw)} bytes", "A template is far smaller; split it.")
        text = raw.decode("utf-8-sig")
    except OSError as error:
        return _broken(source, f"the file can't be read: {error.strerror}", "Check the path and its rights.")
    except UnicodeDecodeError as error:
        return _broken(source, f"not UTF-8 text (byte {error.start})", "Save the file as UTF-8.")
    return _parse_json(text, source) if path.suffix == ".json" else _parse_yaml(text, source)


def _parse_json(text: str, source: str) -> Parsed:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        return _broken(source, f"broken JSON at {where}: {error.msg}", "Mend the syntax there.", error.lineno)
    except (RecursionError, ValueError) as error:  # nested too deep, or a number of thousands of digits
        return _broken(source, f"unreadable JSON: {error}", "A template is a few levels deep and has small numbers.")
    try:
        root = _compose(text.replace("\t", " "))
    except (yaml.YAMLError, RecursionError):
        return Parsed(data=data, positions=Positions())  # valid JSON that YAML can't read: no lines then
    return Parsed(data=data, positions=Positions(root), findings=_repeated_keys(root, source))


def _parse_yaml(text: str, source: str) -> Parsed:
    try:
        root = _compose(text)
        trouble = _too_large(root)
        data: Any = None if trouble else yaml.load(text, Loader=_LOADER)  # noqa: S506 (it is the safe loader)
    except yaml.YAMLError as error:
        return _broken_yaml(error, source)
    except RecursionError as error:
        return _broken(source, f"unreadable YAML: {error}", "A template is a few levels deep.")
    except ValueError as error:
        return _broken(source, f"broken YAML: {error}", "Put texts that look like dates in quotes.")
    if trouble:
        return _broken(source, trouble, "Write the parts out instead of using aliases (*name).")
    return Parsed(data=data, positions=Positions(root), findings=_repeated_keys(root, source))


def _broken_yaml(error: yaml.YAMLError, source: str) -> Parsed:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    if not isinstance(error, yaml.MarkedYAMLError) or mark is None:
        return _broken(source, f"broken YAML: {' '.join(str(error).split())}", "Mend the syntax.")
    where = f"line {mark.line + 1}, column {mark.column + 1}"
    what = f"broken YAML at {where}: {error.problem}"
    return _broken(source, what, "Mend the syntax there.", mark.line + 1)


def _broken(source: str, what: str, remedy: str, line: int | None = None) -> Parsed:
    finding = Finding(source=source, what=what, remedy=remedy, line=line)
    return Parsed(positions=Positions(), findings=(finding,))


def _compose(text: str) -> yaml.Node | None:
    _refuse_depth(text)
    compose = cast("Callable[..., yaml.Node | None]", yaml.compose)  # pyright: ignore[reportUnknownMemberType] (stub without a type)
    return compose(text, Loader=_LOADER)


def _refuse_depth(text: str) -> None:
    """Raise for a document nested too deep: composing is recursive, in C too, and would end the process."""
    parse_events = cast("Callable[..., Iterator[yaml.Event]]", yaml.parse)  # pyright: ignore[reportUnknownMemberType] (stub without a type)
    depth = 0
    for event in parse_events(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise RecursionError(f"nested more than {_DEEPEST} deep")


def _step(node: yaml.Node, step: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in _pairs(node):
            if key.value == str(step):
                return value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        items = cast("list[yaml.Node]", node.value)
        if step < len(items):
            return items[step], items[step].start_mark.line + 1
    return None


def _pairs(node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    return cast("list[tuple[yaml.Node, yaml.Node]]", node.value)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in _pairs(node) for part in pair]
    if isinstance(node, yaml.SequenceNode):
        return cast("list[yaml.Node]", node.value)
    return []


def _too_large(root: yaml.Node | None) -> str | None:
    """Why a document's aliases can't be followed, or None; each node is counted once per use, as readers do."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in open_nodes:
            return _MOST_NODES + 1  # it contains itself
        if id(node) not in sizes:
            open_nodes.add(id(node))
            sizes[id(node)] = 1 + sum(map(size, _children(node)))
            open_nodes.discard(id(node))
        return sizes[id(node)]

    if root is None or size(root) <= _MOST_NODES:
        return None
    return f"followed through its aliases the file has more than {_MOST_NODES} parts"


def _repeated_keys(root: yaml.Node | None, source: str) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    seen: set[int] = set()
    waiting = [] if root is None else [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting.extend(_children(node))
        if isinstance(node, yaml.MappingNode):
            findings.extend(_repeated_in(node, source))
    return tuple(findings)


def _repeated_in(node: yaml.MappingNode, source: str) -> list[Finding]:
    first: dict[str, int] = {}
    findings: list[Finding] = []
    for key, _ in _pairs(node):
        line, word = key.start_mark.line + 1, str(key.value)
        if word in first and isinstance(key, yaml.ScalarNode) and word != "<<":
            what = f"the key '{word}' stands here again (first in line {first[word]}) and only one would count"
            findings.append(Finding(source=source, what=what, remedy="Keep one of them.", line=line))
        first.setdefault(word, line)
    return findings
