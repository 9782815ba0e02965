"""Carry out one delegation: call the handler with its deadline, and turn whatever happens into an Outcome."""

import asyncio
from collections.abc import Mapping

from shiftboss.contracts import Handler
from shiftboss.errors import Failed
from shiftboss.model.failure import Failure, FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.outcome import Outcome, Status, done
from shiftboss.system.workbench import Workbench


async def carry_out(order: Delegation, handlers: Mapping[str, Handler], bench: Workbench) -> Outcome:
    """The outcome of one delegation. Never raises, whatever the handler does; cancellation passes through."""
    if order.mode is Mode.VERIFY:
        return done(f"looked at {order.component}")
    limit = asyncio.timeout(order.deadline)
    try:
        async with limit:
            return _checked(await handlers[order.agent](order, bench), order)
    except asyncio.CancelledError:
        if _told_to_stop():
            raise
        return outcome_of(RuntimeError("it let somebody else's cancellation through"), order)
    except TimeoutError as error:
        return outcome_of(error, order, late=limit.expired())
    except Exception as error:  # noqa: BLE001 - one of the three borders: a handler's bug is a typed failure
        return outcome_of(error, order)


def _told_to_stop() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _checked(answer: object, order: Delegation) -> Outcome:
    if isinstance(answer, Outcome):
        return answer
    raise TypeError(f"{order.agent} answered {type(answer).__name__} where an Outcome is wanted")


def outcome_of(error: Exception, order: Delegation, *, late: bool = True) -> Outcome:
    """What an exception of a handler means; a TimeoutError that is not `late` came from something it waited for."""
    kind, message, evidence = FailureKind.CRASHED, f"{type(error).__name__}: {error}", dict[str, object]()
    match error:
        case Failed():
            kind, message, evidence = error.kind, str(error), error.evidence
        case TimeoutError():
            kind = FailureKind.TIMEOUT
            message = f"{order.agent} did not end within {order.deadline:g} s" if late else f"timed out: {error}"
        case PermissionError():
            kind = FailureKind.PERMISSION
        case OSError() if error.errno == 28:  # ENOSPC
            kind = FailureKind.NO_SPACE
        case _:
            pass
    failure = Failure(component=order.component, kind=kind, message=message, evidence=evidence)
    changes = tuple(error.changes) if isinstance(error, Failed) else ()
    return Outcome(status=Status.FAILED, summary=message, changes=changes, failure=failure, evidence=evidence)
