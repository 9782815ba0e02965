"""Tasks that nothing looks at: their agent's word is kept in a file, so that the task is not done again.

It is what `shiftboss run` has for agents without components. The claim says plainly whose word it is; it never counts
as more. Nothing else is judged by it.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from shiftboss.contracts import Handler, Probe
from shiftboss.handlers.answers import decisions_of, takes_away
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, Status, done
from shiftboss.model.pipeline import Agent
from shiftboss.model.untrusted import beginning, sentence
from shiftboss.system.files import ensure_private_folder, sync_folder, write_atomic
from shiftboss.system.workbench import Workbench


def claiming(handler: Handler, agent: Agent, claimed: Collection[str]) -> Handler:
    """The handler, with a claim for each of the named components that it is content with."""

    async def handle(order: Delegation, bench: Workbench) -> Outcome:
        if order.component not in claimed:
            return await handler(order, bench)
        return await _with_claim(handler, agent, order, bench)

    return handle


def probe_claim(name: str) -> Probe:
    """The probe of a component that is only claimed."""

    async def probe(bench: Workbench) -> Observation:
        claim = read_claim(bench, name)
        health = Health.READY if claim else Health.ABSENT
        summary = (
            f"done ({sentence(str(claim.get('keyword')), 60)}), says {sentence(str(claim.get('agent')), 60)}; "
            "nothing looks at it"
            if claim
            else "not done"
        )
        return Observation(
            environment=bench.environment.name, component=name, health=health, summary=summary, at=bench.clock.now()
        )

    return probe


def read_claim(bench: Workbench, name: str) -> dict[str, Any]:
    """What was claimed of a component: run, delegation, agent, keyword, output; empty when nothing was."""
    try:
        found = json.loads(_path(bench, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def forget_claims(bench: Workbench) -> int:
    """Remove all claims of an environment; how many there were."""
    found = list(_folder(bench).glob("*.json"))
    for path in found:
        path.unlink(missing_ok=True)
    if found:
        sync_folder(_folder(bench))
    return len(found)


async def _with_claim(handler: Handler, agent: Agent, order: Delegation, bench: Workbench) -> Outcome:
    if order.mode is Mode.ENSURE and read_claim(bench, order.component):
        return done("it is claimed to be done already")
    dropped = _drop(bench, order.component)  # before the work: a claim must not outlive what it is about
    if takes_away(order):
        return done("its claim is dropped", *dropped)
    outcome = await handler(order, bench)
    if outcome.status is not Status.DONE:
        return outcome
    keyword = outcome.special or decisions_of(agent, bench)[0]
    _write(bench, order, {"agent": agent.id, "keyword": keyword, "output": beginning(outcome.output)})
    return outcome.but(changes=(*outcome.changes, f"wrote the claim of {order.component}"))


def _write(bench: Workbench, order: Delegation, said: dict[str, str]) -> None:
    ensure_private_folder(_folder(bench))
    claim = {"run": order.run, "delegation": order.id, **said}
    write_atomic(_path(bench, order.component), json.dumps(claim, indent=1) + "\n")


def _drop(bench: Workbench, name: str) -> list[str]:
    path = _path(bench, name)
    if not path.exists():
        return []
    path.unlink(missing_ok=True)
    sync_folder(path.parent)
    return [f"dropped the claim of {name}"]


def _folder(bench: Workbench) -> Path:
    return bench.environment.folder / "claims"


def _path(bench: Workbench, name: str) -> Path:
    return _folder(bench) / f"{quote(name, safe='')}.json"
