"""Puts the scorecard's table into README.md, from the results of `make chaos`.

Usage: python scripts/make_readme_scorecard.py REAL/scorecard.json SIMULATED/scorecard.json
"""

import json
import sys
from pathlib import Path
from typing import Any

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- scorecard -->", "<!-- /scorecard -->"
Row = dict[str, Any]


def main(files: list[str]) -> None:
    """Rewrite the part of README.md between the markers."""
    cards = {card["mode"]: card for file in files for card in json.loads(Path(file).read_text())}
    real, simulated = cards["real"], cards["simulated"]
    text = README.read_text()
    before, rest = text.split(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{_table(real, simulated)}{END}{rest.split(END)[1]}")


def _table(real: Row, simulated: Row) -> str:
    lines = [*_targets(real, simulated), "", "![one bar per fault, on real parts](docs/scorecard.svg)", "", "<details>"]
    lines += [
        "<summary>Fault by fault: what became of it on real parts, seconds to the end, and simulated</summary>",
        "",
    ]
    lines += ["| fault | real parts | s | simulated: good of runs | x least |", "|---|---|---|---|---|"]
    played = {row["name"]: row for row in simulated["rows"]}
    lines += [_row(row, played.get(row["name"])) for row in real["rows"]]
    return "\n".join([*lines, "", "</details>"]) + "\n"


def _targets(real: Row, simulated: Row) -> list[str]:
    lines = ["| target | found | wanted |", "|---|---|---|"]
    for mode, card in (("real parts", real), (f"{simulated['runs']:,} simulated runs", simulated)):
        for one in card["targets"]:
            missed = "" if one["ok"] else ": **missed**"
            lines.append(f"| {mode}: {one['name']} | {one['value']} | {one['wanted']}{missed} |")
    port = next((row for row in real["rows"] if row["name"] == "stratum_port_foreign"), None)
    if port:
        lines.append(f"| real parts: seconds to recover from a taken Stratum port | {port['seconds']:.1f} | <= 5 |")
    told = simulated["forecasts"]
    if told:
        lines.append(f"| forecasts: precision, recall | {told['precision']:.2f}, {told['recall']:.2f} | |")
    return lines


def _row(row: Row, played: Row | None) -> str:
    cells = [row["name"].replace("_", " "), _how(row), f"{row['seconds']:.1f}", "", ""]
    if played:
        good = round((played["mitigated"] + played["escalated"]) * played["runs"])
        cells[3] = f"{good} of {played['runs']}"
        cells[4] = "" if played["ratio"] is None else f"{played['ratio']:.2f}"
    return f"| {' | '.join(cells)} |"


def _how(row: Row) -> str:
    if row["skipped"]:
        return f"not here: {row['why']}"
    wrong = [word for word in ("false", "collateral") if row[word]]
    right = "mended" if row["mitigated"] else "a person is called, rightly" if row["escalated"] else "**not mended**"
    kind = "" if row["diagnosed"] else ", **wrong kind**"
    return right + kind + "".join(f", **{word}**" for word in wrong)


if __name__ == "__main__":
    main(sys.argv[1:])
