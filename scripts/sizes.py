"""Fail when a source file grows beyond what one can hold in mind (400 lines)."""

import sys
from pathlib import Path

LIMIT = 400

long = [
    f"{path}: {count} lines, the ceiling is {LIMIT}: split it by question"
    for path in sorted([*Path("src").rglob("*.py"), *Path("tests").rglob("*.py")])
    if (count := len(path.read_text().splitlines())) > LIMIT
]
if long:
    sys.exit("\n".join(long))
