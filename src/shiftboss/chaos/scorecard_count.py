"""Results -> a scorecard: rows, totals, targets. Pure."""

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean, median

from shiftboss.chaos.result import FaultResult
from shiftboss.chaos.simulator import Played
from shiftboss.chaos.simulator_judge import Judged
from shiftboss.chaos.weather_drift import Drift
from shiftboss.model.value import Value

RATIO = 1.3
"""The most delegations a repairable trouble may take in the mean, against the least possible."""

SECONDS_PER_RUN = 180.0 / 5000.0
LEAST_SECONDS = 30.0
"""Starting and the forecast trials take their time however few runs there are."""


class Row(Value):
    """One line of the scorecard: all runs against one fault, or against so many at once."""

    name: str
    runs: int
    skipped: int = 0
    detected: float = 0.0  #: shares of 1, of the runs that were not skipped
    diagnosed: float = 0.0
    mitigated: float = 0.0
    escalated: float = 0.0  #: rightly
    false: float = 0.0
    collateral: float = 0.0
    seconds: float = 0.0  #: median time to recovery
    ratio: float | None = None  #: delegations against the least possible, mean; None where there is no way
    why: str = ""  #: why runs were skipped


class Target(Value):
    """Something that must hold."""

    name: str
    value: str
    wanted: str
    ok: bool


class Forecasts(Value):
    """How well what was coming was announced."""

    coming: int = 0
    announced: int = 0  #: before the limit was reached
    harmless: int = 0
    false_alarms: int = 0
    early: float = 0.0  #: median seconds between announcement and limit

    @property
    def precision(self) -> float:
        """Share of the announcements that were right."""
        said = self.announced + self.false_alarms
        return self.announced / said if said else 1.0

    @property
    def recall(self) -> float:
        """Share of what came that was announced in time."""
        return self.announced / self.coming if self.coming else 1.0


class Card(Value):
    """A scorecard."""

    mode: str
    seed: int
    runs: int
    took: float  #: seconds of real time
    rows: tuple[Row, ...]
    targets: tuple[Target, ...]
    forecasts: Forecasts | None = None
    costly: tuple[tuple[str, float, str], ...] = ()  #: faults, ratio, what was done: the worst first

    @property
    def good(self) -> bool:
        """Whether every target is met."""
        return all(target.ok for target in self.targets)


# -- rows --------------------------------------------------------------------------------------------------------


def row_of(name: str, results: Sequence[FaultResult]) -> Row:
    """What happened in some runs."""
    counted = [one for one in results if not one.skipped]
    skipped = [one for one in results if one.skipped]
    if not counted:
        return Row(name=name, runs=len(results), skipped=len(skipped), why=skipped[0].skipped if skipped else "")
    ratios = [one.delegations / one.least for one in counted if one.least]

    def share(what: Callable[[FaultResult], object]) -> float:
        return sum(bool(what(one)) for one in counted) / len(counted)

    return Row(
        name=name,
        runs=len(results),
        skipped=len(skipped),
        detected=share(lambda one: one.detected),
        diagnosed=share(lambda one: one.diagnosed),
        mitigated=share(lambda one: one.mitigated),
        escalated=share(lambda one: one.escalated_rightly),
        false=share(lambda one: one.false_action),
        collateral=share(lambda one: one.collateral),
        seconds=median(one.seconds for one in counted),
        ratio=fmean(ratios) if ratios else None,
        why=skipped[0].skipped if skipped else "",
    )


def _rows(grouped: dict[str, list[FaultResult]]) -> tuple[Row, ...]:
    return tuple(row_of(name, results) for name, results in grouped.items() if results)


# -- simulated ---------------------------------------------------------------------------------------------------


def card_of_simulated(
    judged: Sequence[Judged],
    trials: Sequence[tuple[Drift, Played]],
    catalogue: Iterable[str],
    *,
    seed: int,
    took: float,
) -> Card:
    """The scorecard of simulated runs; single faults by name, several by how many they are."""
    grouped: dict[str, list[FaultResult]] = {name: [] for name in catalogue}
    for one in judged:
        name = one.result.name if "+" not in one.result.name else f"{one.faults} faults at once"
        grouped.setdefault(name, []).append(one.result)
    forecasts = count_forecasts(trials)
    return Card(
        mode="simulated",
        seed=seed,
        runs=len(judged),
        took=round(took, 1),
        rows=_rows(dict(sorted(grouped.items(), key=lambda item: " " in item[0]))),
        targets=_targets(judged, forecasts, took),
        forecasts=forecasts,
        costly=_costly(judged),
    )


