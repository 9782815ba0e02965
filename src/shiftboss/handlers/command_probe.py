"""A probe that is a program: its exit code, or the JSON object it prints, is the answer.

It must change nothing; what it prints is untrusted, and only 0 can mean READY. The observer limits its time.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from shiftboss.contracts import Probe
from shiftboss.errors import Failed
from shiftboss.handlers.command_answer import json_at_end
from shiftboss.handlers.command_order import filled_in, folder_of, ordinary_variables, whereabouts
from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health, Observation
from shiftboss.model.pipeline import ComponentSpec
from shiftboss.model.untrusted import plain_json, sentence
from shiftboss.system.tool import ToolResult
from shiftboss.system.workbench import Workbench

_BYTES = 100_000
_PATIENCE = 5.0  # beyond the observer's own limit, which comes first
_NAME = 80
"""Characters of what a running instance is called."""


def command_probe(spec: ComponentSpec, source: str) -> Probe:
    """The probe of a component that is asked by a command; `source` is the agent's file."""

    async def probe(bench: Workbench) -> Observation:
        result, program = await _asked(spec, source, bench)
        return _observation(spec.name, result, program, bench)

    return probe


async def _asked(spec: ComponentSpec, source: str, bench: Workbench) -> tuple[ToolResult, str]:
    place = whereabouts(spec.name, bench)
    argv = filled_in(spec.asks, place, f"the probe of {spec.name}")
    result = await bench.processes.run_tool(
        argv,
        timeout=bench.settings.probes.timeout + _PATIENCE,
        cwd=folder_of(source, "", bench),
        run=bench.run,
        env={"SHIFTBOSS_PROBED": spec.name, "SHIFTBOSS_FOLDER": place["folder"]},
        inherited=ordinary_variables(),
        limit_bytes=_BYTES,
    )
    return result, Path(argv[0]).name


def _observation(name: str, result: ToolResult, program: str, bench: Workbench) -> Observation:
    if result.code < 0:
        raise Failed(FailureKind.CRASHED, f"{program}, which looks at {name}, was ended by signal {-result.code}")
    told = json_at_end(result.stdout)
    health = _health(told, result, program)
    failure = told.get("failure")
    return Observation(
        environment=bench.environment.name,
        component=name,
        health=health,
        summary=sentence(str(told.get("summary") or "")) or _words(told, result) or f"{program} says {health}",
        evidence=cast("dict[str, Any]", plain_json(_mapping(told.get("evidence")))),
        failure=next((kind for kind in FailureKind if kind == failure and health is Health.BROKEN), None),
        instance=sentence(str(told.get("instance") or ""), _NAME) or None,
        measures=_measures(_mapping(told.get("measures"))),
        at=bench.clock.now(),
    )


def _health(told: Mapping[str, Any], result: ToolResult, program: str) -> Health:
    silent = not (result.stdout + result.stderr).strip()
    by_code = Health.READY if result.code == 0 else Health.ABSENT if silent else Health.BROKEN
    if "health" not in told:
        return by_code
    said = next((health for health in Health if health == str(told["health"]).lower()), None)
    if said is None:
        raise Failed(FailureKind.CONFIG, f"{program} answers health {sentence(str(told['health']), 40)!r}")
    return by_code if said is Health.READY else said


def _words(told: Mapping[str, Any], result: ToolResult) -> str:
    """The last line it printed, unless that is its JSON."""
    text = result.stderr if told or not result.stdout.strip() else result.stdout
    return sentence(text.strip().rpartition("\n")[2])


def _measures(found: Mapping[str, Any]) -> dict[str, float]:
    numbers = {name: value for name, value in found.items() if isinstance(value, int | float) and math.isfinite(value)}
    return {sentence(name, 60): float(value) for name, value in list(numbers.items())[:50]}


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
