"""A simulated stack as facts and the rules by which orders and faults change them. Pure: no time, no chance, no hub.

The simulator plays orders of the real hub against it; the search walks it for the least number of orders. It knows of
the mining stack which parts are processes and what proves what; everything else comes from the declared stack.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from shiftboss.model.failure import FailureKind
from shiftboss.model.fault import ENSURE, Fault, Moment
from shiftboss.model.observation import Health
from shiftboss.model.stack import Stack
from shiftboss.model.value import Value

Names = frozenset[str]
NONE: Names = frozenset()


class Shape(Value):
    """Which components are processes, and how the others hang on them."""

    processes: tuple[str, ...]
    inside: Mapping[str, str]  #: lives in a process and can't be seen without it -> that process
    proof: str  #: evidence bound to the processes that made it
    data: tuple[str, ...]  #: what `reset_environment` moves aside
    linked: tuple[str, ...] = ()  #: keep working while what feeds them merely lives (a connection stays open)
    finds_back: Health = Health.BROKEN  #: what a probe says of a process that is about to find its way back


MINING = Shape(
    processes=("daemon", "pool", "miner"),
    inside={"wallet": "daemon"},
    proof="cycle",
    data=("wallet", "cycle"),
    linked=("miner",),
    finds_back=Health.STARTING,
)


MET_FIRST = (
    FailureKind.PORT_FOREIGN,
    FailureKind.PORT_ORPHAN,
    FailureKind.MISSING_BINARY,
    FailureKind.PERMISSION,
    FailureKind.NO_SPACE,
    FailureKind.LOCKED,
)
"""What a start meets before anything else: of several faults of a part the first of these is seen."""


class Facts(NamedTuple):
    """What is so in the world; hashable, so that a search can remember where it was."""

    there: Names  #: files on disk, data on disk, processes running
    faults: Names = NONE  #: names of those that are in effect
    stale: Names = NONE  #: processes that run with an older configuration
    proven: Names = NONE  #: processes that the proof is of, as far as they are still the same
    dead: Names = NONE  #: processes that ended unexpectedly and were not started since
    aside: Names = NONE  #: data that was moved aside


class Condition(NamedTuple):
    """How a component is, as a probe that can't be misled would say it."""

    health: Health
    why: str
    kind: FailureKind | None = None
    unproven: bool = False


class Step(NamedTuple):
    """What an order did."""

    facts: Facts
    kind: FailureKind | None = None  #: it failed: of this kind
    why: str = ""
    started: Names = NONE  #: processes that are new now
    changes: tuple[str, ...] = ()


READY = Condition(Health.READY, "does its job")


