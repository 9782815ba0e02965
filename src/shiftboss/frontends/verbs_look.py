"""status, plan, env: the verbs that look and change nothing."""

import asyncio
import shlex
from collections.abc import Mapping
from typing import Any

from shiftboss import looking
from shiftboss.app import Session
from shiftboss.errors import BadInput
from shiftboss.frontends.arguments import Call
from shiftboss.frontends.documents import status_document
from shiftboss.frontends.exports import variables
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.narrate import Line
from shiftboss.frontends.plain import lines_of, table_lines, write
from shiftboss.frontends.plan_text import plan_document, plan_lines
from shiftboss.frontends.session import pack_and_components, session_of
from shiftboss.frontends.tables import components_table, endpoints_table
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.run import EXIT_CODES, Ending, Goal

NOT_READY = EXIT_CODES[Ending.ESCALATED]
"""Exit code of `status` when something is not ready: somebody has to do something."""


def status(call: Call) -> int:
    """Everything as it is now; exit code 0 when all of it is ready, 3 otherwise."""
    session = session_of(call)
    seen, endpoints = asyncio.run(looking.status(session))
    document = status_document(seen, endpoints)
    if call.json:
        print_document(document)
    else:
        write(table_lines(components_table((o.environment, o.component, str(o.health), o.summary) for o in seen)))
        for name, one in endpoints.items():
            write(["", *table_lines(endpoints_table(name, one))])
    return 0 if document["health"] == "ready" else NOT_READY


def plan(call: Call) -> int:
    """The dry run."""
    session = session_of(call)
    _, components = pack_and_components(call.more["words"])
    goal = Goal(components=components)
    if call.more["goal"] is not None:
        from shiftboss.frontends.verbs_goal import goal_to_plan

        goal = goal_to_plan(call, session, components)
    found = asyncio.run(looking.plan(session, goal))
    warning = session.pipeline.deprecation
    if call.json:
        print_document({**plan_document(found), "warnings": [warning] if warning else []})
    else:
        write(lines_of(Line(at=0.0, word="warns", text=warning)) if warning else ())
        write(plan_lines(found))
    return 0


def env(call: Call) -> int:
    """The endpoints as exports for a POSIX shell."""
    session = session_of(call)
    found = variables(asyncio.run(_endpoints(session)))
    if call.json:
        print_document(found)
    else:
        write(f"export {name}={shlex.quote(value)}" for name, value in found.items())
    return 0


async def _endpoints(session: Session) -> Mapping[str, Mapping[str, Any]]:
    new = [name for name, bench in session.benches.items() if not bench.environment.folder.is_dir()]
    if new:
        what = f"nothing has been run in {' or '.join(new)} yet"
        remedy = "shiftboss up makes it; --workdir names another working directory"
        raise BadInput([Diagnostic(place=str(session.home), what=what, remedy=remedy)])
    return {name: await session.pack.endpoints(bench) for name, bench in session.benches.items()}
