"""Plays the same cases with several brains on the simulated stack, and counts.

Called by frontends/verbs_brains.py and bench/brains.py. What a model is, it does not know: whoever calls brings its
brain.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from shiftboss.brains.policy import PolicyBrain
from shiftboss.chaos.baselines import Maker, makers
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
_NONE: Mapping[str, Maker] = MappingProxyType({})


def compare(
    pack: Pack,
    brains: Sequence[str],
    *,
    seed: int,
    runs: int,
    models: Mapping[str, Maker] = _NONE,
    model_runs: int = 0,
    say: Say = lambda _text: None,
) -> list[BrainScore]:
    """The figures of each brain over the first cases of a seed.

    `models` makes brains that ask models. They get so many cases (`model_runs`), the first that leave a choice, as a
    brain that is asked nothing shows nothing. The others are shown for just these cases too.
    """
    everything = range(runs)
    by_rule = play(pack, PolicyBrain, seed=seed, numbers=everything)
    makes = makers(seed, Counter(keywords(by_rule)))
    played: dict[str, list[BrainRun]] = {}
    for name in brains:
        say(f"{name}: {runs} runs")
        known = by_rule if name == PolicyBrain.name else None
        played[name] = known or play(pack, makes[name], seed=seed, numbers=everything)
    scores = [score_of(name, found) for name, found in played.items()]
    if not models:
        return scores
    few = with_choice(by_rule, model_runs)
    scores += [score_of(name, [runs_of[number] for number in few], part=True) for name, runs_of in played.items()]
    for name, make in models.items():
        say(f"{name}: {len(few)} runs")
        found = play(pack, make, seed=seed, numbers=few, say=say)
        scores.append(score_of(name, found, part=True))
    return scores


def with_choice(runs: Sequence[BrainRun], most: int) -> list[int]:
    """The numbers of the first runs in which the policy had a choice; of the first runs where it never had."""
    found = [number for number, run in enumerate(runs) if any(asked.choice for asked in run.asked)]
    return (found or list(range(len(runs))))[:most]


def play(pack: Pack, make: Maker, *, seed: int, numbers: Sequence[int], say: Say | None = None) -> list[BrainRun]:
    """Cases of a seed with one brain; the same seed gives the same runs where the brain is deterministic."""
    watch, found = _Watch(make), list[BrainRun]()
    cases = Cases(faults_of(pack), seed)
    with scratch() as folder:
        simulator = Simulator(pack, Path(folder), brain=watch.make, hear=watch.hear)
        try:
            for number in numbers:
                judged = judge(simulator.play(cases.case(number)), simulator.world)
                found.append(watch.now.run(judged))
                if say is not None:
                    ended = judged.result.ending or "no end"
                    say(f"  {len(found)} of {len(numbers)}: {judged.result.name}: {ended}")
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
