"""An agent that is a program: started once per order, without a shell, and gone with its children when its time is up.

What it prints is untrusted: it can choose among the agent's own words and nothing else.
"""

from pathlib import Path

from shiftboss.contracts import Handler
from shiftboss.handlers.answers import address_notes, decisions_of, keeping, seconds_for
from shiftboss.handlers.command_answer import outcome_for
from shiftboss.handlers.command_order import (
    ORDER,
    declared_variables,
    filled_in,
    folder_of,
    order_text,
    ordinary_variables,
    values_for,
)
from shiftboss.handlers.sweeping import swept
from shiftboss.model.move import Delegation
from shiftboss.model.outcome import Outcome
from shiftboss.model.pipeline import Agent
from shiftboss.system.workbench import Workbench

_BYTES = 200_000  # of what it prints; twice ten times what is kept


def command_handler(agent: Agent) -> Handler:
    """The handler of an agent whose file names a command. One that does not ask for its mode is never asked to stop."""

    async def handle(order: Delegation, bench: Workbench) -> Outcome:
        return await _run(agent, order, bench)

    return handle if any("{mode}" in word for word in agent.options.argv) else keeping(handle)


async def _run(agent: Agent, order: Delegation, bench: Workbench) -> Outcome:
    options, words = agent.options, decisions_of(agent, bench)
    argv = filled_in(options.argv, values_for(order, bench), agent.id)
    bench.environment.make()
    async with swept(order, bench):
        result = await bench.processes.run_tool(
            argv,
            timeout=seconds_for(agent, order),
            cwd=folder_of(agent.source, options.folder, bench),
            run=order.run,
            delegation=order.id,
            env={**declared_variables(agent), ORDER: order_text(order, bench, words)},
            inherited=ordinary_variables(),
            limit_bytes=_BYTES,
        )
    outcomes = {str(code): word for code, word in options.outcomes.items()}  # YAML reads a code as a number
    address_notes(result.stdout, agent, bench)
    return outcome_for(result, order, words, program=Path(argv[0]).name, outcomes=outcomes)