def _targets(judged: Sequence[Judged], forecasts: Forecasts, took: float) -> tuple[Target, ...]:
    controls = [one for one in judged if one.result.control]
    lost = [one for one in judged if not one.repairable and not one.result.skipped]
    ratios = [one.result.delegations / one.result.least for one in judged if one.result.least]
    ratio = fmean(ratios) if ratios else 1.0
    rightly = sum(one.result.escalated_rightly for one in lost)
    limit = max(LEAST_SECONDS, SECONDS_PER_RUN * len(judged))
    return (
        _none("runs without an end", sum(one.endless for one in judged)),
        _none("runs that left something worse", sum(bool(one.worse) for one in judged)),
        _none("runs that wrongly said converged", sum(one.wrong for one in judged)),
        _none("controls in which something was changed", sum(one.result.false_action for one in controls)),
        _none("false alarms of forecasts", forecasts.false_alarms),
        Target(
            name="delegations against the least, mean of the repairable",
            value=f"{ratio:.2f}",
            wanted=f"<= {RATIO:g}",
            ok=ratio <= RATIO,
        ),
        Target(
            name="unrepairable ones escalated within budget",
            value=f"{rightly} of {len(lost)}",
            wanted="all",
            ok=rightly == len(lost),
        ),
        Target(name="seconds in all", value=f"{took:.0f}", wanted=f"< {limit:.0f}", ok=took < limit),
    )


def _none(name: str, count: int) -> Target:
    return Target(name=name, value=str(count), wanted="0", ok=count == 0)


def _costly(judged: Sequence[Judged]) -> tuple[tuple[str, float, str], ...]:
    """Where most is to be won: the kinds of trouble by delegations beyond the least."""
    worst: dict[str, tuple[str, float, str]] = {}
    for one in judged:
        least = one.result.least
        if least:
            ratio = round(one.result.delegations / least, 2)
            if ratio > worst.get(one.result.name, ("", RATIO, ""))[1]:
                worst[one.result.name] = (one.result.name, ratio, one.how)
    return tuple(sorted(worst.values(), key=lambda item: (-item[1], item[0]))[:12])


def count_forecasts(trials: Iterable[tuple[Drift, Played]]) -> Forecasts:
    """Precision and recall over trials."""
    coming = announced = harmless = alarms = 0
    early: list[float] = []
    for drift, played in trials:
        if drift.fails_at is None:
            harmless += 1
            alarms += played.announced is not None
            continue
        coming += 1
        if played.announced is not None and played.announced < drift.fails_at:
            announced += 1
            early.append(drift.fails_at - played.announced)
    return Forecasts(
        coming=coming,
        announced=announced,
        harmless=harmless,
        false_alarms=alarms,
        early=round(median(early), 1) if early else 0.0,
    )


# -- real --------------------------------------------------------------------------------------------------------


def card_of_real(results: Sequence[FaultResult]) -> Card:
    """The scorecard of runs on real parts."""
    counted = [one for one in results if not one.skipped]
    grouped: dict[str, list[FaultResult]] = {}
    for one in results:
        grouped.setdefault(one.name, []).append(one)
    bad = [one.name for one in counted if not (one.mitigated or one.escalated_rightly)]
    controls = [one.name for one in counted if one.control and one.false_action]
    harmed = [one.name for one in counted if one.collateral]
    return Card(
        mode="real",
        seed=results[0].seed if results else 0,
        runs=len(results),
        took=round(sum(one.seconds for one in counted), 1),
        rows=_rows(grouped),
        targets=(
            _named("faults neither mitigated nor rightly escalated", bad),
            _named("controls in which something was changed", controls),
            _named("faults in which more was touched than needed", harmed),
        ),
    )


def _named(name: str, found: Sequence[str]) -> Target:
    value = f"{len(found)} ({', '.join(found)})" if found else "0"
    return Target(name=name, value=value, wanted="0", ok=not found)
