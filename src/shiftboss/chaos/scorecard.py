"""How well the hub does when things break: plays faults, counts, and says whether the targets are met.

`run_command` is what `shiftboss chaos run` calls. What is drawn stands in scorecard_files.py and picture.py, the
counting in scorecard_count.py.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from shiftboss.chaos.inject import together
from shiftboss.chaos.result import FaultResult
from shiftboss.chaos.scorecard_count import Card, card_of_real, card_of_simulated
from shiftboss.chaos.scorecard_files import table, write
from shiftboss.chaos.simulator import Case, Played, Simulator, faults_of, scratch
from shiftboss.chaos.simulator_cases import Cases
from shiftboss.chaos.simulator_judge import Judged, judge
from shiftboss.chaos.weather_drift import Drift, drifts
from shiftboss.contracts import Pack
from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.fault import Fault

Say = Callable[[str], None]

MISSED = 3
"""Exit code when a target is missed."""

WATCHED = 330.0
"""Seconds that a forecast trial keeps watch."""

TOLD_EVERY = 1000


def run_command(
    *, simulated: bool, real: bool, seed: int, runs: int, faults: Sequence[str], out: Path | None, say: Say
) -> int:
    """Play faults against the simulated stack, the real one, or both; print the scorecard and write it to `out`.

    Returns:
        0 when every target is met, else 3.

    Raises:
        BadInput: a fault of that name is not in the catalogue.
    """
    pack = _pack()
    chosen = [_group(pack, name) for name in faults]
    cards: list[Card] = []
    if simulated:
        cards.append(simulate(pack, seed=seed, runs=runs, groups=chosen, say=say))
    if real:
        singles = [fault.name for fault in faults_of(pack) if fault.inject or fault.control]
        names = list(faults) or [*singles, *together(pack)]
        cards.append(card_of_real(_real(names, seed, say)))
    for card in cards:
        say(table(card))
    if out is not None:
        for path in write(cards, out):
            say(f"wrote {path}")
    return 0 if all(card.good for card in cards) else MISSED


def _pack() -> Pack:
    from shiftboss.packs.mining.pack import PACK

    return PACK


def _real(names: Sequence[str], seed: int, say: Say) -> list[FaultResult]:
    from shiftboss.chaos.real import run_faults

    def tell(result: FaultResult) -> None:
        how = f"left out: {result.skipped}" if result.skipped else f"{result.ending} after {result.seconds:.1f} s"
        say(f"{result.name}: {how}{'' if result.good else '  <- not as it should be'}")

    with scratch() as folder:
        return run_faults(names, Path(folder), seed=seed, tell=tell)


def _group(pack: Pack, name: str) -> list[Fault]:
    """The faults of a name, several being joined by +."""
    known = {fault.name: fault for fault in faults_of(pack)}
    unknown = [one for one in name.split("+") if one not in known]
    if unknown:
        remedy = f"Known faults: {', '.join(known)}; several at once are joined by +"
        raise BadInput([Diagnostic(place="--faults", what=f"unknown fault {unknown[0]!r}", remedy=remedy)])
    return [known[one] for one in name.split("+")]


def simulate(pack: Pack, *, seed: int, runs: int, groups: Sequence[Sequence[Fault]] = (), say: Say) -> Card:
    """So many seeded runs, and trials of the forecasts; `groups`: only these faults, one group a run."""
    began = time.monotonic()
    with scratch() as folder:
        simulator = Simulator(pack, Path(folder))
        try:
            judged = play_all(simulator, Cases(faults_of(pack), seed, groups=groups), runs, say)
            trials = [] if groups else forecast_trials(simulator, seed, each=12 if runs >= TOLD_EVERY else 4)
        finally:
            simulator.close()
    catalogue = list(simulator.world.faults)
    return card_of_simulated(judged, trials, catalogue, seed=seed, took=time.monotonic() - began)


def play_all(simulator: Simulator, cases: Cases, runs: int, say: Say) -> list[Judged]:
    """The cases from the first on, played and judged."""
    found: list[Judged] = []
    for number in range(runs):
        found.append(judge(simulator.play(cases.case(number)), simulator.world))
        if (number + 1) % TOLD_EVERY == 0:
            say(f"{number + 1} simulated runs of {runs}")
    return found


def forecast_trials(simulator: Simulator, seed: int, *, each: int) -> list[tuple[Drift, Played]]:
    """Measures that drift and measures that do not, under watch."""
    found: list[tuple[Drift, Played]] = []
    for number, drift in enumerate(drifts(simulator.pack.limits, each, seed)):
        case = Case(seed=f"drift/{seed}/{number}", faults=(), watch=WATCHED, drift=drift)
        found.append((drift, simulator.play(case)))
    return found
