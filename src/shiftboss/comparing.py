"""Runs two pipelines from the same start states, and compares where they end and what each did on the way.

Called by frontends/verbs_compare.py. Every run has a throw-away working directory and ports of its own; a stack of
the user's is neither used nor looked at. What is compared is what `COMPARED` says: no times, and not which blocks.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shiftboss.app import Session
from shiftboss.chaos.inject import inject
from shiftboss.chaos.real import Arena, end_stack
from shiftboss.chaos.real_stack import RealStack, Said, copy
from shiftboss.errors import BadInput, Refused
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.value import Value
from shiftboss.system.workbench import Workbench

COMPARED = (
    "health of each component",
    "which processes of ours run",
    "endpoints",
    "whether there is a proof",
    "configurations (working directory, ports and addresses by name)",
)
"""What makes two end states equal."""

NOBODYS = ("daemon.rpc=", "daemon.cookie_file=", "pool.attach=")
"""Settings that would bring in a daemon or pool of the user's: unset here."""


class State(Value):
    """A start state: what is brought up before, and which fault is put in then."""

    name: str
    what: str
    up: Sequence[str] | None = ()  #: components to bring up before; none named: all; None: nothing
    fault: str = ""
    empty: bool = False  #: an empty folder, not one with a funded wallet and all programs

    def prepare(self, stack: RealStack) -> None:
        """Bring a stack into this state.

        Raises:
            Refused: it does not get there.
        """
        if self.up is not None:
            said = stack.say("up", *self.up)
            if said.code != 0:
                raise Refused(f"The start state {self.name!r} can't be made here: `up` ended {said.ending}.")
        if self.fault:
            inject(stack.session(), self.fault)


STATES = {
    one.name: one
    for one in (
        State(name="fresh", what="nothing is there but the download cache", up=None, empty=True),
        State(name="partial", what="daemon and wallet run already", up=("daemon", "wallet")),
        State(name="done", what="everything runs and is proven"),
        State(name="pool_killed", what="everything ran, and the pool was killed", fault="pool_killed"),
        State(name="port_conflict", what="a stranger listens on the Stratum port", fault="stratum_port_foreign"),
    )
}
"""Every start state by name."""


class Took(Value):
    """What one pipeline did from one start state."""

    pipeline: str
    ending: str
    exit_code: int
    seconds: float  #: of the whole process
    delegations: int
    restarts: int  #: parts of ours that were started although they ran, or more than once
    blocks: int  #: made by agents; not those that the miner found
    changes: Sequence[str]


class Compared(Value):
    """Two pipelines from one start state."""

    state: str
    took: tuple[Took, Took]
    differences: Sequence[str]  #: none: they end alike

    @property
    def equal(self) -> bool:
        """Whether both end in the same state."""
        return not self.differences


def compare(
    session: Session,
    pipelines: tuple[str, str],
    states: Sequence[str],
    base: Path,
    tell: Callable[[Compared], None] = lambda _one: None,
) -> list[Compared]:
    """Run both pipelines from each start state, below the folder `base`.

    Raises:
        BadInput: there is no such pipeline or state.
        Refused: a start state can't be made here.
    """
    check(session, pipelines, states)
    folders = json.dumps([str(folder) for folder in session.settings.templates.folders])
    arena = Arena(base, (*session.request.sets, *NOBODYS, f"templates.folders={folders}"))
    found: list[Compared] = []
    for name in states:
        (one, its), (other, others) = (_run(arena, STATES[name], pipeline) for pipeline in pipelines)
        found.append(Compared(state=name, took=(one, other), differences=differences(its, others)))
        tell(found[-1])
    return found


def check(session: Session, pipelines: Sequence[str], states: Sequence[str]) -> None:
    """Refuse what is not there.

    Raises:
        BadInput: with every finding.
    """
    known = session.catalogue.pipelines
    found = [_unknown("pipeline", name, list(known)) for name in pipelines if name not in known]
    found += [_unknown("start state", name, list(STATES)) for name in states if name not in STATES]
    if found:
        raise BadInput(found)


def _unknown(kind: str, name: str, known: Sequence[str]) -> Diagnostic:
    return Diagnostic(place="command line", what=f"unknown {kind} {name!r}", remedy=f"Known: {', '.join(known)}")


