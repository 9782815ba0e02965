"""What a model is asked when it carries out an order: one step at a time, as a Question. Pure.

The words of the agent's file and of the user are instructions. Whatever came from elsewhere (what other agents put out,
what tools found) stands between marks that it can't forge, and is said to be data.
"""

from collections.abc import Sequence

from shiftboss.model.brief import Brief
from shiftboss.model.mind import Field, FieldKind, Question
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.pipeline import Agent
from shiftboss.model.untrusted import DATA_RULE, beginning, data, harmless
from shiftboss.model.value import Value

FINISH = "finish"

_MODES = {
    Mode.ENSURE: "bring it up; where it is up already, change nothing",
    Mode.FORCE: "do the work again, whatever is there",
    Mode.RECOVER: "mend it by the strategy",
    Mode.REMOVE: "stop it and keep its data",
    Mode.UNDO: "take back what a recovery has changed",
}
_PROMPT, _INPUT, _INPUTS, _TRANSCRIPT, _SHORT = 8_000, 4_000, 12_000, 16_000, 300


class Step(Value):
    """One step that was taken: what was asked for, and what came of it."""

    action: str
    argument: str
    result: str


def question_for(
    agent: Agent, order: Delegation, brief: Brief, tools: Sequence[tuple[str, str]], steps: Sequence[Step], left: int
) -> Question:
    """The question for the next step; `tools` are names with what they do, `left` the answers that remain."""
    words = brief.decisions or agent.decisions
    offered = tools if left > 1 else ()
    parts = (brief_text(agent, order, brief), _tools(offered, left), _transcript(steps))
    return Question(
        purpose="work",
        system=f"{agent.system_prompt}\n\n{_RULES}",
        text="\n\n".join(part for part in parts if part),
        fields=tuple(_fields([name for name, _ in offered], words, brief)),
    )


def brief_text(agent: Agent, order: Delegation, brief: Brief) -> str:
    """The order and all the words around it."""
    notes = "\n".join(f"note {number}: {text}" for number, text in brief.notes.items())
    parts = (
        _order(order),
        _said("The user wants", brief.prompt),
        _said("This stage asks for", brief.task),
        _inputs(brief),
        _said("Open notes of a person", notes),
        _decisions(agent, brief, brief.decisions or agent.decisions),
    )
    return "\n\n".join(part for part in parts if part)


_RULES = f"""You carry out one order, step by step. In each answer you choose one action: a tool with its argument, or \
{FINISH}. Look before you judge. Finish with the decision that is true; others look at the result themselves.
{DATA_RULE}"""


def _fields(tools: Sequence[str], words: Sequence[str], brief: Brief) -> list[Field]:
    said = f"the tool's argument; with {FINISH}: what you put out for those who come after you"
    fields = [
        Field(name="action", kind=FieldKind.CHOICE, doc="what to do next", options=(*tools, FINISH)),
        Field(name="argument", kind=FieldKind.TEXT, doc=said, size=1_500),
        Field(name="decision", kind=FieldKind.CHOICE, doc=f"with {FINISH}: how it ended", options=tuple(words)),
        Field(name="reasoning", kind=FieldKind.TEXT, doc="why, in a sentence or two", size=600),
    ]
    if brief.notes:
        notes = tuple(f"note {number}" for number in brief.notes)
        fields.append(Field(name="addressed", kind=FieldKind.CHOICES, doc="notes you have acted on", options=notes))
    return fields


def _order(order: Delegation) -> str:
    said = f"Order: {order.component} in environment {order.environment}. Mode {order.mode}"
    if order.mode in _MODES:
        said += f": {_MODES[order.mode]}"
    if order.strategy:
        said += f". Strategy: {order.strategy}"
    if order.failure:
        said += f". Failure: {order.failure}"
    return f"{said}. Attempt {order.attempt}."


def _said(head: str, text: str) -> str:
    return f"{head}:\n{harmless(beginning(text, _PROMPT))}" if text.strip() else ""


def _inputs(brief: Brief) -> str:
    most = min(_INPUT, _INPUTS // max(1, len(brief.inputs)))
    parts = [data(f"put out by {name}", beginning(text, most)) for name, text in brief.inputs.items()]
    return "\n".join(["What came before:", *parts]) if parts else ""


def _decisions(agent: Agent, brief: Brief, words: Sequence[str]) -> str:
    known = {**agent.decision_notes, **brief.meanings}
    plain = ("it is done", "it could not be done")
    rows = [
        f"- {word}: {known.get(word) or (plain[place] if place < len(plain) else 'a special outcome')}"
        for place, word in enumerate(words)
    ]
    return "\n".join(["Decisions:", *rows])


def _tools(tools: Sequence[tuple[str, str]], left: int) -> str:
    last = f"This is your last answer: {FINISH}." if left <= 1 else f"You have {left} answers left."
    return "\n".join(["Actions:", *(f"- {name}: {doc}" for name, doc in tools), f"- {FINISH}: end the work", last])


def _transcript(steps: Sequence[Step]) -> str:
    if not steps:
        return ""
    return "\n".join(
        ["So far:", *bounded([_shown(step, None) for step in steps], [_shown(step, _SHORT) for step in steps])]
    )


def bounded(full: Sequence[str], short: Sequence[str], most: int = _TRANSCRIPT) -> list[str]:
    """The parts of a transcript within its size: the oldest are shortened first, then left out."""
    shown = list(full)
    for place in range(len(shown)):
        if sum(map(len, shown)) <= most:
            return shown
        shown[place] = short[place]
    out = 0
    while sum(map(len, shown[out:])) > most and out < len(shown) - 1:
        out += 1
    return [f"[{out} earlier steps are left out]", *shown[out:]] if out else shown


def _shown(step: Step, most: int | None) -> str:
    text = step.result if most is None else beginning(step.result, most)
    return data(step.action, f"argument: {step.argument if most is None else step.argument[:most]}\n{text}")
