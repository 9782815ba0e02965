"""Tasks that nothing looks at: done once, said to be claimed, done again when forced."""

import asyncio
import json
from pathlib import Path

import pytest

from handler_parts import CANARY, Told, agent, no_mind, order
from helpers import put_script
from shiftboss.handlers.claims import forget_claims, read_claim
from shiftboss.handlers.making import handler_for, probe_for
from shiftboss.model.move import Mode
from shiftboss.model.observation import Health
from shiftboss.model.outcome import Status
from shiftboss.model.pipeline import ComponentSpec

TASK = ComponentSpec(name="pool")


@pytest.fixture
def told(home: Path) -> Told:
    home.mkdir()
    return Told(home)


def run(told: Told, script: str = "echo x >> ran", mode: Mode = Mode.ENSURE):
    put_script(told.home, "work.sh", script)
    one = agent("command", str(told.home / "agent.json"), argv=("./work.sh", "{mode}")).but(components=(TASK,))
    return asyncio.run(handler_for(one, no_mind)(order(mode), told.bench))


def look(told: Told):
    return asyncio.run(probe_for(TASK, "")(told.bench))


def times(told: Told) -> int:
    return len((told.home / "ran").read_text().splitlines())


def test_a_claim_is_made_once_and_says_whose_word_it_is(told):
    assert look(told).health is Health.ABSENT
    outcome = run(told, f"echo x >> ran; echo 'token={CANARY} DECISION: environment_reset'")
    assert outcome.changes[-1] == "wrote the claim of pool"
    seen = look(told)
    assert seen.health is Health.READY
    assert seen.summary == "done (environment_reset), says pool_agent; nothing looks at it"
    path = told.folder / "claims" / "pool.json"
    assert path.stat().st_mode & 0o777 == 0o600
    said = json.loads(path.read_text())
    assert (said["run"], said["delegation"], said["keyword"]) == ("r1", "r1/1/0", "environment_reset")
    assert CANARY not in path.read_text()
    assert run(told).changes == ()
    assert times(told) == 1


def test_force_does_it_again_and_a_failure_leaves_no_claim(told):
    run(told)
    run(told, mode=Mode.FORCE)
    assert times(told) == 2
    assert run(told, "exit 1", Mode.FORCE).status is Status.FAILED
    assert look(told).health is Health.ABSENT


def test_remove_drops_the_claim_and_runs_nothing(told):
    run(told)
    assert run(told, mode=Mode.REMOVE).changes == ("dropped the claim of pool",)
    assert run(told, mode=Mode.REMOVE).changes == ()
    assert (look(told).health, times(told)) == (Health.ABSENT, 1)


def test_all_claims_are_forgotten(told):
    assert forget_claims(told.bench) == 0
    run(told)
    assert forget_claims(told.bench) == 1
    assert read_claim(told.bench, "pool") == {}


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff"])
def test_a_damaged_claim_is_none(told, text):
    run(told)
    (told.folder / "claims" / "pool.json").write_text(text, encoding="latin-1")
    assert look(told).health is Health.ABSENT


def test_an_agent_whose_components_are_looked_at_claims_nothing(told):
    put_script(told.home, "work.sh", "true")
    one = agent("command", str(told.home / "agent.json"), argv=("./work.sh",))
    one = one.but(components=(ComponentSpec(name="pool", asks=("true",)),))
    asyncio.run(handler_for(one, no_mind)(order(), told.bench))
    assert read_claim(told.bench, "pool") == {}


def test_a_name_can_not_leave_the_folder(told):
    spec = ComponentSpec(name="../../x")
    one = agent("command", argv=("true",)).but(components=(spec,))
    asyncio.run(handler_for(one, no_mind)(order(component=spec.name), told.bench))
    assert [path.parent for path in told.home.rglob("*x.json")] == [told.folder / "claims"]
