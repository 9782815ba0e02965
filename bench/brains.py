"""Compare brains on the simulated stack: the policy, brains that know nothing, and a model; `make bench-brains`.

The model is SmolLM2-135M, served on this machine by scripts/local_model.py (93 MB are fetched once), or whatever
`--model PROVIDER:NAME` with `--base-url` and the provider's key name. Writes bench/results/brains.md and brains.json.
Exit code 1 when a brain got the hub to say converged wrongly, to run without end, or to do something illegal.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from local_model import served

from shiftboss.chaos.brain_count import BrainScore
from shiftboss.chaos.brain_files import markdown, plain, table
from shiftboss.chaos.brain_model import maker
from shiftboss.chaos.brain_score import BASELINES, compare
from shiftboss.minds.opening import open_mind
from shiftboss.model.mind import Allowance
from shiftboss.packs.mining.pack import PACK
from shiftboss.settings_table import Brain
from shiftboss.system.files import write_atomic

RESULTS = Path(__file__).parent / "results"
SMOLLM = "openai:smollm2-135m-instruct"
PLENTY = Allowance(calls=10_000, tokens=10_000_000, money=1.0)


@contextlib.contextmanager
def settings(model: str, base_url: str) -> Iterator[Brain]:
    """What to ask; the small model is served while it lasts."""
    if model:
        yield Brain(kind="llm", model=model, base_url=base_url)
        return
    with served("smollm") as address:
        yield Brain(kind="llm", model=SMOLLM, base_url=address, seconds=60.0)


def scores(given: argparse.Namespace) -> list[BrainScore]:
    """All figures."""
    if given.without_model:
        return compare(PACK, BASELINES, seed=given.seed, runs=given.runs, say=print)
    with settings(given.model, given.base_url) as brain:
        make = maker(open_mind(brain), PLENTY, brain.seconds)
        return compare(PACK, BASELINES, seed=given.seed, runs=given.runs, model=(make, given.llm_runs), say=print)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--llm-runs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="", help="PROVIDER:NAME (default: SmolLM2, served here)")
    parser.add_argument("--base-url", default="", help="address of the model's server")
    parser.add_argument("--without-model", action="store_true", help="only the policy and the brains that know nothing")
    given = parser.parse_args()
    found = scores(given)
    print(f"\n{table(found, given.seed)}")
    if not given.without_model:  # a part of the page would pass for the whole
        document = {"seed": given.seed, "scores": [plain(one) for one in found]}
        write_atomic(RESULTS / "brains.md", markdown(found, given.seed), 0o644)
        write_atomic(RESULTS / "brains.json", json.dumps(document, indent=1) + "\n", 0o644)
    sys.exit(0 if all(one.safe for one in found) else 1)


if __name__ == "__main__":
    main()
