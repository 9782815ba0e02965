"""A document of ours as it is written to a file: known keys only, in their order, with paths that hold anywhere.

Pure; part of importing.py. The documents have been translated and found right.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from shiftboss.templates.build_agent import Document, beside, command, target
from shiftboss.templates.draft import Fields, fields_of, items_of
from shiftboss.templates.finding import DocumentPath
from shiftboss.templates.schema import AgentForm, PipelineForm
from shiftboss.templates.userfile import UserFile

UNKNOWN_KEY = "unknown key"  #: the topic of findings about keys that have no effect


def as_file(file: UserFile) -> str:
    """The text of the file that says the same in our format."""
    unknown = [found.at for found in file.findings if found.topic == UNKNOWN_KEY]
    doc = without(file.data, unknown)
    form = PipelineForm if file.is_pipeline else AgentForm
    keys = [field.alias or name for name, field in form.model_fields.items()]
    doc = _one_flow(doc) if file.is_pipeline else _anywhere(doc, file.source)
    ordered = {key: doc[key] for key in keys if doc.get(key) is not None}
    return json.dumps(ordered, indent=2, ensure_ascii=False, default=str) + "\n"


def without(data: Mapping[str, Any], places: Iterable[DocumentPath]) -> Fields:
    """The document without what stands at those places."""
    doc: Fields = json.loads(json.dumps(data, default=str, skipkeys=True))
    for *around, key in places:
        holder: Any = doc
        for step in around:
            holder = _step(holder, step)
        if isinstance(holder, dict):
            holder.pop(key, None)  # pyright: ignore[reportUnknownMemberType] (any JSON)
    return doc


def _step(holder: object, step: str | int) -> Any:
    items: Sequence[Any] = items_of(holder)
    if isinstance(step, int):
        return items[step] if step < len(items) else None
    return holder.get(step) if isinstance(holder, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] (any JSON)


def _one_flow(doc: Fields) -> Fields:
    """Connections in one place: where both are written, those under `flow` count."""
    if fields_of(doc.get("flow")).get("connections"):
        doc.pop("connections", None)
    return doc


def _anywhere(doc: Fields, source: str) -> Fields:
    """An agent's document with its paths made absolute, for it moves to another folder."""
    handler = doc.get("handler")
    if isinstance(handler, str):
        doc["handler"] = target(handler, source)
    elif handler:
        doc["handler"] = _handler(handler, source)
    for item in items_of(doc.get("components")):
        probe: str | Document = item["probe"]
        item["probe"] = target(probe, source) if isinstance(probe, str) else _program(probe, source)
    return doc


def _handler(written: Document, source: str) -> Fields:
    if written["kind"] == "python":
        return {**written, "target": target(written["target"], source)}
    if written["kind"] == "command":
        folder = written.get("folder") or str(Path(source).parent.resolve())
        return {**_program(written, source), "folder": beside(folder, source)}
    return dict(written)


def _program(written: Document, source: str) -> Fields:
    return {**written, "argv": list(command(written["argv"], source))}
