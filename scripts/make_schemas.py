"""Writes the JSON Schemas of agent and pipeline files from the pydantic models; run it after changing schema.py.

Usage: python scripts/make_schemas.py
"""

import json
from pathlib import Path

from shiftboss.templates import schema

FOLDER = Path(schema.__file__).parent / "schemas"


def rendered() -> dict[Path, str]:
    """Each schema file with the text it should have."""
    return {
        FOLDER / f"{kind}.schema.json": json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for kind, content in schema.schemas().items()
    }


def main() -> None:
    """Write every schema file."""
    for path, text in rendered().items():
        path.write_text(text, encoding="utf-8")
        print(path.name)


if __name__ == "__main__":
    main()
