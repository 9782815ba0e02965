"""status, plan, env: the verbs that look and change nothing."""

import asyncio
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from shiftboss import looking
from shiftboss.app import Session
from shiftboss.engine.plan import Plan
from shiftboss.errors import BadInput
from shiftboss.frontends.arguments import Call
from shiftboss.frontends.documents import status_document
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.narrate import Line
from shiftboss.frontends.plain import lines_of, table_lines, write
from shiftboss.frontends.session import pack_and_components, session_of
from shiftboss.frontends.tables import components_table, endpoints_table
from shiftboss.frontends.text import clean, seconds_text
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
    found = asyncio.run(looking.plan(session, Goal(components=components)))
    if call.json:
        print_document(plan_document(found))
    else:
        write(_plan_lines(found))
    return 0


def plan_document(plan: Plan) -> dict[str, Any]:
    """The dry run as plain values."""
    return {
        "steps": [vars(step) for step in plan.steps],
        "skips": [vars(skip) for skip in plan.skips],
        "seconds": plan.seconds,
        "critical": list(plan.critical),
    }


def _plan_lines(plan: Plan) -> Iterator[str]:
    """Steps and skips in the form of a run's story, at the times at which they are expected."""
    if not plan.steps:
        yield "Nothing would be done: everything wanted is there."
    for step in plan.steps:
        how = f" by {step.strategy}" if step.strategy else ""
        known = "learnt" if step.learnt else "declared"
        text = f"{step.keyword}: {step.agent} for {step.component}{how}, {seconds_text(step.seconds)} ({known})"
        yield from lines_of(Line(at=step.starts, word="would", text=f"{text} — {step.why}"))
    for skip in plan.skips:
        yield from lines_of(Line(at=0.0, word="skips", text=f"{skip.component} — {skip.why}"))
    if plan.steps:
        way = " -> ".join(key.partition("/")[2] for key in plan.critical)
        yield from lines_of(Line(at=plan.seconds, word="ends", text=f"expected; the longest path is {way}"))


def env(call: Call) -> int:
    """The endpoints as exports for a POSIX shell. Their names hold no double underscore: they are no settings."""
    session = session_of(call)
    endpoints = asyncio.run(_endpoints(session))
    variables = {f"SHIFTBOSS_{_VARIABLES[name]}": str(value) for name, value in endpoints.items() if name in _VARIABLES}
    if call.json:
        print_document(variables)
    else:
        write(f"export {name}={shlex.quote(clean(value))}" for name, value in variables.items())
    return 0


_VARIABLES = {
    "rpc": "RPC",
    "rpc_cookie_file": "RPC_COOKIE_FILE",
    "wallet": "WALLET",
    "address": "ADDRESS",
    "stratum": "STRATUM",
    "pool_status": "POOL_STATUS",
}


async def _endpoints(session: Session) -> Mapping[str, Any]:
    if not session.home.is_dir():
        remedy = "shiftboss up makes it; --workdir names another working directory"
        raise BadInput([Diagnostic(place=str(session.home), what="nothing has been run here yet", remedy=remedy)])
    return await session.pack.endpoints(next(iter(session.benches.values())))
