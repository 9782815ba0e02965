"""The words that go with an order: what the user wants, what came before, open notes, what may be answered. Pure."""

from collections.abc import Iterable, Mapping

from shiftboss.engine.state import RunState
from shiftboss.model.brief import Brief
from shiftboss.model.move import Delegation
from shiftboss.model.pipeline import ISOLATED, Agent, PipelineKind, Stage
from shiftboss.model.run import Goal
from shiftboss.model.stack import Stack


def brief_for(order: Delegation, stack: Stack, state: RunState, goal: Goal) -> Brief:
    """What the agent of an order is told."""
    agent = stack.agents.get(order.agent)
    stage = _stage_of(order, stack)
    isolated = stage is not None and stage.context == ISOLATED
    return Brief(
        prompt="" if isolated else goal.words,
        task=stage.task if stage else "",
        inputs=_inputs(order, stage, stack, state),
        notes={} if isolated else state.open_notes(),
        decisions=_decisions(stage, agent),
        meanings=_meanings(stage, agent),
    )


def _stage_of(order: Delegation, stack: Stack) -> Stage | None:
    """Its stage: in a script it is sent by the stage's id; else the one that the component is the task of."""
    names = (order.keyword, order.component)
    stages = stack.pipeline.stages
    found = next((one for one in stages if one.id in names), None)
    return found or next((one for one in stages if one.agent == order.agent), None)


def _inputs(order: Delegation, stage: Stage | None, stack: Stack, state: RunState) -> dict[str, str]:
    """What the stages that it takes input from have put out; in a script also the one just before (loop-back)."""
    if stage is None:
        return {}
    names: Iterable[str] = stage.inputs
    if stack.pipeline.kind is PipelineKind.SCRIPTED:
        before = (one.keyword for one in reversed(state.history[order.environment]) if one.keyword != stage.id)
        names = (*stage.inputs, *(name for name in (next(before, None),) if name and stage.context != ISOLATED))
    outputs = {name: state.outputs.get(f"{order.environment}/{name}", "") for name in names}
    return {name: text for name, text in outputs.items() if text}


def _decisions(stage: Stage | None, agent: Agent | None) -> tuple[str, ...]:
    if stage and stage.decisions:
        return stage.decisions
    return agent.decisions if agent else ()


def _meanings(stage: Stage | None, agent: Agent | None) -> Mapping[str, str]:
    return {**(agent.decision_notes if agent else {}), **(stage.decision_notes if stage else {})}
