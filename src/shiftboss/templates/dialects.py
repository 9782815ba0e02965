"""Any dialect of the original format -> our own; nothing else in the project knows dialects.

Pure; called by user.py for each file before its shape is checked, and once more when the agents are known. Whatever
changes a meaning or drops a setting has its finding, at the place where it was written. A document in our format
comes back as it is. What can't be carried out stays wrong, and the checks say so.
"""

from collections.abc import Mapping
from typing import Any

from shiftboss.templates.dialect_agents import translate_agent
from shiftboss.templates.dialect_pipelines import translate_pipeline
from shiftboss.templates.dialect_routes import settle
from shiftboss.templates.draft import Moves, Translated, original

__all__ = ["Moves", "Translated", "original", "settle", "translate"]


def translate(data: Mapping[str, Any], source: str) -> Translated:
    """A file's document as one of ours, as far as the file alone tells."""
    return translate_pipeline(data, source) if "stages" in data else translate_agent(data, source)
