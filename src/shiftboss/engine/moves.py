"""Gap + history + terms -> the legal moves. Pure.

The rules are those of DESIGN section 7: what failed is taken back first, then the gentlest strategy that fits (or the
one that lasted in earlier runs), each a bounded number of times, a bounded number of failures per component, nothing
without consent, and nothing at all for what can't be retried.
"""

from collections.abc import Mapping, Sequence

from shiftboss.engine.ladder import Budget, Terms, Undoable, ladder, spent_on
from shiftboss.engine.trouble import WAITED_FOR, Trouble, is_late, trouble_of
from shiftboss.model.consent import Answer, act_of
from shiftboss.model.failure import NOT_RETRYABLE, FailureKind
from shiftboss.model.gap import Gap, GapKind
from shiftboss.model.lesson import proven
from shiftboss.model.move import Mode, Move, Risk
from shiftboss.model.pipeline import RECOVERY
from shiftboss.model.recovery import RUNGS, Attempt, Strategy
from shiftboss.model.stack import Stack
from shiftboss.model.value import Value

__all__ = ["NOTHING", "Ask", "Budget", "Options", "Terms", "Trouble", "options_for", "trouble_of"]

RETRIED = frozenset(
    {
        FailureKind.TIMEOUT,
        FailureKind.CRASHED,
        FailureKind.UNVERIFIED,
    }
)
"""Failures that the same order may get over the second time."""

RETRIES = 2
UNDO_TRIES = 2
LONGEST_REST = 60.0
"""Seconds: what fails again and again under `watch` is not tried more often than this."""


class Ask(Value):
    """A move that a person would have to consent to."""

    move: Move
    act: str  #: the hash that an approval names
    what: str


class Options(Value):
    """What may be done about one gap; when nothing may, `hopeless` says why."""

    moves: tuple[Move, ...] = ()
    hopeless: str | None = None
    asks: tuple[Ask, ...] = ()  #: hopeless only because nobody has consented to these
    rest: float = 0.0  #: seconds until something else becomes legal by itself


NOTHING = Options()


def options_for(gap: Gap, stack: Stack, attempts: Sequence[Attempt], terms: Terms, *, waited: float) -> Options:
    """The legal moves for one gap, the one to make first first."""
    if terms.undo is not None and gap.component not in terms.untouched:
        return _taking_back(gap, stack, attempts, terms.undo)
    if gap.blocked_by:
        return NOTHING
    spec = stack.specs[gap.component]
    if gap.kind in WAITED_FOR and not is_late(gap, spec, waited):
        return Options(moves=(_move(gap, stack, Mode.WAIT, f"{gap.why}; give it up to {spec.patience:.0f} s"),))
    kept = f"the goal says not to touch {gap.component}" if gap.component in terms.untouched else None
    spent = kept or _spent(attempts, terms.budget)
    if spent:
        return Options(hopeless=f"{spent}: {gap.why}")
    rest = _rest(attempts) - waited if terms.watching else 0.0
    return _resting(gap, stack, rest) if rest > 0 else _acting(gap, stack, attempts, terms, waited)


def _resting(gap: Gap, stack: Stack, rest: float) -> Options:
    why = f"{gap.why}; it has failed before, so it is left alone for {rest:.0f} s"
    return Options(moves=(_move(gap, stack, Mode.WAIT, why),), rest=rest)


def _acting(gap: Gap, stack: Stack, attempts: Sequence[Attempt], terms: Terms, waited: float) -> Options:
    if gap.kind is GapKind.UNWANTED:
        return Options(moves=(_move(gap, stack, Mode.REMOVE, gap.why),))
    trouble = trouble_of(gap, stack.specs[gap.component], attempts, waited)
    if trouble is None:
        return Options(moves=(_move(gap, stack, Mode.ENSURE, gap.why),))
    return _recovery(gap, stack, attempts, trouble, terms)


