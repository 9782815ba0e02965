"""Probes that are programs."""

import asyncio
from pathlib import Path

import pytest

from handler_parts import CANARY, Told
from helpers import put_script
from shiftboss.errors import Failed
from shiftboss.handlers.making import probe_for
from shiftboss.model.failure import FailureKind
from shiftboss.model.observation import Health
from shiftboss.model.pipeline import ComponentSpec


@pytest.fixture
def told(home: Path) -> Told:
    home.mkdir()
    return Told(home)


def look(told: Told, script: str, *words: str):
    put_script(told.home, "look.sh", script)
    spec = ComponentSpec(name="disk", asks=("./look.sh", *words))
    return asyncio.run(probe_for(spec, str(told.home / "agent.json"))(told.bench))


@pytest.mark.parametrize(
    ("script", "health", "summary"),
    [
        ("exit 0", Health.READY, "look.sh says ready"),
        ("echo 12; echo room enough", Health.READY, "room enough"),
        ("echo no room >&2; exit 1", Health.BROKEN, "no room"),
        ("exit 1", Health.ABSENT, "look.sh says absent"),
        ('echo \'{"health": "starting", "summary": "soon"}\'', Health.STARTING, "soon"),
        ('echo \'{"health": "ready", "summary": "all is well"}\'; exit 1', Health.BROKEN, "all is well"),
        ('echo \'{"health": "broken", "summary": "x", "failure": "no_space"}\'', Health.BROKEN, "x"),
    ],
)
def test_health_and_summary(told, script, health, summary):
    seen = look(told, script)
    assert (seen.health, seen.summary, seen.component, seen.environment) == (health, summary, "disk", "one")
    assert seen.failure is (FailureKind.NO_SPACE if "no_space" in script else None)
    assert seen.at > 0


def test_evidence_and_measures(told):
    measures = '{"free": 3, "bad": NaN, "x": "y"}'
    answer = f'{{"health": "ready", "evidence": {{"password": "{CANARY}"}}, "measures": {measures}}}'
    seen = look(told, f"echo '{answer}'")
    assert seen.measures == {"free": 3.0}
    assert seen.evidence == {"password": "[removed]"}


def test_it_knows_what_to_look_at(told, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    seen = look(
        told,
        f'env | grep {CANARY}; echo "$1 $SHIFTBOSS_PROBED $SHIFTBOSS_ENVIRONMENT $SHIFTBOSS_FOLDER"',
        "{component}",
    )
    assert seen.summary == f"disk disk one {told.folder}"


@pytest.mark.parametrize("script", ["kill -9 $$", 'echo \'{"health": "fine"}\''])
def test_what_is_no_answer_raises(told, script):
    with pytest.raises(Failed):
        look(told, script)


def test_a_probe_that_is_not_there_raises(told):
    with pytest.raises(Failed) as caught:
        asyncio.run(probe_for(ComponentSpec(name="disk", asks=("./none",)), str(told.home / "a.json"))(told.bench))
    assert caught.value.kind is FailureKind.MISSING_BINARY