class World:
    """The rules: what is to be seen of facts, and what orders make of them."""

    def __init__(self, stack: Stack, faults: Iterable[Fault], shape: Shape = MINING) -> None:
        self.stack = stack
        self.shape = shape
        self.faults = {fault.name: fault for fault in faults}
        self.feeds = {name: self._feed(name) for name in shape.processes}
        self._files = frozenset(stack.specs) - set(shape.processes)
        self._touches = {one.name: {name for name in one.touches if name in stack.specs} for one in stack.strategies}
        self._processes = frozenset(shape.processes)
        self._known: dict[Facts, dict[str, Condition]] = {}

    def _feed(self, name: str) -> str | None:
        """The process that a process can't work without: the nearest one above it."""
        above = [one for one in self.shape.processes if name in self.stack.downstream(one)]
        return max(above, key=self.stack.order.__getitem__, default=None)

    # -- beginnings ------------------------------------------------------------------------------------------

    def begin(self, moment: Moment) -> Facts:
        """The world before anything breaks."""
        if moment is Moment.NEW:
            return Facts(NONE)
        if moment is Moment.STOPPED:
            return Facts(self._files)
        return Facts(self._files | self._processes, proven=self._processes)

    def strike(self, facts: Facts, name: str) -> Facts:
        """Put a fault in."""
        fault = self.faults[name]
        killed = facts.there & set(fault.kills)
        if fault.breaks is Health.STARTING and not fault.control:
            facts = facts._replace(there=facts.there | {fault.component})
        facts = self._stopped(facts, killed)
        dead = {one for one in killed if one != fault.component}
        return facts._replace(faults=facts.faults | {name}, dead=facts.dead | dead)

    def ripen(self, facts: Facts, name: str) -> Facts:
        """What only takes time is over: a slow start."""
        return facts._replace(faults=facts.faults - {name})

    def waited(self, facts: Facts) -> Facts:
        """What the facts become if enough time passes and nobody does anything."""
        slow = {name for name in facts.faults if self.takes_time(name)}
        return facts._replace(faults=facts.faults - slow)

    def takes_time(self, name: str) -> bool:
        """Whether a fault passes by itself."""
        return self.faults[name].breaks is Health.STARTING and not self.faults[name].control

    def _stopped(self, facts: Facts, names: Names) -> Facts:
        """Processes are gone, and with them what was wrong with them only."""
        gone = {f for f in facts.faults for name in names if self._with_process(f, name)}
        return facts._replace(
            faults=facts.faults - gone,
            there=facts.there - names,
            proven=facts.proven - names,
            stale=facts.stale - names,
        )

    def _with_process(self, fault: str, name: str) -> bool:
        return _gone_with_process(self.faults[fault], name) and name not in self.faults[fault].kills

    # -- looking ---------------------------------------------------------------------------------------------

    def conditions(self, facts: Facts) -> Mapping[str, Condition]:
        """How every component is."""
        known = self._known.get(facts)
        if known is None:
            known = self._known[facts] = {}
            ours = self._at_component(facts.faults)
            for name in self.stack.specs:  # declared order: what is required comes first
                known[name] = self._condition(name, facts, ours.get(name, ()), known)
        return known

    def _at_component(self, names: Names) -> dict[str, list[Fault]]:
        """Faults in effect that are to be seen, by component, in the order in which a start meets them."""
        found: dict[str, list[Fault]] = {}
        for fault in sorted((self.faults[name] for name in names), key=_place):
            if not fault.control and fault.breaks is not Health.READY:
                found.setdefault(fault.component, []).append(fault)
        return found

    def _condition(self, name: str, facts: Facts, faults: Sequence[Fault], known: Mapping[str, Condition]) -> Condition:
        host = self.shape.inside.get(name)
        if host and known[host].health is not Health.READY:
            return Condition(Health.ABSENT, f"{host} can't be asked")
        if faults and self._unseen(faults[0], facts):
            return Condition(Health.ABSENT, f"no {name} runs")
        if faults:
            return _broken_by(faults[0])
        if name in self._processes:
            return self._process(name, facts, known)
        if name == self.shape.proof:
            return self._proof(facts, known)
        return READY if name in facts.there else Condition(Health.ABSENT, f"{name} is not there")

    def _unseen(self, fault: Fault, facts: Facts) -> bool:
        """Whether only a start would show it: damage under a process that was stopped cleanly."""
        name = fault.component
        cold = fault.moment is not Moment.RUNNING and fault.breaks is Health.BROKEN
        return cold and name in self._processes and name not in facts.there and name not in facts.dead

    def _process(self, name: str, facts: Facts, known: Mapping[str, Condition]) -> Condition:
        if name in facts.dead:
            return Condition(Health.BROKEN, f"{name} ended unexpectedly", FailureKind.DIED)
        if name not in facts.there:
            return Condition(Health.ABSENT, f"no {name} runs")
        if name in facts.stale:
            return Condition(Health.BROKEN, f"{name} runs with an older configuration")
        return READY if self.fed(name, facts, known) else self.lost(name)

    def fed(self, name: str, facts: Facts, known: Mapping[str, Condition]) -> bool:
        """Whether a process gets what it lives on."""
        feed = self.feeds[name]
        if feed is None:
            return True
        return feed in facts.there if name in self.shape.linked else known[feed].health is Health.READY

    def lost(self, name: str) -> Condition:
        """How a process is that has lost what feeds it."""
        return Condition(Health.BROKEN, f"{name} has lost {self.feeds[name]}", FailureKind.DISCONNECTED)

    def finding_back(self, name: str) -> Condition:
        """How a process is that will be connected again in a moment."""
        if self.shape.finds_back is Health.BROKEN:
            return self.lost(name)
        return Condition(self.shape.finds_back, f"{name} is finding its way back to {self.feeds[name]}")

    def _proof(self, facts: Facts, known: Mapping[str, Condition]) -> Condition:
        if self.shape.proof not in facts.there or facts.proven != self._processes:
            return Condition(Health.ABSENT, "nothing is proven of these instances", unproven=True)
        first = self.shape.processes[0]
        if known[first].health is not Health.READY:
            return Condition(Health.ABSENT, f"{first} can't be asked", unproven=True)
        return READY

    def ready(self, facts: Facts) -> bool:
        """Whether everything does its job."""
        return all(seen.health is Health.READY for seen in self.conditions(facts).values())

    # -- orders ----------------------------------------------------------------------------------------------

    def ensure(self, facts: Facts, name: str) -> Step:
        """What the owner's work does; where all is well, nothing."""
        if self.conditions(facts)[name].health is Health.READY:
            return Step(facts)
        cured = self._cured(facts, ENSURE, {name})
        facts = facts._replace(faults=facts.faults - cured)
        left = self._left(facts, name)
        if left is not None and (name in facts.there or not _gone_with_process(left, name)):
            dead = {name} & (self._processes - facts.there)
            return Step(facts._replace(dead=facts.dead | dead), _kind_of(left), _why_of(left))
        if name in self._processes:
            return self._started(facts, (name,))
        if name == self.shape.proof:
            return self._prove(facts)
        if name in facts.there:
            return Step(facts, changes=(f"put {name} right",) if cured else ())
        return Step(facts._replace(there=facts.there | {name}), changes=(f"made {name}",))

    def _prove(self, facts: Facts) -> Step:
        known = self.conditions(facts)
        down = [name for name in self.stack.specs[self.shape.proof].requires if known[name].health is not Health.READY]
        if down:
            return Step(facts, FailureKind.TIMEOUT, f"no block was made: {down[0]} is not ready")
        facts = facts._replace(there=facts.there | {self.shape.proof}, proven=self._processes)
        return Step(facts, changes=("wrote the proof",))

    def _started(self, facts: Facts, names: Iterable[str]) -> Step:
        """Processes started (again), as far as nothing keeps them from running."""
        done: list[str] = []
        for name in names:
            cured = {f for f in facts.faults if _gone_with_process(self.faults[f], name)}
            facts = facts._replace(
                faults=facts.faults - cured,
                there=facts.there | {name},
                stale=facts.stale - {name},
                dead=facts.dead - {name},
                proven=facts.proven - {name},
            )
            done.append(name)
        return Step(facts, started=frozenset(done), changes=tuple(f"started {name}" for name in done))

    def recover(self, facts: Facts, strategy: str, name: str) -> Step:
        """What a strategy does to a component, whether it helps or not."""
        cured = self._cured(facts, strategy, {name, *self._touches.get(strategy, ())})
        step = self._effect(facts._replace(faults=facts.faults - cured), strategy, name, helped=bool(cured))
        left = self._left(step.facts, name)
        if left is not None:
            return step._replace(kind=_kind_of(left), why=_why_of(left))
        if cured and not step.changes:
            step = step._replace(changes=(f"{strategy} of {name}",))
        return step

    def _effect(self, facts: Facts, strategy: str, name: str, *, helped: bool) -> Step:
        match strategy:
            case "restart_one" | "restart_rest" | "rewrite_credentials" | "reindex":
                return self._restarted(facts, name, rest=strategy == "restart_rest")
            case "restore_wallet":
                facts = facts._replace(there=facts.there | {"wallet"})
                return self._restarted(facts, name, rest=False)
            case "relocate_port" if helped:
                return Step(facts._replace(stale=facts.stale | (facts.there & {"pool", "miner"})), changes=("moved",))
            case "relocate_rpc_port" if helped:
                facts = facts._replace(stale=facts.stale | (facts.there & {"pool"}))
                return Step(self._stopped(facts, facts.there & {"daemon"}), changes=("moved the RPC port",))
            case "reset_environment":
                return self._reset(facts)
            case _:
                return Step(facts)

    def _restarted(self, facts: Facts, name: str, *, rest: bool) -> Step:
        left = self._left(facts, name)
        held = left is not None and not _gone_with_process(left, name)
        if name not in self._processes or (held and name not in facts.there):
            return Step(facts)
        after = [one for one in self.stack.downstream(name) if one in facts.there & self._processes] if rest else []
        return self._started(facts, (name, *after))

    def _reset(self, facts: Facts) -> Step:
        data = facts.there & set(self.shape.data)
        facts = self._stopped(facts, facts.there & self._processes)
        facts = facts._replace(there=facts.there - data, dead=NONE, aside=facts.aside | data)
        return Step(facts, changes=("moved the data aside",))

    def undo(self, now: Facts, before: Facts) -> Step:
        """Take back what a failed recovery changed of files and data; processes stay as they are."""
        back = (before.there & self._files) - now.there
        made = (now.there & self._files) - before.there
        if not back and not made and now.aside == before.aside:
            return Step(now)
        stopped = now.there & self._processes if back & set(self.shape.data) else NONE
        facts = self._stopped(now, stopped)
        facts = facts._replace(there=(facts.there | back) - made, aside=before.aside)
        return Step(facts, changes=tuple(f"put {name} back" for name in sorted(back)))

    # -- faults ----------------------------------------------------------------------------------------------

    def _cured(self, facts: Facts, act: str, where: Iterable[str]) -> Names:
        places = set(where)
        active = (self.faults[name] for name in facts.faults)
        return frozenset(f.name for f in active if not f.control and f.component in places and act in f.cures)

    def _left(self, facts: Facts, name: str) -> Fault | None:
        return next(iter(self._at_component(facts.faults).get(name, ())), None)


def _place(fault: Fault) -> tuple[bool, int, str]:
    """What keeps a process from starting hides what was wrong with the last one."""
    kind = _kind_of(fault)
    met = MET_FIRST.index(kind) if kind in MET_FIRST else len(MET_FIRST)
    return _gone_with_process(fault, fault.component), met, fault.name


def _broken_by(fault: Fault) -> Condition:
    kind = _kind_of(fault) if fault.breaks is Health.BROKEN and fault.kinds else None
    return Condition(fault.breaks, _why_of(fault), kind)


def _kind_of(fault: Fault) -> FailureKind:
    return fault.kinds[0] if fault.kinds else FailureKind.UNVERIFIED


def _why_of(fault: Fault) -> str:
    """Always the same words: the signature of a failure that comes back must be the same."""
    return f"{fault.component}: {fault.name}"


def _gone_with_process(fault: Fault, name: str) -> bool:
    """What is wrong with one process only ends with it, however it comes to be started again."""
    return fault.component == name and not fault.control and "restart_one" in fault.cures
