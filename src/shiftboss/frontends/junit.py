"""A run as a JUnit XML file, the form that CI servers show: a suite per environment, a case per component, the proof.

Pure but for `write`. Called by verbs_ci.py; the one place that knows XML. Everything in it passes `_safe`: no secrets,
no characters that XML 1.0 does not allow.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from shiftboss.frontends.narrate import Narrator
from shiftboss.frontends.plain import lines_of
from shiftboss.frontends.report_text import text_lines
from shiftboss.frontends.text import clean, clean_block
from shiftboss.model.events import Observed, Recorded
from shiftboss.model.redact import redact
from shiftboss.model.run import Ending
from shiftboss.model.value import Value
from shiftboss.system.clock import utc_text
from shiftboss.system.files import write_atomic
from shiftboss.view import DelegationView, RunView, fold

READABLE = 0o644
"""Those who collect the files of a job may be other users."""

PASSED, FAILED, ERROR, SKIPPED = "passed", "failure", "error", "skipped"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Proofs = Mapping[str, Mapping[str, Any]]


class Case(Value):
    """What became of one component, or of the proof."""

    name: str
    seconds: float = 0.0
    result: str = PASSED
    kind: str = ""
    message: str = ""
    text: str = ""


def cases(view: RunView, environment: str, proof: Mapping[str, Any]) -> list[Case]:
    """The cases of an environment, in the order of the view."""
    seen = [one for one in view.components.values() if one.environment == environment]
    ended = view.endings.get(environment)
    report = "\n".join(text_lines(ended.report)) if ended and ended.report else ""
    found = [_component(view, one) for one in seen]
    return [*found, _proof(view, environment, proof, report)]


def _component(view: RunView, seen: Observed) -> Case:
    orders = [
        one
        for one in view.delegations.values()
        if (one.environment, one.component) == (seen.environment, seen.component)
    ]
    case = Case(name=seen.component, seconds=sum(one.seconds or 0.0 for one in orders))
    if seen.health == "ready":
        return case
    if not orders:
        return case.but(result=SKIPPED, message=f"it was not its turn: {seen.summary}")
    text = "\n".join(dict.fromkeys(_told(seen, orders)))
    if seen.failure or any(one.failure for one in orders):
        kind, message = _failure(seen, orders)
        return case.but(result=FAILED, kind=kind, message=message, text=text)
    message = f"the run ended before it was ready: {seen.summary}"
    return case.but(result=ERROR, kind=_ending(view, seen.environment), message=message, text=text)


def _told(seen: Observed, orders: Sequence[DelegationView]) -> Iterator[str]:
    """What its orders failed with, each once, and how it was seen last."""
    yield from (str(one.failure.get("message", "")) for one in orders if one.failure)
    yield f"{seen.health}: {seen.summary}"


def _failure(seen: Observed, orders: Sequence[DelegationView]) -> tuple[str, str]:
    """Kind and message of what is wrong: as the last look says, else as the last order failed."""
    if seen.failure:
        return seen.failure, seen.summary
    last = next(one.failure for one in reversed(orders) if one.failure)
    return str(last.get("kind", "")), str(last.get("message", ""))


def _ending(view: RunView, environment: str) -> str:
    ended = view.endings.get(environment)
    return ended.ending if ended else str(view.ending or Ending.INTERRUPTED)


def _proof(view: RunView, environment: str, proof: Mapping[str, Any], report: str) -> Case:
    case, ending = Case(name="proof"), _ending(view, environment)
    if ending != Ending.CONVERGED:
        ended = view.endings.get(environment)
        message = ended.reasoning if ended else "the run was cut off"
        return case.but(result=FAILED, kind=ending, message=message, text=report or message)
    if not proof:
        return case.but(result=SKIPPED, message="nothing had to be proven here")
    return case.but(text=", ".join(f"{name} {clean(proof[name])}" for name in _PROVEN if name in proof))


_PROVEN = ("height_before", "height_after", "block_hash", "transactions")


def document(events: Sequence[Recorded], proof: Proofs, order: Mapping[str, int]) -> str:
    """The file's text; `order` says which place each component has."""
    view = fold(events)
    parts = sorted(view.components.items(), key=lambda pair: order.get(pair[1].component, len(order)))
    view.components = dict(parts)
    names = view.start.environments if view.start else []
    root = ET.Element("testsuites", name="shiftboss")
    suites = [_suite(root, view, name, cases(view, name, proof.get(name, {})), events) for name in names]
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.set("time", _seconds(_length(view, events)))
    ET.indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(root: ET.Element, view: RunView, name: str, found: Sequence[Case], events: Sequence[Recorded]) -> ET.Element:
    suite = ET.SubElement(root, "testsuite", name=_safe(name), tests=str(len(found)))
    for attribute, result in (("failures", FAILED), ("errors", ERROR), ("skipped", SKIPPED)):
        suite.set(attribute, str(sum(one.result == result for one in found)))
    suite.set("time", _seconds(_length(view, events)))
    suite.set("timestamp", utc_text(view.started).rstrip("Z"))
    for case in found:
        _case(suite, f"shiftboss.{name}", case)
    ET.SubElement(suite, "system-out").text = _safe("\n".join(_story(events, name)))
    return suite


def _case(suite: ET.Element, group: str, case: Case) -> None:
    made = ET.SubElement(suite, "testcase", classname=_safe(group), name=_safe(case.name), time=_seconds(case.seconds))
    if case.result == PASSED:
        if case.text:
            ET.SubElement(made, "system-out").text = _safe(case.text)
        return
    told = ET.SubElement(made, case.result, message=_safe(clean(case.message)))
    if case.result != SKIPPED:
        told.set("type", _safe(case.kind))
        told.text = _safe(case.text)


def _story(events: Sequence[Recorded], environment: str) -> Iterator[str]:
    """What was told of the run, without what is another environment's."""
    narrator, orders = Narrator(), dict[str, str]()
    for record in events:
        named = vars(record.event)
        order = str(named.get("id", ""))
        own = named.get("environment") or orders.get(order) or environment
        orders.setdefault(order, own)
        lines = narrator.tell(record)
        if own == environment:
            yield from (text for line in lines for text in lines_of(line))


def _length(view: RunView, events: Sequence[Recorded]) -> float:
    return view.ended.seconds if view.ended else max(0.0, events[-1].at - view.started) if events else 0.0


def _seconds(number: float) -> str:
    return f"{number:.3f}"


def _safe(text: str) -> str:
    return _NOT_XML.sub("", redact(clean_block(text)))


def write(path: Path, events: Sequence[Recorded], proof: Proofs, order: Mapping[str, int]) -> None:
    """Write the file, or leave the one that is there.

    Raises:
        OSError: it can't be written.
    """
    write_atomic(path, document(events, proof, order), mode=READABLE)
