"""Compare brains on the simulated stack: the policy, brains that know nothing, and models; `make bench-brains`.

The models are those that fit a test: a decision model of 3 MB and SmolLM2-135M (93 MB are fetched once), both served on
this machine by scripts/local_model.py; or whatever `--model PROVIDER:NAME` with `--base-url` and the provider's key
name. Writes bench/results/brains.md and brains.json. Exit code 1 when a brain got the hub to say converged wrongly, to
run without end, or to do something illegal.
"""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from local_model import served

from shiftboss.chaos.baselines import Maker
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
PLENTY = Allowance(calls=10_000, tokens=10_000_000, money=1.0)
SECONDS = 60.0
HERE = {
    "sparrow": ("sparrow", "system-one:sparrow-nano-general"),
    "smollm2": ("smollm", "openai:smollm2-135m-instruct"),
}
"""Row -> what scripts/local_model.py serves, and how it is asked."""


@contextlib.contextmanager
def models(given: argparse.Namespace) -> Iterator[dict[str, Maker]]:
    """The models to play; those of this machine are served while it lasts."""
    with contextlib.ExitStack() as servers:
        found: dict[str, Maker] = {}
        if given.model:
            found["llm"] = asking(Brain(kind="llm", model=given.model, base_url=given.base_url))
        elif not given.without_model:
            for row, (what, model) in HERE.items():
                address = servers.enter_context(served(what))
                found[row] = asking(Brain(kind="llm", model=model, base_url=address))
        yield found


def asking(brain: Brain) -> Maker:
    return maker(open_mind(brain), PLENTY, SECONDS)


def scores(given: argparse.Namespace) -> list[BrainScore]:
    """All figures."""
    with models(given) as found:
        return compare(
            PACK, BASELINES, seed=given.seed, runs=given.runs, models=found, model_runs=given.llm_runs, say=print
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--llm-runs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="", help="PROVIDER:NAME (default: two small ones, served here)")
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
