"""brains: what a model chose beside what the policy would have, out of the journals or on the simulated stack."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shiftboss.app import Session
from shiftboss.errors import BadInput
from shiftboss.frontends.arguments import Call, wrong
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.plain import WIDTH, write
from shiftboss.frontends.session import session_of
from shiftboss.frontends.text import clean, wrap
from shiftboss.model.events import Consulted
from shiftboss.model.run import EXIT_CODES, Ending

if TYPE_CHECKING:
    from shiftboss.chaos.baselines import Maker
    from shiftboss.chaos.brain_count import BrainScore

MODEL_RUNS = 30
"""Runs with a model where nobody says how many: each question takes it seconds, and may cost money."""

UNSAFE = EXIT_CODES[Ending.ESCALATED]
"""Exit code when the rules did not hold for a brain: somebody has to look."""

MARKS = 100_000
"""Starts and ends of runs that are read, the newest first."""

MEANING = """\
Same moves: of the answers that could be used, those that choose exactly the set of moves that the policy chose in the \
same situation. The policy is no judge of what is best: another choice is another way, not a mistake.
The model was shown its options shuffled, and was not asked where there was only one.
followed: done as it said. beside: only noted (shadow). late, failed, refused, unreadable, spent, unrecorded: the \
policy decided."""


def brains(call: Call) -> int:
    """`compare`; the exit code."""
    return _simulated(call) if call.more["simulated"] else _journals(call)


# -- out of the journals ------------------------------------------------------------------------------------------


def _journals(call: Call) -> int:
    from shiftboss.chaos.brain_count import answers_of
    from shiftboss.chaos.brain_files import plain_answers, told

    runs, events = consulted(session_of(call))
    models = answers_of(events)
    if call.json:
        print_document({"runs": runs, "models": [plain_answers(one) for one in models], "brains": None})
        return 0
    write([f"{runs} {'run' if runs == 1 else 'runs'} of this working directory."])
    if not models:
        write(wrap("No model was asked which move to make. `--brain shadow` asks one beside the policy.", WIDTH))
        return 0
    for one in models:
        write(["", *wrap(clean(told(one)), WIDTH, hang=2)])
    write(["", *_meaning()])
    return 0


def consulted(session: Session) -> tuple[int, list[Consulted]]:
    """How many runs the journals hold, and every answer of a model in them."""
    from shiftboss import looking

    records = looking.existing(session)
    try:
        names = dict.fromkeys(mark.run for mark in records.journal.marks(MARKS))
        found = (one.event for name in names for one in records.journal.read(name))
        return len(names), [event for event in found if isinstance(event, Consulted)]
    finally:
        records.close()


def _meaning() -> list[str]:
    return [line for text in MEANING.splitlines() for line in wrap(text, WIDTH, hang=2)]


# -- on the simulated stack ---------------------------------------------------------------------------------------


def _simulated(call: Call) -> int:
    from shiftboss.chaos.brain_files import plain, table
    from shiftboss.chaos.brain_score import MODEL, compare

    session, seed = session_of(call), int(call.more["seed"])
    runs = _count("--runs", call.more["runs"])
    names = _brains(call, session)
    silent = call.json or call.quiet
    scores = compare(
        session.pack,
        [name for name in names if name != MODEL],
        seed=seed,
        runs=runs,
        models={MODEL: _maker(session)} if MODEL in names else {},
        model_runs=_model_runs(call, runs),
        say=lambda text: None if silent else write([clean(text)]),
    )
    if call.json:
        print_document({"runs": None, "models": [], "brains": {"seed": seed, "scores": [plain(one) for one in scores]}})
    else:
        write(["", *map(clean, table(scores, seed).splitlines())])
    return _code(scores)


def _code(scores: Sequence["BrainScore"]) -> int:
    return 0 if all(one.safe for one in scores) else UNSAFE


def _brains(call: Call, session: Session) -> list[str]:
    """The brains that were named, else those that are always there, and the model that is set."""
    from shiftboss.chaos.brain_score import BASELINES, MODEL

    set_ = session.settings.brain.model or session.settings.brain.replay
    if call.brain is None:
        return [*BASELINES, MODEL] if set_ else list(BASELINES)
    named = list(dict.fromkeys(name.strip() for name in call.brain.split(",") if name.strip()))
    unknown = [name for name in named if name not in (*BASELINES, MODEL)]
    if unknown or not named:
        what = f"there is no brain {unknown[0]!r} to compare" if unknown else "no brain is named"
        raise BadInput([wrong(what, f"Known: {', '.join((*BASELINES, MODEL))}")])
    return named


def _maker(session: Session) -> "Maker":
    from shiftboss.chaos.brain_model import maker

    given = session.settings.brain
    return maker(session.mind(), given.allowance, given.seconds)


def _model_runs(call: Call, runs: int) -> int:
    few: Any = call.more["llm_runs"]
    return min(MODEL_RUNS if few is None else _count("--llm-runs", few), runs)


def _count(option: str, wanted: int) -> int:
    if wanted < 1:
        raise BadInput([wrong(f"{option} {wanted}: there is nothing to run", "Give a number from 1")])
    return wanted
