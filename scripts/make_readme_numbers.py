"""Puts the table of numbers into README.md, from bench/results/latest.json that `make bench` wrote.

Usage: python scripts/make_readme_numbers.py
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "bench" / "results" / "latest.json"
BEGIN, END = "<!-- numbers -->", "<!-- /numbers -->"


class Row(NamedTuple):
    """One line of the table: its words, and which figure of which benchmark it shows."""

    words: str
    benchmark: str
    figure: str


SCENES = (
    ("from nothing", "fresh"),
    ("daemon and wallet run already", "partial (daemon and wallet are ready)"),
    ("one failure: the pool was killed", "one failure (the pool of a running stack was killed)"),
    ("the Stratum port is taken", "Stratum port taken by a stranger"),
)
OWN_BLOCK = "own block: handed in until told, 500 miners, the last one"
LOOP = "the daemon dies after every start"

ROWS = (
    Row("fresh `up` to proof, downloads cached, whole process", "fresh", "fresh up to proof, whole process"),
    Row("the run against its own critical path", "fresh", "the run / its critical path"),
    *(Row(f"{words}: policy / script", "table", f"{scene}: policy / script") for words, scene in SCENES),
    Row("five daemon crashes: policy, until a person is called", "table", f"{LOOP}, policy: until a person is called"),
    Row("five daemon crashes: script, until it ends", "table", f"{LOOP}, script: until it ends"),
    Row("`up` on a ready stack, whole process, 0 changes", "noop", "up on a ready stack (0 mutations)"),
    Row("against pyinfra with the same checks", "noop", "up / pyinfra"),
    Row("against an Ansible playbook with the same checks", "noop", "up / Ansible"),
    Row("against curl in a shell script", "noop", "up / shell script"),
    Row("`shiftboss --version`", "startup", "shiftboss --version"),
    Row("20 environments in one run, from nothing", "environments", "20 regtest environments, from nothing"),
    Row("each further environment: seconds", "environments", "each further one, up to 20: seconds"),
    Row("each further environment: memory", "environments", "each further one, up to 20: memory"),
    Row("four waits of a second: one lane / two lanes", "lanes", "four waits of a second: one lane / two lanes"),
    Row("the same, whole process", "lanes", "four waits of a second, whole process: one lane / two lanes"),
    Row("miner and monitor: one lane / two lanes", "lanes", "miner and monitoring: one lane / two lanes"),
    Row("learned order against the least possible, mean", "makespan", "learned order / bound, mean"),
    Row("the same, worst of 48 stacks", "makespan", "learned order / bound, worst"),
    Row("learned order against the declared one, worst", "makespan", "learned / declared, worst"),
    Row("hub, per delegation, durable (FULL), chain of 1000", "hub", "chain of 1000, FULL, per delegation"),
    Row("the same against a bare SQLite loop", "hub", "chain of 1000, FULL, hub / bare"),
    Row("hub, per delegation, NORMAL, chain of 1000", "hub", "chain of 1000, NORMAL, per delegation"),
    Row("hub against LangGraph, 1000 delegations, FULL", "rivals", "1000 delegations, FULL: shiftboss / LangGraph"),
    Row("hub against LangGraph, 1000 delegations, NORMAL", "rivals", "1000 delegations, NORMAL: shiftboss / LangGraph"),
    Row("growth exponent, 1000 to 10,000 components, chain", "hub", "chain, growth exponent 1000 to 10000"),
    Row("the same, fan", "hub", "fan, growth exponent 1000 to 10000"),
    Row("the same, 100 environments", "hub", "environments of 100, growth exponent 1000 to 10000"),
    Row("peak memory, 10,000 components", "hub", "chain, 10000 delegations, NORMAL, peak memory"),
    Row("pool: verified shares, 500 miners", "pool", "verified shares, 500 miners"),
    Row("pool: the same against a server that judges nothing", "pool", "shares a second, pool / floor"),
    Row("pool: own block until the last of 500 miners is told", "pool", OWN_BLOCK),
    Row("pool: the same against the floor", "pool", "own block until the last is told, pool / floor"),
    Row("pool: memory, 500 miners", "pool", "the pool's memory, 500 miners"),
)


def main() -> None:
    """Rewrite the part of README.md between the markers."""
    before, rest = README.read_text(encoding="utf-8").split(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{rendered()}{END}{rest.split(END)[1]}", encoding="utf-8")


def rendered() -> str:
    """The table as Markdown; a figure that was not measured has no row."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))["benchmarks"]
    return "\n".join(["| what | median (min to max) | n | target |", "|---|---|---|---|", *_lines(found)]) + "\n"


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for row in ROWS:
        figures = found.get(row.benchmark, {"figures": ()})["figures"]
        for one in figures:
            if one["name"] == row.figure:
                spread = f" ({_number(one['min'])} to {_number(one['max'])})" if one["n"] > 1 else ""
                missed = ": **missed**" if one["met"] is False else ""
                unit = f" {one['unit']}" if one["unit"] else ""
                yield f"| {row.words} | {_number(one['median'])}{unit}{spread} | {one['n']} | {one['target']}{missed} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
