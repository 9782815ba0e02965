"""From an empty working directory to a proven block, with the daemon program in the cache; both pipelines in turn."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import real
from measure import Figure, interleaved, ratio, seconds

PIPELINES = {"policy": "intelligent-mining-infrastructure-setup", "script": "mining-infrastructure-setup"}


def measure(*, quick: bool) -> list[Figure]:
    """Whole processes, the private install from the cache included."""
    with real.folder() as folder:
        real.fetched(folder / "first")  # fills the cache
        number = count()
        details: dict[str, list[dict[str, float]]] = {name: [] for name in PIPELINES}

        def subject(name: str) -> Callable[[], float]:
            return lambda: _fresh(folder / f"{name}-{next(number)}", PIPELINES[name], details[name])

        values = interleaved({name: subject(name) for name in PIPELINES}, 2 if quick else 5)
    figures = [
        Figure(name="fresh up to proof, policy pipeline", unit="s", values=values["policy"], at_most=20),
        Figure(name="fresh up to proof, script pipeline", unit="s", values=values["script"]),
        ratio("script / policy", values["script"], values["policy"]),
    ]
    return figures + _longest(details["policy"])


def _fresh(home: Path, pipeline: str, details: list[dict[str, float]]) -> float:
    with real.stack(home) as made:
        documents: list[dict] = []
        passed = seconds(lambda: documents.append(made.up("--pipeline", pipeline)))
        document = documents[0]
        if document["ending"] != "converged" or not document["proof"]["regtest"]:
            raise RuntimeError(f"the run ended {document['ending']} without a proof")
        details.append({one["component"]: one["seconds"] for one in document["delegations"]})
        made.run("down")
    return passed


def _longest(details: list[dict[str, float]]) -> list[Figure]:
    """Where the time goes: the five longest delegations of the policy pipeline."""
    names = sorted(details[0], key=lambda name: details[0][name], reverse=True)[:5]
    found = [(name, [one[name] for one in details if name in one]) for name in names]
    return [Figure(name=f"of that: {name}", unit="s", values=values) for name, values in found]
