"""Runs faults on real parts, one after the other, each in a working directory copied from a golden one.

Called by the scorecard and by tests. From outside only: the command line brings the stack to the fault's moment, meets
the fault, and says afterwards how all is. Nothing is left behind, whatever happens.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from shiftboss.app import Session
from shiftboss.chaos.inject import active, clear, fault_named, inject
from shiftboss.chaos.real_disk import mount, unmount
from shiftboss.chaos.real_judge import Seen, judge
from shiftboss.chaos.real_stack import RealStack, copy, end_marked, own_ports
from shiftboss.chaos.result import FaultResult
from shiftboss.errors import Refused
from shiftboss.model.fault import Fault, Moment
from shiftboss.system.instance import Instance, alive, marks_of

HELD = "held.json"
"""Where a fault writes down the processes that it started."""

JOIN = "+"


def run_faults(
    names: Sequence[str],
    base: Path,
    sets: Sequence[str] = (),
    *,
    seed: int = 0,
    tell: Callable[[FaultResult], None] = lambda _result: None,
) -> list[FaultResult]:
    """Run each fault (two at once: their names joined by +) below the folder `base`, which may hold a golden copy.

    Raises:
        BadInput: there is no such fault.
        Refused: a healthy stack can't be made here.
    """
    arena = Arena(base, sets)
    found: list[FaultResult] = []
    for name in names:
        found.append(arena.run(name, seed))
        tell(found[-1])
    return found


class Arena:
    """A folder with a golden working directory, from which every fault gets its own."""

    def __init__(self, base: Path, sets: Sequence[str] = ()) -> None:
        base.mkdir(parents=True, exist_ok=True)
        self.golden = base / "golden"
        self.work = base / "work"  # always the same path, because configurations name it
        self._ports = base / "ports"
        self._given = tuple(sets)

    @property
    def sets(self) -> tuple[str, ...]:
        """The settings of every run: ports of its own, and what was given."""
        if not self._ports.exists():
            self._ports.write_text("\n".join(own_ports()))
        return (*self._ports.read_text().splitlines(), *self._given)

    def prepare(self) -> Path:
        """The golden working directory: brought up, proven, and stopped cleanly; made once.

        Raises:
            Refused: the stack does not come up here.
        """
        if not self.golden.exists():
            stack = RealStack(self.work, self.sets)
            try:
                for verb in ("up", "down"):
                    said = stack.say(verb)
                    if said.code != 0:
                        raise Refused(f"A healthy stack can't be made here: `{verb}` ended {said.ending}.")
            finally:
                end_marked(self.work)
            self.work.rename(self.golden)
        return self.golden

    def run(self, name: str, seed: int = 0) -> FaultResult:
        """Put the fault (or several, joined by +) into a fresh copy and see what the hub does."""
        golden = self.prepare()
        stack = RealStack(self.work, self.sets)
        faults = [fault_named(stack.session().pack, one) for one in name.split(JOIN)]
        with ExitStack() as ending:
            ending.callback(stack.remove)
            try:
                if any(fault.own_disk for fault in faults):
                    mount(self.work)
                    ending.callback(unmount, self.work)
                ending.callback(end_stack, stack)
                copy(golden, self.work)
                return _meet(stack, name, faults, seed)
            except Refused as error:
                control = all(fault.control for fault in faults)
                return FaultResult(name=name, mode="real", seed=seed, control=control, skipped=str(error))


def _meet(stack: RealStack, name: str, faults: Sequence[Fault], seed: int) -> FaultResult:
    """Bring the stack to the moment, put the faults in, let the hub meet them, look again."""
    if any(fault.moment is Moment.RUNNING for fault in faults):
        said = stack.say("up")
        if said.code != 0:
            raise Refused(f"The stack did not come up before the fault was put in: {said.ending}.")
    session = stack.session()
    for fault in faults:
        inject(session, fault.name)
    before, foreign = stack.parts(), _foreign(session)
    met = stack.say("up")
    after = stack.say("status")
    seen = Seen(
        events=[record.event for record in stack.events(str(met.document.get("run", "")))],
        ending=met.ending,
        seconds=met.seconds,
        healthy=after.document.get("health") == "ready",
        before=before,
        after=stack.parts(),
        killed=[f"foreign process {one.pid}" for one in foreign if not alive(one)],
    )
    return judge(name, faults, seen, seed)


def _foreign(session: Session) -> list[Instance]:
    """The processes that a fault put there as somebody else's, and that do not end by themselves."""
    found: list[Instance] = []
    for note in active(session):
        for one in _held(Path(note["folder"]) / HELD):
            instance = Instance(pid=one["pid"], started=one["started"], boot=one["boot"])
            if not one["passing"] and marks_of(instance.pid) is None:
                found.append(instance)
    return found


def _held(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text()) if path.exists() else []


def end_stack(stack: RealStack) -> None:
    """Take the faults away, then the stack; a fault that needs the stack down is taken away after that."""
    session = stack.session()
    with suppress(Refused):
        clear(session)
    stack.end()
    clear(session)
