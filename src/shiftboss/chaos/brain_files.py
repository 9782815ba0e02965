"""The comparison of brains as text for a terminal (80 columns), Markdown and plain values. Pure."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from shiftboss.chaos.brain_count import Answers, BrainScore
from shiftboss.engine.report import times

HEAD = ("brain", "runs", "right", "wrong", "endless", "illegal", "x least", "MTTR", "agree", "refused")
_WIDTHS = (13, 5, 7, 6, 8, 8, 8, 8, 7, 8)

LEGEND = """\
right: share of the runs that mended it, or rightly called a person. wrong: said converged, and something was not \
ready. endless: without an end. illegal: orders that were not legal moves. These three must be 0 for any brain.
x least: delegations against the fewest possible, mean. MTTR: median seconds to the end, in virtual time.
agree: of the questions that leave a choice, those in which it chose exactly what the policy would. The policy \
is no judge of what is best: below 100% is another way, not a mistake. To start one of two moves that the policy \
starts side by side counts as another way.
refused: moves it chose that the hub did not admit.
The options were shuffled for each question (but for the policy, which has an order of its own): a brain that takes \
the first one gets nothing out of its place.
A brain is worth what it does better than random-legal and first-legal: these know nothing, and the hub's rules carry \
them.""".splitlines()


def table(scores: Sequence[BrainScore], seed: int) -> str:
    """The comparison in 80 columns, with what its numbers mean."""
    lines = [_title(seed)]
    for title, part in _blocks(scores):
        lines += ["", *([title] if title else ()), _line(HEAD), *(_line(_cells(one)) for one in part)]
    lines.append("")
    for text in (*details(scores), *LEGEND):
        lines += wrap(text, 80, subsequent_indent="  ")
    return "\n".join(lines)


def _title(seed: int) -> str:
    return f"Simulated stack, seed {seed}: every brain meets the same cases."


def _blocks(scores: Sequence[BrainScore]) -> list[tuple[str, list[BrainScore]]]:
    """What belongs together: all cases, and those that a model was given."""
    title = "Only cases that leave a choice, the first ones, which the model was given:"
    found = [("", [one for one in scores if not one.part]), (title, [one for one in scores if one.part])]
    return [block for block in found if block[1]]


def _line(cells: Sequence[str]) -> str:
    first, *rest = zip(cells, _WIDTHS, strict=True)
    return (first[0].ljust(first[1]) + "".join(cell.rjust(width) for cell, width in rest)).rstrip()


def _cells(one: BrainScore) -> tuple[str, ...]:
    return (
        one.name,
        str(one.runs),
        share(one.right, one.counted),
        str(one.wrong),
        str(one.endless),
        str(one.illegal),
        "-" if one.ratio is None else f"{one.ratio:.2f}",
        f"{one.mended:.1f}",
        share(one.same, one.choices),
        str(one.refused),
    )


def share(part: int, whole: int) -> str:
    """A share in %; a dash where there is nothing to share."""
    return f"{100 * part / whole:.0f}%" if whole else "-"


def details(scores: Sequence[BrainScore]) -> Iterator[str]:
    """A sentence per brain on its choices, and per model on its answers."""
    for one in scores:
        if one.part and not one.models:
            continue
        over = f"; the policy took over {times(one.taken_over)}" if one.taken_over else ""
        yield (
            f"{one.name}, {one.runs} runs: {one.choices} of {one.decisions} questions left a choice, which took it"
            f" {latency(one.seconds)} (median), 9 of 10 within {latency(one.slow)}{over}."
        )
        yield from (told(answers) for answers in one.models)


def told(one: Answers) -> str:
    """What a model did, in a few sentences."""
    verdicts = ", ".join(f"{number} {verdict}" for verdict, number in one.verdicts.items())
    replayed = f", {one.replayed} of them out of a recording" if one.replayed else ""
    return (
        f"{one.model}: asked {times(one.asked)}{replayed}: {verdicts}.{_of_usable(one)} Calls: {one.calls}, tokens:"
        f" {one.tokens}, {one.money:.4f} US dollars as far as prices are known."
    )


def _of_usable(one: Answers) -> str:
    """What can be said of the answers that could be used; nothing where there is none."""
    if not one.answered:
        return " None could be used."
    same = f"{one.same} ({share(one.same, one.answered)})"
    return (
        f" Of {one.answered} usable (different questions: {one.different}) {same} choose exactly what the policy would,"
        f" by lot it would be {one.lot:.1f}; {one.first} name the first option shown, by lot {one.lot_first:.1f}. An"
        f" answer took {latency(one.seconds)} (median), 9 of 10 within {latency(one.slow)}."
    )


def latency(seconds: float) -> str:
    """Seconds, or milliseconds where they are few."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def markdown(scores: Sequence[BrainScore], seed: int) -> str:
    """The comparison as a Markdown page."""
    lines = ["# Brains", "", _title(seed)]
    for title, part in _blocks(scores):
        rule = ["---", *["--:"] * (len(HEAD) - 1)]
        lines += ["", *([title, ""] if title else ()), _md(HEAD), _md(rule), *(_md(_cells(one)) for one in part)]
    lines += ["", *(f"- {text}" for text in details(scores)), "", *(f"{text}\n" for text in LEGEND)]
    return "\n".join(lines).rstrip() + "\n"


def _md(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def plain(one: BrainScore) -> dict[str, Any]:
    """A brain's figures as plain JSON values."""
    return {**vars(one), "safe": one.safe, "models": [plain_answers(answers) for answers in one.models]}


def plain_answers(one: Answers) -> dict[str, Any]:
    """A model's figures as plain JSON values."""
    return {**vars(one), "verdicts": dict(one.verdicts)}
