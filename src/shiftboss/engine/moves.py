"""Gap + ledger + strategies + budget -> the legal moves. Pure.

The rules are those of DESIGN section 7: the gentlest strategy that fits first, each strategy a bounded number
of times per signature, a bounded number of failures per component, and nothing at all for what can't be retried.
"""

from collections.abc import Sequence

from shiftboss.model.conflict import ALLOWED
from shiftboss.model.failure import NOT_RETRYABLE, FailureKind, signature
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.move import Mode, Move, Risk
from shiftboss.model.pipeline import ComponentSpec
from shiftboss.model.recovery import RUNGS, Attempt, Strategy
from shiftboss.model.stack import RECOVERY, Stack
from shiftboss.model.value import Value

RETRIED = frozenset(
    {
        FailureKind.TIMEOUT,
        FailureKind.CRASHED,
        FailureKind.UNVERIFIED,
        FailureKind.MISSING_BINARY,
    }
)
"""Failures that the same order may get over the second time."""

RETRIES = 2

WAITED_FOR = frozenset({GapKind.NOT_YET, GapKind.UNKNOWN})
"""Gaps that time alone may close, within the component's patience."""


class Trouble(Value):
    """The failure that stands between a component and its goal now."""

    kind: FailureKind
    signature: str
    message: str
    late: bool = False  #: nothing failed, but it does not become ready


class Budget(Value):
    """How often something may go wrong before a human is asked."""

    attempts: int  #: failed delegations per component
    recoveries: int  #: recoveries per environment


class Options(Value):
    """What may be done about one gap; when nothing may, `hopeless` says why."""

    moves: tuple[Move, ...] = ()
    hopeless: str | None = None
    consent: bool = False  #: hopeless only because nobody has consented to what could help


NOTHING = Options()


def options_for(
    gap: Gap, stack: Stack, attempts: Sequence[Attempt], budget: Budget, *, waited: float, recoveries: int
) -> Options:
    """The legal moves for one gap, gentlest first."""
    if gap.blocked_by:
        return NOTHING
    spec = stack.specs[gap.component]
    if gap.kind in WAITED_FOR and not _late(gap, spec, waited):
        return Options(moves=(_move(gap, stack, Mode.WAIT, f"{gap.why}; give it up to {spec.patience:.0f} s"),))
    spent = _spent(attempts, budget)
    if spent:
        return Options(hopeless=f"{spent}: {gap.why}")
    if gap.kind is GapKind.UNWANTED:
        return Options(moves=(_move(gap, stack, Mode.REMOVE, gap.why),))
    trouble = trouble_of(gap, spec, attempts, waited)
    if trouble is None:
        return Options(moves=(_move(gap, stack, Mode.ENSURE, gap.why),))
    return _recovery(gap, stack, attempts, trouble, spent=recoveries >= budget.recoveries)


def _late(gap: Gap, spec: ComponentSpec, waited: float) -> bool:
    return gap.kind in WAITED_FOR and waited > spec.patience


def _spent(attempts: Sequence[Attempt], budget: Budget) -> str | None:
    """Why no further attempt may be made, if so. Also what works again and again without lasting has a limit."""
    failed = sum(not attempt.ok for attempt in attempts)
    if failed >= budget.attempts:
        return f"{failed} failed attempts, which is the limit"
    if len(attempts) > budget.attempts + budget.recoveries:
        return f"{len(attempts)} attempts, and it does not last"
    return None


def trouble_of(gap: Gap, spec: ComponentSpec, attempts: Sequence[Attempt], waited: float) -> Trouble | None:
    """What went wrong and still stands: seen by the probe, or the last failure no recovery has answered."""
    if _late(gap, spec, waited):
        return _too_late(gap, waited)
    if gap.failure is not None:
        sign = signature(gap.component, gap.failure, gap.why)
        return Trouble(kind=gap.failure, signature=sign, message=gap.why)
    for attempt in reversed(attempts):
        if attempt.ok:
            return None
        if attempt.mode != Mode.RECOVER and attempt.kind and attempt.signature:
            return Trouble(kind=attempt.kind, signature=attempt.signature, message=attempt.message)
    return None


