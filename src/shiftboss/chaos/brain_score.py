"""Plays the same cases with several brains on the simulated stack, and counts.

Called by frontends/verbs_brains.py and bench/brains.py. What a model is, it does not know: whoever calls brings its
brain.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from shiftboss.brains.policy import PolicyBrain
from shiftboss.chaos.baselines import MajorityBrain, Maker, makers
from shiftboss.chaos.brain_count import BrainScore, score_of
from shiftboss.chaos.brain_watch import BrainRun, Watched, keywords
from shiftboss.chaos.simulator import Simulator, faults_of, scratch
from shiftboss.chaos.simulator_cases import Cases
from shiftboss.chaos.simulator_judge import judge
from shiftboss.contracts import Brain, Pack
from shiftboss.model.events import Recorded

BASELINES = tuple(makers(0, Counter()))
"""The brains that are always there, the policy first."""

MODEL = "llm"
"""What the brain that asks a model is called."""

Say = Callable[[str], None]


def compare(
    pack: Pack,
    brains: Sequence[str],
    *,
    seed: int,
    runs: int,
    model: tuple[Maker, int] | None = None,
    say: Say = lambda _text: None,
) -> list[BrainScore]:
    """The figures of each brain over the first cases of a seed.

    `model` makes the brain that asks a model, and how many cases it gets. Where these are fewer, the others are shown
    for just these cases too: only that is a comparison.
    """
    played: dict[str, list[BrainRun]] = {}
    for name in brains:
        make = _maker(pack, name, seed, runs, played)
        say(f"{name}: {runs} runs")
        played[name] = play(pack, make, seed=seed, runs=runs)
    scores = [score_of(name, found) for name, found in played.items()]
    if model is None:
        return scores
    make, few = model
    say(f"{MODEL}: {few} runs")
    found = play(pack, make, seed=seed, runs=few, say=say)
    if few < runs:
        scores += [score_of(name, runs_of[:few]) for name, runs_of in played.items()]
    return [*scores, score_of(MODEL, found)]


def _maker(pack: Pack, name: str, seed: int, runs: int, played: dict[str, list[BrainRun]]) -> Maker:
    """The maker of a brain by name; the majority is found out by what the policy chooses in the same cases."""
    words = Counter[str]()
    if name == MajorityBrain.name:
        first = played.get(PolicyBrain.name) or play(pack, PolicyBrain, seed=seed, runs=runs)
        words.update(keywords(first))
    return makers(seed, words)[name]


def play(pack: Pack, make: Maker, *, seed: int, runs: int, say: Say | None = None) -> list[BrainRun]:
    """The first cases of a seed with one brain; the same seed gives the same runs where the brain is deterministic."""
    watch, found = _Watch(make), list[BrainRun]()
    cases = Cases(faults_of(pack), seed)
    with scratch() as folder:
        simulator = Simulator(pack, Path(folder), brain=watch.make, hear=watch.hear)
        try:
            for number in range(runs):
                judged = judge(simulator.play(cases.case(number)), simulator.world)
                found.append(watch.now.run(judged))
                if say is not None:
                    say(f"run {number + 1} of {runs}: {judged.result.name}: {judged.result.ending or 'no end'}")
        finally:
            simulator.close()
    return found


class _Watch:
    """Who is watched now: each run has a brain of its own, the journal's listener is one for all."""

    def __init__(self, make: Maker) -> None:
        self._make = make
        self.now: Watched

    def make(self) -> Brain:
        """The brain of the next run, watched."""
        self.now = Watched(self._make())
        return self.now

    def hear(self, recorded: Recorded) -> None:
        """An event of the run that is played."""
        self.now.hear(recorded)
