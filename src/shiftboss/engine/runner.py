"""The asyncio loop that drives a hub: look, turn, work, settle. No judgement of its own.

It does not wait for all delegations: whichever settles first brings the next turn, the others go on.
"""

import asyncio
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from shiftboss.contracts import Handler
from shiftboss.engine.delegate import carry_out
from shiftboss.engine.guard import Guard
from shiftboss.engine.hub import Hub
from shiftboss.engine.ladder import Undoable
from shiftboss.engine.observe import Observer
from shiftboss.errors import StoreBroken
from shiftboss.model.events import Approved, Denied, NoteAdded
from shiftboss.model.mind import Usage
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Observation
from shiftboss.model.outcome import Outcome, Status
from shiftboss.model.run import Ending
from shiftboss.store.inbox import Inbox, Message
from shiftboss.system.workbench import Workbench

INBOX_SECONDS = 0.5
"""How often messages of other processes are looked for."""

SOON_SECONDS = 0.05
"""How long the ending of an order may wait to be written (and shown), and a message to be read."""

Work = tuple[Outcome, Sequence[Observation]]


class Runner:
    """Drives one hub to the end of its run."""

    def __init__(
        self,
        hub: Hub,
        observer: Observer,
        handlers: Mapping[str, Handler],
        benches: Mapping[str, Workbench],
        inbox: Inbox,
        cut_off: Mapping[str, Undoable] | None = None,
    ) -> None:
        """`cut_off` are recoveries of dead hubs, by `environment/component`, whose steps are still written down."""
        self._hub = hub
        self._observer = observer
        self._handlers = handlers
        self._benches = benches
        self._inbox = inbox
        self._cut_off_recoveries = cut_off or {}
        self._guard = Guard(hub.charter.stack, observer)
        self._next_messages = 0.0  #: loop time before which nobody's messages are looked for
        self._tasks: dict[asyncio.Task[Work], Delegation] = {}

    async def run(self) -> Ending:
        """Drive until the run has ended; on cancellation stop what is in flight and end it as interrupted."""
        guarding = asyncio.create_task(self._guard.watch())
        try:
            return await self._drive()
        except asyncio.CancelledError:
            await self._stop("interrupted by the user")
            raise
        except BaseException:
            await self._cancel()
            raise
        finally:
            guarding.cancel()

    async def _drive(self) -> Ending:
        hub = self._hub
        observations = await self._observer.look(hub.probes_due())
        self._give_up(hub.reconcile(observations, self._cut_off_recoveries))
        if self._read_inbox():
            await self._stop("stopped by a message")
            return Ending.INTERRUPTED
        number = hub.state.last_turn + 1
        while True:
            if hub.time_left() <= 0:
                await self._cut_off("the run's time is spent")
            if await self._turn(number, observations):
                await self._stop("stopped by a message")
                return Ending.INTERRUPTED
            if hub.state.ended is not None:
                await self._cut_off("the run has ended")
                return hub.state.ended
            await self._wait()
            if self._read_inbox():
                await self._stop("stopped by a message")
                return Ending.INTERRUPTED
            self._settle()
            with self._writing_soon():
                observations = await self._observer.look(hub.probes_due())
            number += 1

    async def _turn(self, number: int, observations: Sequence[Observation]) -> bool:
        """Take a turn and begin what it orders; whether somebody asked us to stop before it came to an end."""
        if not self._hub.charter.asks:  # a brain that asks nobody decides at once: a task of its own would cost more
            self._begin(await self._hub.turn(number, observations))
            return False
        turn = asyncio.create_task(self._hub.turn(number, observations))
        try:
            return await self._stopped_before(turn)
        finally:
            turn.cancel()
            await asyncio.wait((turn,))
            if not turn.cancelled():  # what was ordered is begun also when we are cancelled: else nobody settles it
                self._begin(turn.result())

    def _begin(self, orders: Sequence[Delegation]) -> None:
        for order in orders:
            self._tasks[asyncio.create_task(self._work(order), name=order.id)] = order

    async def _stopped_before(self, turn: asyncio.Task[list[Delegation]]) -> bool:
        """Wait for a turn as long as the run's time lasts; people are heard while a model takes its time."""
        while not turn.done():
            left = max(0.0, self._hub.time_left())
            await asyncio.wait((turn,), timeout=min(INBOX_SECONDS, left))
            if not turn.done() and self._read_inbox():
                return True
            if not left:
                break
        return False

    def _give_up(self, recoveries: Collection[str]) -> None:
        """What a dead hub's recovery has mended must not be taken back when its component fails some other day."""
        for key, undo in self._cut_off_recoveries.items():
            if undo.delegation in recoveries:
                self._benches[key.partition("/")[0]].undo.keep(undo.delegation)

    @contextmanager
    def _writing_soon(self) -> Generator[None]:
        """What has settled is written with the next order; but a slow look must not keep it waiting."""
        timer = asyncio.get_running_loop().call_later(SOON_SECONDS, self._flush)
        try:
            yield
        finally:
            timer.cancel()

    def _flush(self) -> None:
        with suppress(StoreBroken):  # it waits still, and the next order, which can't be written either, will say so
            self._hub.flush()

    async def _work(self, order: Delegation) -> Work:
        bench = self._bench(order)
        outcome = await self._guard.over(order, carry_out(order, self._handlers, bench))
        if order.mode is Mode.RECOVER:
            outcome = outcome.but(undoable=bench.undo.count(order.id))
        return outcome, await self._observer.look(self._hub.to_verify(order, outcome))

    def _bench(self, order: Delegation) -> Workbench:

        def warn(text: str) -> None:
            self._hub.warn(text, order.environment, order.component)

        return self._benches[order.environment].but(
            run=order.run,
            delegation=order.id,
            warn=warn,
            briefed=partial(self._hub.brief, order),
            tell=self._hub.tell,
            usage=self._usage,
            rules=self._hub.charter.rules(order.environment),
        )

    def _usage(self) -> Usage:
        return self._hub.state.usage

    async def _wait(self) -> None:
        look = self._hub.next_look()
        limits = [INBOX_SECONDS, max(0.0, self._hub.time_left())]
        timeout = min(limits if look is None else [*limits, look])
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        elif timeout > 0:
            await asyncio.sleep(timeout)

    def _settle(self) -> None:
        for task in [task for task in self._tasks if task.done()]:
            order = self._tasks.pop(task)
            outcome, seen = task.result()
            if self._hub.settle(order, outcome, seen) and outcome.undoable:
                self._hub.flush()  # that it went well must be known before the way back is given up
                self._benches[order.environment].undo.keep(order.id)

    def _read_inbox(self) -> bool:
        """Journal notes and answers; whether somebody asked us to stop."""
        now = asyncio.get_running_loop().time()
        if now < self._next_messages:
            return False
        self._next_messages = now + SOON_SECONDS
        messages = self._inbox.messages(self._hub.charter.run)
        if not messages:
            return False
        events = [event for message in messages if (event := _said(message)) is not None]
        self._hub.take(events, [message.id for message in messages])
        return any(message.kind == "stop" for message in messages)

    async def _cancel(self) -> list[Delegation]:
        """Stop what is in flight; the handlers' children die with them, finished parts stay."""
        orders = list(self._tasks.values())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        return orders

    async def _cut_off(self, why: str) -> None:
        self._settle()  # what has ended by itself keeps its own outcome
        for order in await self._cancel():
            steps = self._benches[order.environment].undo.count(order.id) if order.mode is Mode.RECOVER else 0
            self._hub.settle(order, Outcome(status=Status.CANCELLED, summary=why, undoable=steps), [])

    async def _stop(self, why: str) -> None:
        await self._cut_off(why)
        self._hub.end(Ending.INTERRUPTED, why)


def _said(message: Message) -> NoteAdded | Approved | Denied | None:
    """What a person's message means for the run; None for those that are no part of its story."""
    match message.kind:
        case "note":
            return NoteAdded(text=str(message.data["text"]))
        case "approve":
            return Approved(act=str(message.data["act"]))
        case "deny":
            return Denied(act=str(message.data["act"]), reason=str(message.data.get("reason", "")))
        case _:
            return None
