"""The policy decides as if nobody looked on; what the model would have done stands beside it, before the run's end."""

import asyncio
from pathlib import Path

from demo.small import Driver, hub_stack, world_of
from scripted_mind import ScriptedMind, pick
from shiftboss.brains.shadow import ShadowBrain
from shiftboss.errors import MindFailed
from shiftboss.model.events import Consulted, Decided, Delegated, RunEnded
from shiftboss.model.mind import Allowance
from shiftboss.model.run import Ending

PARTS = {"a": (), "b": ("a",), "c": ("a",), "d": ("b",), "e": ("c",)}


def shadowed(folder: Path, mind: ScriptedMind, allowance: Allowance | None = None) -> Driver:
    stack = hub_stack(PARTS)
    brain = ShadowBrain(mind, allowance=allowance or Allowance(), seconds=5.0)
    return Driver(stack, world_of(stack), folder, brain=brain)


def orders(driver: Driver) -> list[str]:
    return [order.component for order in driver.of(Delegated)]


def test_the_run_is_that_of_the_policy_and_the_models_choices_stand_beside(tmp_path: Path):
    (tmp_path / "alone").mkdir()
    alone = Driver(hub_stack(PARTS), world_of(hub_stack(PARTS)), tmp_path / "alone")
    asyncio.run(alone.run())
    driver = shadowed(tmp_path, ScriptedMind(pick("c/")))
    assert asyncio.run(driver.run()) is Ending.CONVERGED
    assert orders(driver) == orders(alone)
    beside = driver.of(Consulted)
    assert {one.verdict for one in beside} == {"beside"}
    assert beside[0].chosen == ["e/c/ensure"]
    assert beside[0].policy == ["e/b/ensure", "e/c/ensure"]
    assert all(event.source == "policy" for event in driver.of(Decided))
    assert isinstance(driver.events()[-1].event, RunEnded), "every answer is in before the run's end"
    alone.close()
    driver.close()


class Late(ScriptedMind):
    """Answers only when it is let."""

    def __init__(self) -> None:
        super().__init__(pick("c/"))
        self.gate = asyncio.Event()

    async def ask(self, question, seconds):
        await self.gate.wait()
        return await super().ask(question, seconds)


def test_a_slow_model_holds_nothing_up_but_the_end(tmp_path: Path):
    async def driven() -> tuple[Ending, list[str]]:
        mind = Late()
        driver = shadowed(tmp_path, mind)
        going = asyncio.ensure_future(driver.run())
        while len(driver.of(Delegated)) < len(PARTS):  # all is ordered although nothing was answered
            await asyncio.sleep(0)
        assert driver.of(Consulted) == []
        await asyncio.sleep(0.01)
        assert not going.done()
        mind.gate.set()
        ending = await going
        verdicts = [one.verdict for one in driver.of(Consulted)]
        driver.close()
        return ending, verdicts

    ending, verdicts = asyncio.run(driven())
    assert ending is Ending.CONVERGED
    assert verdicts
    assert set(verdicts) == {"beside"}


def test_what_fails_is_noted_and_the_allowance_counts_what_is_still_under_way(tmp_path: Path):
    driver = shadowed(tmp_path, ScriptedMind(MindFailed("late", "no answer")), Allowance(calls=1))
    assert asyncio.run(driver.run()) is Ending.CONVERGED
    verdicts = [one.verdict for one in driver.of(Consulted)]
    assert verdicts[0] == "late"
    driver.close()