def _too_late(gap: Gap, waited: float) -> Trouble:
    message = f"not ready after {waited:.0f} s: {gap.why}"
    kind = FailureKind.TIMEOUT
    return Trouble(kind=kind, signature=signature(gap.component, kind, message), message=message, late=True)


def _recovery(gap: Gap, stack: Stack, attempts: Sequence[Attempt], trouble: Trouble, *, spent: bool) -> Options:
    if trouble.kind in NOT_RETRYABLE:
        return Options(hopeless=f"{trouble.kind} can't be retried: {trouble.message}")
    fitting = [] if spent else _untried(gap.component, stack.strategies, attempts, trouble)
    moves = [_recover(gap, stack, strategy, trouble) for strategy in fitting if strategy.risk in ALLOWED]
    if _may_retry(attempts, trouble):
        why = f"try again after: {trouble.message}"
        moves.append(_move(gap, stack, Mode.ENSURE, why, rung=RUNGS.index("retry")))
    if not moves and fitting:
        asked = ", ".join(f"{strategy.what} ({strategy.risk})" for strategy in fitting)
        return Options(hopeless=f"{trouble.message}; what could help needs consent: {asked}", consent=True)
    if not moves:
        reason = "the environment's recoveries are spent" if spent else "no strategy is left"
        return Options(hopeless=f"{reason} for {trouble.kind}: {trouble.message}")
    return Options(moves=tuple(sorted(moves, key=lambda move: move.rung)))


def _untried(
    component: str, strategies: Sequence[Strategy], attempts: Sequence[Attempt], trouble: Trouble
) -> list[Strategy]:
    return [s for s in strategies if s.fits(component, trouble.kind) and _uses(attempts, s.name, trouble) < s.uses]


def _uses(attempts: Sequence[Attempt], strategy: str, trouble: Trouble) -> int:
    return sum(a.strategy == strategy and a.treated == trouble.signature for a in attempts)


def _may_retry(attempts: Sequence[Attempt], trouble: Trouble) -> bool:
    if trouble.late:  # the order itself went well each time: a second one may help, a third will not
        return sum(attempt.mode == Mode.ENSURE for attempt in attempts) < RETRIES
    same = sum(a.signature == trouble.signature and not a.ok for a in attempts)
    return trouble.kind in RETRIED and same <= RETRIES


def _recover(gap: Gap, stack: Stack, strategy: Strategy, trouble: Trouble) -> Move:
    agent = stack.recovery_agent
    return Move(
        id=f"{gap.key}/{Mode.RECOVER}/{strategy.name}",
        environment=gap.environment,
        component=gap.component,
        agent=agent.id if agent else "",
        mode=Mode.RECOVER,
        strategy=strategy.name,
        keyword=RECOVERY,
        why=f"{trouble.message}; {strategy.what}",
        estimate=strategy.estimate,
        deadline=max(30.0, strategy.estimate * 10),
        risk=strategy.risk,
        rung=strategy.radius,
        order=stack.order[gap.component],
        touches=tuple(name for name in strategy.touches if name in stack.specs),
        locks=stack.specs[gap.component].locks,
    )


def _move(gap: Gap, stack: Stack, mode: Mode, why: str, *, rung: int = 0) -> Move:
    spec = stack.specs[gap.component]
    agent = stack.owners[gap.component]
    return Move(
        id=f"{gap.key}/{mode}",
        environment=gap.environment,
        component=gap.component,
        agent=agent.id,
        mode=mode,
        keyword=stack.keywords[agent.id],
        why=why,
        estimate=spec.estimate,
        deadline=spec.deadline,
        risk=Risk.DISRUPTIVE if mode is Mode.REMOVE else Risk.SAFE,
        rung=rung,
        order=stack.order[gap.component],
        locks=spec.locks,
    )
