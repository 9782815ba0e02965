"""status, plan, env: the verbs that look and change nothing."""

import asyncio
import shlex
from typing import Any

from shiftboss import control
from shiftboss.app import Session
from shiftboss.engine.plan import Plan
from shiftboss.frontends.arguments import Call
from shiftboss.frontends.documents import status_document
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.plain import lines_of, table_lines, write
from shiftboss.frontends.session import pack_and_components, session_of
from shiftboss.frontends.tables import components_table, endpoints_table
from shiftboss.model.run import EXIT_CODES, Ending, Goal

NOT_READY = EXIT_CODES[Ending.ESCALATED]
"""Exit code of `status` when something is not ready: somebody has to do something."""


def status(call: Call) -> int:
    """Everything as it is now; exit code 0 when all of it is ready, 3 otherwise."""
    session = session_of(call)
    seen, endpoints = asyncio.run(control.status(session))
    document = status_document(seen, endpoints)
    if call.json:
        print_document(document)
    else:
        write(table_lines(components_table((o.environment, o.component, str(o.health), o.summary) for o in seen)))
        for name, one in endpoints.items():
            write(["", *table_lines(endpoints_table(name, one))])
    return 0 if document["health"] == "ready" else NOT_READY