def _spent(attempts: Sequence[Attempt], budget: Budget) -> str | None:
    """Why no further attempt may be made, if so. Also what works again and again without lasting has a limit."""
    failed = sum(not (attempt.ok and attempt.lasted) for attempt in attempts)
    if failed >= budget.attempts:
        return f"{failed} failed attempts, which is the limit"
    if len(attempts) > budget.attempts + budget.recoveries:
        return f"{len(attempts)} attempts, and it does not last"
    return None


def _rest(attempts: Sequence[Attempt]) -> float:
    """Seconds to leave a part alone that keeps failing: none at first, then twice as long each time."""
    times = len(attempts) // 2  # a recovery and what follows it count as one
    return min(LONGEST_REST, 2.0 ** (times - 1)) if times > 1 else 0.0


def _taking_back(gap: Gap, stack: Stack, attempts: Sequence[Attempt], undo: Undoable) -> Options:
    tried = [attempt for attempt in attempts if attempt.mode == Mode.UNDO and not attempt.ok]
    if len(tried) >= UNDO_TRIES:
        return Options(hopeless=f"{undo.strategy} failed and could not be taken back: {tried[-1].message}")
    agent = stack.recovery_agent
    move = _move(gap, stack, Mode.UNDO, f"{undo.strategy} did not help: its steps are taken back")
    touches = tuple(name for name in undo.touches if name in stack.specs)
    word = RECOVERY
    return Options(moves=(move.but(agent=agent.id if agent else "", keyword=word, touches=touches),))


def _recovery(gap: Gap, stack: Stack, attempts: Sequence[Attempt], trouble: Trouble, terms: Terms) -> Options:
    if trouble.kind in NOT_RETRYABLE and gap.kind is not GapKind.FORECAST:
        return Options(hopeless=f"{trouble.kind} can't be retried: {trouble.message}")
    fitting = ladder(gap.component, stack.strategies, attempts, trouble, terms)
    moves = [_recover(gap, stack, strategy, trouble) for strategy in fitting]
    answers = {move.id: terms.consent.to(move, trouble.signature) for move in moves}
    allowed = _before_asking(moves, answers)
    if _may_retry(attempts, trouble):
        again = _move(gap, stack, Mode.ENSURE, f"try again after: {trouble.message}", rung=RUNGS.index("retry"))
        lessons = terms.lessons.get(trouble.signature, {})
        harsher = (n for n, one in enumerate(allowed) if one.rung > again.rung and not proven(lessons, one.strategy))
        allowed.insert(next(harsher, len(allowed)), again)
    if allowed:
        return Options(moves=tuple(allowed))
    asks = tuple(
        Ask(move=move, act=act_of(move, trouble.signature), what=_what(move, strategy))
        for move, strategy in zip(moves, fitting, strict=True)
        if answers[move.id] is Answer.ASK
    )
    return Options(hopeless=_why_hopeless(attempts, trouble, terms, asks, denied=bool(moves)), asks=asks)


def _before_asking(moves: Sequence[Move], answers: Mapping[str, Answer]) -> list[Move]:
    """What may be done without asking: nothing riskier than a gentler move that a person is asked for, or forbids."""
    severity = list(Risk)
    found: list[Move] = []
    limit = len(severity)
    for move in moves:
        risk = severity.index(move.risk)
        if answers[move.id] is not Answer.ALLOW:
            limit = min(limit, risk)
        elif risk <= limit:
            found.append(move)
    return found


def _what(move: Move, strategy: Strategy) -> str:
    return f"{strategy.what}: process {move.target}" if move.target else strategy.what


def _why_hopeless(
    attempts: Sequence[Attempt], trouble: Trouble, terms: Terms, asks: Sequence[Ask], *, denied: bool
) -> str:
    if asks:
        asked = ", ".join(f"{ask.what} ({ask.move.risk})" for ask in asks)
        return f"{trouble.message}; what could help needs consent: {asked}"
    reason = spent_on(attempts, trouble, terms)
    reason = reason or ("consent to what could help is denied" if denied else "no strategy is left")
    return f"{reason} for {trouble.kind}: {trouble.message}"


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
        target=gap.target if strategy.risk is Risk.FOREIGN else "",
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
