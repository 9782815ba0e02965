"""A scorecard as text for a terminal (80 columns), JSON, Markdown and a picture."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shiftboss.chaos.picture import picture
from shiftboss.chaos.scorecard_count import Card, Row
from shiftboss.system.files import write_atomic

HEAD = ("fault", "runs", "seen", "kind", "mend", "esc", "false", "coll", "MTTR", "x least")
_WIDTHS = (27, 5, 5, 5, 5, 5, 5, 5, 7, 8)
LEGEND = (
    "shares in %: seen, right kind named, mended, rightly escalated, false action, collateral;",
    "MTTR: median seconds to the end; x least: delegations against the least possible",
)


def table(card: Card) -> str:
    """The scorecard in 80 columns."""
    lines = [f"{card.mode} faults: {card.runs} runs, seed {card.seed}, {card.took:g} s", _line(HEAD)]
    lines += [_line(_cells(row)) for row in card.rows]
    lines += LEGEND
    forecasts = card.forecasts
    if forecasts is not None and forecasts.coming:
        lines.append(
            f"forecasts: precision {forecasts.precision:.2f}, recall {forecasts.recall:.2f}"
            f" ({forecasts.announced} of {forecasts.coming} announced, {forecasts.early:g} s early;"
            f" {forecasts.false_alarms} false alarms of {forecasts.harmless})"
        )
    lines += [
        f"{'ok    ' if one.ok else 'MISSED'} {one.name}: {one.value} (wanted {one.wanted})" for one in card.targets
    ]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    name, *rest = cells
    first, *widths = _WIDTHS
    return name[:first].ljust(first) + "".join(cell.rjust(width) for cell, width in zip(rest, widths, strict=True))


def _cells(row: Row) -> tuple[str, ...]:
    if row.skipped == row.runs:
        return (row.name, str(row.runs), *["-"] * 8)
    shares = (row.detected, row.diagnosed, row.mitigated, row.escalated, row.false, row.collateral)
    return (
        row.name,
        str(row.runs),
        *[f"{share * 100:.0f}" for share in shares],
        f"{row.seconds:.1f}",
        "-" if row.ratio is None else f"{row.ratio:.2f}",
    )


def markdown(cards: Sequence[Card]) -> str:
    """The scorecards as Markdown tables."""
    parts = ["# Scorecard", "", "![bars per fault](scorecard.svg)", ""]
    for card in cards:
        parts += [
            f"## {card.mode.capitalize()} faults",
            "",
            f"{card.runs} runs, seed {card.seed}, {card.took:g} s.",
            "",
        ]
        parts += [_md(("target", "value", "wanted", "met")), _md(("---",) * 4)]
        parts += [_md((one.name, one.value, one.wanted, "yes" if one.ok else "**no**")) for one in card.targets]
        forecasts = card.forecasts
        if forecasts is not None and forecasts.coming:
            said = f"Forecasts: precision {forecasts.precision:.2f}, recall {forecasts.recall:.2f}"
            parts += ["", f"{said}, {forecasts.early:g} s early in the median."]
        parts += ["", " ".join(LEGEND), "", _md(HEAD), _md(("---",) * len(HEAD))]
        parts += [_md(_cells(row)) for row in card.rows]
        if card.costly:
            parts += ["", "Where most delegations went beyond the least:", ""]
            parts += [f"- {name}: x {ratio:g}: {how}" for name, ratio, how in card.costly]
        parts.append("")
    return "\n".join(parts)


def _md(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def plain(card: Card) -> dict[str, Any]:
    """The scorecard as plain JSON values."""
    forecasts = card.forecasts
    counted = {} if forecasts is None else {"precision": forecasts.precision, "recall": forecasts.recall}
    return {
        **vars(card),
        "good": card.good,
        "rows": [dict(vars(row)) for row in card.rows],
        "targets": [dict(vars(target)) for target in card.targets],
        "forecasts": None if forecasts is None else {**vars(forecasts), **counted},
        "costly": [list(item) for item in card.costly],
    }


def write(cards: Sequence[Card], folder: Path) -> list[Path]:
    """Write scorecard.json, scorecard.md and scorecard.svg; the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "scorecard.json": json.dumps([plain(card) for card in cards], indent=1) + "\n",
        "scorecard.md": markdown(cards),
        "scorecard.svg": picture(cards),
    }
    paths: list[Path] = []
    for name, text in texts.items():
        path = folder / name
        write_atomic(path, text)
        paths.append(path)
    return paths
