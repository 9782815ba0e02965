"""From an empty working directory to a proven block, with the daemon program in the cache, and where the time goes.

Beside it the run's own critical path: the longest chain of components, each as long as its delegation took, which no
order and no number of lanes could beat.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import real
from measure import Figure, ratio, seconds

from shiftboss.model.stack import stack_of
from shiftboss.packs.mining.pack import PACK
from shiftboss.templates.loader import load_shipped


def measure(*, quick: bool) -> list[Figure]:
    """Whole processes, the private install from the cache included."""
    documents: list[dict[str, Any]] = []
    with real.folder() as folder:
        real.fetched(folder / "first")  # fills the cache
        whole = [_fresh(folder / str(number), documents) for number in range(2 if quick else 5)]
    runs, paths = [one["seconds"] for one in documents], [critical(_times(one)) for one in documents]
    return [
        Figure(name="fresh up to proof, whole process", unit="s", values=whole, at_most=20),
        Figure(name="fresh up to proof, the run", unit="s", values=runs),
        Figure(name="its critical path", unit="s", values=paths),
        ratio("the run / its critical path", runs, paths, at_most=1.1),
        ratio("the whole process / its critical path", whole, paths),
        *_longest([_times(one) for one in documents]),
    ]


def _fresh(home: Path, documents: list[dict[str, Any]]) -> float:
    with real.stack(home) as made:
        passed = seconds(lambda: documents.append(made.up()))
        document = documents[-1]
        if document["ending"] != "converged" or not document["proof"]["regtest"]:
            raise RuntimeError(f"the run ended {document['ending']} without a proof")
        made.run("down")
    return passed


def _times(document: Mapping[str, Any]) -> dict[str, float]:
    """Seconds of work by component."""
    found: dict[str, float] = {}
    for one in document["delegations"]:
        found[one["component"]] = found.get(one["component"], 0.0) + one["seconds"]
    return found


def critical(times: Mapping[str, float]) -> float:
    """Seconds of the longest chain of components that need each other."""
    catalogue = load_shipped(PACK.folder)
    pipeline = catalogue.pipelines[PACK.default_pipeline]
    specs = stack_of(pipeline, catalogue, PACK.strategies, without=PACK.optional).specs
    ends: dict[str, float] = {}

    def end(name: str) -> float:
        if name not in ends:
            ends[name] = times.get(name, 0.0) + max(map(end, specs[name].requires), default=0.0)
        return ends[name]

    return max(map(end, specs))


def _longest(details: list[dict[str, float]]) -> list[Figure]:
    """The five longest delegations."""
    names = sorted(details[0], key=lambda name: details[0][name], reverse=True)[:5]
    found = [(name, [one[name] for one in details if name in one]) for name in names]
    return [Figure(name=f"of that: {name}", unit="s", values=values) for name, values in found]
