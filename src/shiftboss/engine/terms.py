"""What holds for one component's recoveries now, gathered from charter, run and memory for engine/moves.py. Pure."""

from collections.abc import Mapping

from shiftboss.engine.charter import Charter
from shiftboss.engine.ladder import Terms
from shiftboss.engine.state import RunState
from shiftboss.model.consent import Consent
from shiftboss.model.lesson import Lesson


def terms_for(charter: Charter, state: RunState, lessons: Mapping[str, dict[str, Lesson]], key: str) -> Terms:
    """The terms for the component of that key (`environment/component`)."""
    environment = key.partition("/")[0]
    rules = charter.rules(environment)
    return Terms(
        budget=charter.budget,
        recoveries=state.recoveries[environment],
        used=state.used.get(environment, {}),
        consent=Consent(rules=rules, approved=frozenset(state.approved), denied=frozenset(state.denied)),
        lessons=lessons,
        undo=state.undo.get(key),
        untouched=frozenset(charter.goal.untouched),
        watching=charter.goal.keep,
    )
