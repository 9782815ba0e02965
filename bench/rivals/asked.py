"""How the programs beside this file are asked: a job as one line of JSON in, its seconds as one line out.

So that each stays in one process, warm, and the rounds of all can be interleaved.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path


def answer(run: Callable[[Path, str, int, str], float]) -> None:
    """Run each job that is asked for: folder, kind, number of delegations, SQLite's `synchronous`."""
    for line in sys.stdin:
        asked = json.loads(line)
        print(run(Path(asked["folder"]), asked["kind"], asked["count"], asked["synchronous"]), flush=True)
