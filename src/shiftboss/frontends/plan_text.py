"""The dry run as text and as a document. Used by verbs_look.py; decides nothing."""

from collections.abc import Iterator
from typing import Any

from shiftboss.engine.plan import Plan, Step
from shiftboss.frontends.narrate import Line
from shiftboss.frontends.plain import lines_of
from shiftboss.frontends.text import seconds_text
from shiftboss.model.estimate import Confidence
from shiftboss.model.ranking import DECLARED


def plan_document(plan: Plan) -> dict[str, Any]:
    """The dry run as plain values."""
    return {**vars(plan), "steps": [vars(one) for one in plan.steps], "skips": [vars(one) for one in plan.skips]}


def plan_lines(plan: Plan) -> Iterator[str]:
    """Steps and skips in the form of a run's story, at the times at which they are expected."""
    if not plan.steps:
        yield "Nothing would be done: everything wanted is there."
    several = len({one.environment for one in (*plan.steps, *plan.skips)}) > 1
    for step in plan.steps:
        yield from lines_of(Line(at=step.starts, word="would", text=_step(step, several=several)))
    for skip in plan.skips:
        name = f"{skip.environment}/{skip.component}" if several else skip.component
        yield from lines_of(Line(at=0.0, word="skips", text=f"{name} — {skip.why}"))
    if plan.steps:
        yield from lines_of(Line(at=plan.seconds, word="ends", text=_end(plan, several=several)))


def _step(step: Step, *, several: bool) -> str:
    how = f" by {step.strategy}" if step.strategy else ""
    name = f"{step.environment}/{step.component}" if several else step.component
    seconds = f"{seconds_text(step.seconds)} ({_known(step)})"
    return f"{step.keyword}: {step.agent} for {name}{how}, {seconds} — {step.why}"


def _known(step: Step) -> str:
    return "declared" if not step.learnt else f"learnt, confidence {step.confidence}: {step.known}"


def _end(plan: Plan, *, several: bool) -> str:
    way = " -> ".join(key if several else key.partition("/")[2] for key in plan.critical)
    sure = "declared times only" if plan.confidence is Confidence.NONE else f"confidence {plan.confidence}"
    quicker = f"; in declared order {seconds_text(plan.declared)}" if plan.rule != DECLARED else ""
    return f"expected ({sure}), {plan.lanes} at a time{quicker}; the longest path is {way}"