def _run(arena: Arena, state: State, pipeline: str) -> tuple[Took, dict[str, str]]:
    """What a pipeline did from a start state, and where it ended."""
    with _stack(arena, state) as stack:
        state.prepare(stack)
        before = list(stack.parts())
        said = stack.say("up", "--pipeline", pipeline)
        return took(pipeline, said, before), end_state(stack, pipeline)


@contextmanager
def _stack(arena: Arena, state: State) -> Generator[RealStack]:
    """A stack in a folder of its own, always at the same path; nothing of it is left."""
    golden = None if state.empty else arena.prepare()
    stack = RealStack(arena.work, arena.sets)
    try:
        if golden is not None:
            copy(golden, arena.work)
        yield stack
    finally:
        if arena.work.exists():
            end_stack(stack)
        stack.remove()


_STARTED = re.compile(r"started the (\S+)")
_MADE = re.compile(r"made (\d+) blocks")


def took(pipeline: str, said: Said, before: Sequence[str]) -> Took:
    """What a run's document says that was done; `before` are the parts that ran when it began."""
    orders: Sequence[Mapping[str, Any]] = said.document.get("delegations", ())
    changes = [str(change) for order in orders for change in order["changes"]]
    starts = Counter(found[1] for change in changes if (found := _STARTED.match(change)))
    return Took(
        pipeline=pipeline,
        ending=said.ending,
        exit_code=said.code,
        seconds=round(said.seconds, 3),
        delegations=len(orders),
        restarts=sum(count - (part not in before) for part, count in starts.items()),
        blocks=sum(int(found[1]) for change in changes if (found := _MADE.match(change))),
        changes=changes,
    )


def end_state(stack: RealStack, pipeline: str) -> dict[str, str]:
    """Everything that is compared, by name, in texts that name no folder, port or address of this stack."""
    session = stack.session()
    document = stack.say("status", "--pipeline", pipeline).document
    found: dict[str, str] = {f"process of {name}": "runs" for name in stack.parts()}
    for key, seen in document.get("components", {}).items():
        found[f"health of {key}"] = str(seen["health"])
        evidence = seen["evidence"]
        if "hash" in evidence and "path" in evidence:
            name = key.partition("/")[0]
            found[f"configuration {key}"] = _config(Path(evidence["path"]), session.benches[name], stack.home)
    for name, one in document.get("endpoints", {}).items():
        bench = session.benches[name]
        for label, value in one.items():
            found[f"endpoint {name}/{label}"] = _set(value) if label == "address" else _plain(value, bench, stack.home)
        found[f"proof of {name}"] = _set(asyncio.run(_proof(session, bench)))
    return found


async def _proof(session: Session, bench: Workbench) -> Mapping[str, object]:
    return await session.pack.proof(bench)


def _set(value: object) -> str:
    return "there" if value else "not there"


def _config(path: Path, bench: Workbench, home: Path) -> str:
    try:
        return _plain(path.read_text(errors="replace"), bench, home)
    except OSError:
        return "can't be read"


def _plain(value: object, bench: Workbench, home: Path) -> str:
    """A text with the ports and the working directory by their names."""
    text = str(value).replace(str(home), "WORKDIR")
    for name, port in bench.ports.items():
        text = re.sub(rf"\b{port}\b", f"<{name} port>", text)
    return text


ABSENT = "not there"


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Where two end states differ, in words; long texts by the first line that differs. Pure."""
    names = dict.fromkeys([*one, *other])
    pairs = [(name, one.get(name, ABSENT), other.get(name, ABSENT)) for name in names]
    return [f"{name}: {_apart(a, b)}" for name, a, b in pairs if a != b]


def _apart(one: str, other: str) -> str:
    lines, others = one.splitlines() or [""], other.splitlines() or [""]
    for number, (a, b) in enumerate(zip(lines, others, strict=False), 1):
        if a != b:
            where = f"line {number}: " if max(len(lines), len(others)) > 1 else ""
            return f"{where}{a.strip() or 'nothing'} / {b.strip() or 'nothing'}"
    return f"{len(lines)} lines / {len(others)} lines"
