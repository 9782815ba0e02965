"""Which handler an agent has and which probe a component, by their file. Nothing is imported before its use."""

from collections.abc import Callable, Collection

from shiftboss.contracts import Handler, Mind, Probe
from shiftboss.errors import BadInput
from shiftboss.handlers import python
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.pipeline import CLAUDE_HANDLER, COMMAND_HANDLER, LLM_HANDLER, Agent, ComponentSpec


def handler_for(agent: Agent, mind: Callable[[str], Mind], claimed: Collection[str] = ()) -> Handler:
    """The handler of an agent. `mind` opens a model by name, '' being the one that is set.

    What the agent makes of `claimed`, and of those components of its own that nothing looks at, is kept as a claim.

    Raises:
        BadInput: it has none, or its function can't be loaded.
    """
    handler = _plain(agent, mind)
    names = {*claimed, *(spec.name for spec in agent.components if spec.claimed)}
    if not names:
        return handler
    from shiftboss.handlers.claims import claiming

    return claiming(handler, agent, names)


def probe_for(spec: ComponentSpec, source: str) -> Probe:
    """The probe of a component; `source` is the file of its agent.

    Raises:
        BadInput: its function can't be loaded.
    """
    if spec.probe:
        return python.load(spec.probe, source)
    if spec.asks:
        from shiftboss.handlers.command_probe import command_probe

        return command_probe(spec, source)
    from shiftboss.handlers.claims import probe_claim

    return probe_claim(spec.name)


def _plain(agent: Agent, mind: Callable[[str], Mind]) -> Handler:
    if agent.handler is None:
        what = f"{agent.id} has no handler"
        remedy = "Give it one: command, llm, claude or module:function"
        raise BadInput([Diagnostic(place=agent.source or agent.id, path="handler", what=what, remedy=remedy)])
    if agent.handler == COMMAND_HANDLER:
        from shiftboss.handlers.command import command_handler

        return command_handler(agent)
    if agent.handler == LLM_HANDLER:
        from shiftboss.handlers.llm import llm_handler

        return llm_handler(agent, mind)
    if agent.handler == CLAUDE_HANDLER:
        from shiftboss.handlers.claude import claude_handler

        return claude_handler(agent)
    return python.load(agent.handler, agent.source)
