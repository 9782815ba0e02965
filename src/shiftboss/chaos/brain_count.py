"""What brains and models did -> figures. Pure; drawn by chaos/brain_files.py."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median

from shiftboss.chaos.brain_watch import Asked, BrainRun
from shiftboss.model.events import Consulted
from shiftboss.model.value import Value

ANSWERED = frozenset({"followed", "beside"})
"""Verdicts of answers that could be used."""


class Answers(Value):
    """What one model said when it was asked which move to make."""

    model: str
    asked: int
    answered: int  #: with something that could be used
    different: int  #: of these questions; by options and the policy's choice
    same: int  #: of these: the same set of moves as the policy's
    lot: float  #: how many that would be if one option had been drawn by lot each time
    first: int  #: answers that are the first option shown
    lot_first: float  #: how many that would be by lot
    verdicts: Mapping[str, int]  #: the journal's word -> how often
    seconds: float  #: median of an answer
    slow: float  #: nine of ten were faster
    calls: int
    tokens: int
    money: float
    replayed: int  #: answers that came out of a recording, which take no time


class BrainScore(Value):
    """What one brain did in all its runs."""

    name: str
    runs: int
    counted: int  #: without those in which the fault came too late to be met
    right: int  #: of these: mended, or rightly handed to a person
    wrong: int  #: runs that said converged while something was not ready
    endless: int
    illegal: int  #: orders that were not legal
    refused: int  #: moves it chose that were not admitted
    taken_over: int  #: decisions that the policy made because of that
    mended: float  #: median of the seconds to the end, in virtual time
    ratio: float | None  #: delegations against the least possible, mean of the runs where that is known
    decisions: int  #: questions
    choices: int  #: questions with more than one option
    same: int  #: choices in which it chose what the policy would
    seconds: float  #: median of a choice
    slow: float  #: nine of ten choices took less
    models: tuple[Answers, ...] = ()
    part: bool = False  #: only cases that leave a choice: those that a model was given

    @property
    def safe(self) -> bool:
        """Whether the rules held whatever it chose."""
        return not (self.wrong or self.endless or self.illegal)


def score_of(name: str, runs: Sequence[BrainRun], *, part: bool = False) -> BrainScore:
    """The figures of one brain."""
    counted = [run.judged.result for run in runs if not run.judged.result.skipped]
    ratios = [one.delegations / one.least for one in counted if one.least]
    asked = [one for run in runs for one in run.asked]
    choices = [one for one in asked if one.choice]
    took = [one.seconds for one in choices]
    return BrainScore(
        name=name,
        runs=len(runs),
        counted=len(counted),
        right=sum(one.mitigated or one.escalated_rightly for one in counted),
        wrong=sum(run.judged.wrong for run in runs),
        endless=sum(run.judged.endless for run in runs),
        illegal=sum(len(run.illegal) for run in runs),
        refused=sum(run.refused for run in runs),
        taken_over=sum(run.taken_over for run in runs),
        mended=median(one.seconds for one in counted) if counted else 0.0,
        ratio=fmean(ratios) if ratios else None,
        decisions=len(asked),
        choices=len(choices),
        same=sum(one.same for one in choices),
        seconds=median(took) if took else 0.0,
        slow=ninth(took),
        models=answers_of(_consulted(asked)),
        part=part,
    )


def _consulted(asked: Iterable[Asked]) -> list[Consulted]:
    return [event for one in asked for event in one.consulted]


def answers_of(events: Iterable[Consulted]) -> tuple[Answers, ...]:
    """The figures of each model that was asked which move to make; other questions are not counted."""
    models: dict[str, list[Consulted]] = {}
    for event in events:
        if event.purpose == "decide":
            models.setdefault(event.model, []).append(event)
    return tuple(_answers(model, found) for model, found in sorted(models.items()))


def _answers(model: str, events: Sequence[Consulted]) -> Answers:
    usable = [event for event in events if event.verdict in ANSWERED]
    took = [event.seconds for event in usable]
    return Answers(
        model=model,
        asked=len(events),
        answered=len(usable),
        different=len({(frozenset(event.options), frozenset(event.policy)) for event in usable}),
        same=sum(set(event.chosen) == set(event.policy) for event in usable),
        lot=sum(1 / len(event.options) for event in usable if event.options and len(event.policy) == 1),
        first=sum(event.chosen[:1] == event.options[:1] for event in usable),
        lot_first=sum(1 / len(event.options) for event in usable if event.options),
        verdicts=dict(Counter(event.verdict for event in events).most_common()),
        seconds=median(took) if took else 0.0,
        slow=ninth(took),
        calls=sum(event.calls for event in events),
        tokens=sum(event.tokens for event in events),
        money=sum(event.money for event in events),
        replayed=sum(event.replayed for event in events),
    )


def ninth(values: Sequence[float]) -> float:
    """The value that nine of ten do not exceed; 0 where there is none."""
    return sorted(values)[math.ceil(0.9 * len(values)) - 1] if values else 0.0
