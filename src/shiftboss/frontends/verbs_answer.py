"""approve, deny, memory: answers to what a run asks, and what earlier runs taught."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from shiftboss import answering
from shiftboss.answering import APPROVED, DENIED, Answered, Known
from shiftboss.errors import BadInput
from shiftboss.frontends.arguments import DEFAULT_WORKDIR, Call, wrong
from shiftboss.frontends.failures import print_document
from shiftboss.frontends.plain import WIDTH, write
from shiftboss.frontends.session import session_of
from shiftboss.frontends.text import clean, seconds_text, wrap
from shiftboss.model.lesson import Credit, Lesson
from shiftboss.store.memory import Remedy
from shiftboss.system.clock import utc_text


def approve(call: Call) -> int:
    """Consent to one act."""
    return _answer(call, APPROVED)


def deny(call: Call) -> int:
    """Forbid one act."""
    return _answer(call, DENIED, reason=clean(call.more["reason"] or "").strip())


def _answer(call: Call, said: str, reason: str = "") -> int:
    words: Sequence[str] = call.more["words"]
    if len(words) > 2:
        raise BadInput(
            [wrong(f"{call.verb} does not take {words[2]!r}", f"It takes one act: shiftboss {call.verb} ACT")]
        )
    run = words[0] if len(words) == 2 else None
    answered = answering.answer(session_of(call), words[-1], said, run=run, reason=reason)
    if call.json:
        print_document(_answer_document(call, answered))
    elif not call.quiet:
        write(line for text in _answer_texts(answered) for line in wrap(text, WIDTH))
        if not answered.live:
            write([f"Next: {_resume(call, answered)}"])
    return 0


def _answer_document(call: Call, answered: Answered) -> dict[str, Any]:
    return {
        "state": answered.answer,
        "new": answered.new,
        "run": answered.run,
        "act": answered.asked.act,
        "move": answered.asked.move,
        "next": None if answered.live else _resume(call, answered),
    }


def _answer_texts(answered: Answered) -> Iterator[str]:
    asked = answered.asked
    done = f"{answered.answer.capitalize()}" if answered.new else f"It was {answered.answer} before"
    yield f"{done}: {clean(asked.what)} ({asked.move}, {asked.risk}), act {asked.act} of run {answered.run}."
    if answered.live:
        yield "The hub at work on that run takes it in now."
    elif answered.answer == DENIED:
        yield "Taken up again, the run looks for another way, or ends as one that needs a human."
    else:
        yield "It counts for exactly this act in this run, and is done when the run is taken up again."


def _resume(call: Call, answered: Answered) -> str:
    home = [] if str(call.workdir) == DEFAULT_WORKDIR else ["--workdir", str(call.workdir)]
    return shlex.join(["shiftboss", "resume", answered.run, *home])


# -- memory ------------------------------------------------------------------------------------------------------


def memory(call: Call) -> int:
    """`list`, `show SIGNATURE`, `export`, `import FILE` or `forget`."""
    works = {"list": _list, "show": _show, "export": _export, "import": _import, "forget": _forget}
    return works[call.more["action"]](call)


def _list(call: Call) -> int:
    known = answering.recall(session_of(call), call.more["signature"] or "")
    if call.json:
        print_document([_lesson(one) for one in known.lessons])
    elif not known.lessons:
        write(["Nothing has been learned yet: a recovery is judged when its time to last is over."])
    else:
        write(_lesson_table(known.lessons))
    return 0


_HEADS = ("strategy", "lasted", "failed", "rate", "mean", "last seen (UTC)")
_FORM = "  {:<20}{:>6}{:>8}{:>7}{:>10}  {}"


def _lesson_table(lessons: Sequence[Lesson]) -> Iterator[str]:
    """A line for each signature, below it one for each strategy, and the versions where they change."""
    yield _FORM.format(*_HEADS)
    signature = versions = ""
    for one in sorted(lessons, key=lambda one: (one.versions, one.signature, -one.rate)):
        if one.versions != versions:
            yield from wrap(f"with {one.versions}:", WIDTH)
        if (one.signature, one.versions) != (signature, versions):
            yield clean(one.signature)
        signature, versions = one.signature, one.versions
        numbers = (str(one.lasted), str(one.failed), f"{one.rate:.2f}", seconds_text(one.seconds))
        yield _FORM.format(clean(one.strategy), *numbers, _date(one.seen))


def _date(seconds: float) -> str:
    try:
        return utc_text(seconds).replace("T", " ").rstrip("Z")
    except (OverflowError, ValueError, OSError):  # no date that a calendar has
        return "unknown"


def _lesson(one: Lesson) -> dict[str, Any]:
    return {**vars(one), "rate": round(one.rate, 3)}


def _show(call: Call) -> int:
    signature: str | None = call.more["signature"]
    if not signature:
        raise BadInput([wrong("no signature is named", "shiftboss memory list shows them; a beginning is enough")])
    known = answering.recall(session_of(call), signature)
    if not (known.lessons or known.credits or known.remedies):
        raise BadInput([wrong(f"nothing is known about {signature}", "shiftboss memory list shows what is")])
    if call.json:
        print_document(_known(known))
    else:
        write(_known_lines(known))
    return 0


def _known(known: Known) -> dict[str, Any]:
    return {
        "lessons": [_lesson(one) for one in known.lessons],
        "credits": [dict(vars(one)) for one in known.credits],
        "remedies": [dict(vars(one)) for one in known.remedies],
    }


def _known_lines(known: Known) -> Iterator[str]:
    if known.lessons:
        yield from _lesson_table(known.lessons)
    texts = [*map(_credit_text, known.credits), *map(_remedy_text, known.remedies)]
    if texts and known.lessons:
        yield ""
    for text in texts:
        yield from wrap(text, WIDTH, hang=2)


def _credit_text(one: Credit) -> str:
    due = f"it has lasted if the failure is not back by {_date(one.due)}"
    return f"Not known yet: {one.strategy} of {one.component} ({_date(one.at)}); {due}. Against {one.signature}."


def _remedy_text(one: Remedy) -> str:
    return f"Mended by hand ({_date(one.at)}): {one.component}: {one.what}. Against {one.signature}."


def _export(call: Call) -> int:
    print_document(answering.export(session_of(call)))
    return 0


def _import(call: Call) -> int:
    place: str | None = call.more["signature"]
    if not place:
        raise BadInput([wrong("no file is named", "Name the file that export wrote, or - for what comes on stdin")])
    taken = answering.take_in(session_of(call), _text_of(place), "stdin" if place == "-" else place)
    if call.json:
        print_document({"state": "imported", **vars(taken)})
    elif not call.quiet:
        counts = ", ".join(f"{count} {kind}" for kind, count in vars(taken).items())
        write(wrap(f"New, or newer than what was known: {counts}.", WIDTH))
    return 0


def _text_of(place: str) -> str:
    try:
        return sys.stdin.read() if place == "-" else Path(place).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        what = f"{place} can't be read: {getattr(error, 'strerror', None) or error}"
        raise BadInput([wrong(what, "Name the file that shiftboss memory export wrote")]) from None


def _forget(call: Call) -> int:
    begins: str | None = call.more["signature"]
    strategy: str | None = call.more["strategy"]
    if not (begins or strategy or call.more["all"]):
        raise BadInput([wrong("it is not said what to forget", "Name a signature, or --strategy, or --all.")])
    if (begins or strategy) and call.more["all"]:
        raise BadInput([wrong("--all forgets everything, and a part is named too", "Leave one of them out.")])
    count = answering.forget(session_of(call), begins, strategy)
    if call.json:
        print_document({"state": "forgotten", "lessons": count})
    elif not call.quiet:
        write([f"{count} {'lesson is' if count == 1 else 'lessons are'} forgotten."])
    return 0
