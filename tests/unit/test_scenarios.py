"""The original document's scenarios on the shipped mining stack, as data: who is sent for, in which order."""

import asyncio
from pathlib import Path

import pytest
import yaml

from demo.small import Part, ready, world_of
from shiftboss.model.events import Decided, Delegated
from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health
from shiftboss.model.stack import stack_of
from shiftboss.packs.mining.pack import PACK
from shiftboss.templates.loader import load_shipped

CASES = sorted((Path(__file__).parent.parent / "cases" / "scenarios").glob("*.yaml"))
SHIPPED = load_shipped(PACK.folder)
STACK = stack_of(SHIPPED.pipelines[PACK.default_pipeline], SHIPPED, PACK.strategies, PACK.optional)


def collapsed(words: list[str]) -> list[str]:
    return [word for index, word in enumerate(words) if index == 0 or word != words[index - 1]]


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_scenario_is_played(path: Path, parallel: int, drive) -> None:
    case = yaml.safe_load(path.read_text())
    world = world_of(STACK, ["regtest"], **{name: ready(100 + n) for n, name in enumerate(case["ready"])})
    for name, kind in case.get("broken", {}).items():
        part = Part(health=Health.BROKEN, failure=FailureKind(kind), summary=f"it is so: {kind}")
        world.parts[f"regtest/{name}"] = part
    world.script = {f"regtest/{name}": list(words) for name, words in case.get("script", {}).items()}
    driver = drive(STACK, world, environments=["regtest"], parallel=parallel)
    ending = asyncio.run(driver.run())
    assert ending == case.get("ending", "converged")
    words = [keyword for decision in driver.of(Decided) for keyword in decision.keywords]
    assert list(dict.fromkeys(words)) == case["keywords"]
    if parallel == 1:
        assert collapsed(words) == case.get("collapsed", case["keywords"])
    touched = {event.component for event in driver.of(Delegated)}
    assert not touched & set(case["ready"])


@pytest.mark.parametrize("parallel", [1, 4])
def test_every_decision_gives_its_reasons(parallel: int, drive) -> None:
    driver = drive(STACK, world_of(STACK, ["regtest"]), environments=["regtest"], parallel=parallel)
    asyncio.run(driver.run())
    for decision in driver.of(Decided):
        assert len(decision.reasoning.splitlines()) == len(decision.moves)
        cited = [gap[0] for gap in decision.gaps]
        assert all(any(g.startswith(m.rpartition("/")[0]) for g in cited) for m in decision.moves if "ensure" in m)
