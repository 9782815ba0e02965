"""Sub-pipelines: which stages and connections stand in the outer pipeline, and what the inner ones are told."""

from pathlib import Path

import pytest
import yaml

from shiftboss.model.pipeline import INHERIT, ISOLATED, Catalogue, Pipeline
from shiftboss.templates.loader import load_user, validate

NOTHING = Catalogue(agents={}, pipelines={})
AGENT = {"id": "cook", "systemPrompt": "Cook.", "handler": "llm", "decisions": ["cooked", "cooking_failed", "asked"]}
INNER = {
    "id": "inner",
    "stages": [
        {"id": "boil", "agent": "cook", "task": "Boil it."},
        {"id": "salt", "agent": "cook", "inputs": ["boil"]},
    ],
    "connections": [
        {"from": "boil", "to": "salt", "condition": "cooked"},
        {"from": "boil", "to": None, "condition": "cooking_failed"},
        {"from": "boil", "to": None, "condition": "asked"},
        {"from": "salt", "to": None, "condition": "cooked"},
        {"from": "salt", "to": "boil", "condition": "cooking_failed"},
        {"from": "salt", "to": "boil", "condition": "asked"},
    ],
}


def outer(**sub: object) -> dict:
    ends = [
        {"from": name, "to": None, "condition": word}
        for name in ("first", "last", "sorry")
        for word in AGENT["decisions"]
    ]
    return {
        "id": "outer",
        "stages": [
            {"id": "first", "agent": "cook"},
            {"id": "sub", "pipeline": "inner", "inputs": ["first"], "task": "For two.", **sub},
            {"id": "last", "agent": "cook", "inputs": ["sub"]},
            {"id": "sorry", "agent": "cook"},
        ],
        "connections": [
            {"from": "first", "to": "sub", "condition": "cooked"},
            {"from": "sub", "to": "last", "condition": "complete"},
            {"from": "sub", "to": "sorry", "condition": "failed"},
            *ends[1:],
        ],
    }


def built(folder: Path, *documents: dict) -> Pipeline:
    for document in (AGENT, INNER, *documents):
        (folder / f"{document['id']}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return load_user([folder], NOTHING).pipelines[documents[0]["id"]]


def test_the_inner_stages_stand_where_the_outer_one_was(tmp_path: Path) -> None:
    line = built(tmp_path, outer())
    assert [stage.id for stage in line.stages] == ["first", "sub.boil", "sub.salt", "last", "sorry"]
    assert [stage.components for stage in line.stages] == [(stage.id,) for stage in line.stages]


def test_who_led_to_the_outer_stage_leads_to_the_inner_start(tmp_path: Path) -> None:
    way = built(tmp_path, outer()).target("first", "cooked")
    assert way is not None
    assert way.target == "sub.boil"


@pytest.mark.parametrize(
    ("stage", "keyword", "target"),
    [
        ("sub.boil", "cooked", "sub.salt"),
        ("sub.salt", "cooking_failed", "sub.boil"),
        ("sub.salt", "cooked", "last"),  # success goes where the outer stage's success goes
        ("sub.boil", "cooking_failed", "sorry"),
        ("sub.boil", "asked", "last"),  # neither success nor failure: it did not fail
    ],
)
def test_inner_ends_go_on_in_the_outer_pipeline(tmp_path: Path, stage: str, keyword: str, target: str) -> None:
    way = built(tmp_path, outer()).target(stage, keyword)
    assert way is not None
    assert way.target == target


def test_an_inner_end_takes_the_connection_with_its_own_keyword(tmp_path: Path) -> None:
    document = outer()
    document["connections"].append({"from": "sub", "to": "first", "condition": "asked"})
    way = built(tmp_path, document).target("sub.boil", "asked")
    assert way is not None
    assert way.target == "first"


def test_an_end_that_the_outer_pipeline_does_not_name_ends_the_run(tmp_path: Path) -> None:
    document = outer()
    document["stages"].pop()
    document["connections"] = [way for way in document["connections"] if "sorry" not in (way["from"], way["to"])]
    way = built(tmp_path, document).target("sub.boil", "cooking_failed")
    assert way is not None
    assert way.target is None


@pytest.mark.parametrize(
    ("context", "told", "handed"),
    [
        (INHERIT, INHERIT, ("first",)),
        (ISOLATED, ISOLATED, ()),
        (["first", "sorry"], ISOLATED, ("first", "sorry")),
    ],
)
def test_what_the_inner_stages_are_told(tmp_path: Path, context: object, told: str, handed: tuple[str, ...]) -> None:
    line = built(tmp_path, outer(context=context))
    boil, salt = line.stage("sub.boil"), line.stage("sub.salt")
    assert (boil.context, salt.context) == (told, told)
    assert boil.inputs == handed
    assert salt.inputs == (*handed, "sub.boil")
    assert boil.task == "For two.\n\nBoil it."
    assert salt.task == "For two."
    assert line.stage("first").context == INHERIT


def test_who_takes_the_outer_stages_output_takes_that_of_the_stages_that_end_it(tmp_path: Path) -> None:
    assert built(tmp_path, outer()).stage("last").inputs == ("sub.boil", "sub.salt")


def test_a_pipeline_in_a_pipeline_in_a_pipeline(tmp_path: Path) -> None:
    ends = [{"from": "stir", "to": None, "condition": word} for word in AGENT["decisions"]]
    outmost = {
        "id": "outmost",
        "stages": [{"id": "all", "pipeline": "outer", "context": ISOLATED}, {"id": "stir", "agent": "cook"}],
        "connections": [{"from": "all", "to": "stir", "condition": "complete"}, *ends],
    }
    line = built(tmp_path, outmost, outer())
    assert line.start == "all.first"
    assert [stage.id for stage in line.stages][:3] == ["all.first", "all.sub.boil", "all.sub.salt"]
    assert line.stage("all.sub.salt").inputs == ("all.first", "all.sub.boil")
    assert {stage.context for stage in line.stages[:-1]} == {ISOLATED}
    way = line.target("all.sub.boil", "cooked")
    assert way is not None
    assert way.target == "all.sub.salt"


def test_a_stage_that_works_on_a_component_of_its_own_name_is_no_task(tmp_path: Path) -> None:
    owner = {**AGENT, "id": "owner", "handler": "json:loads", "components": [{"name": "boil", "probe": "json:loads"}]}
    (tmp_path / "owner.yaml").write_text(yaml.safe_dump(owner), encoding="utf-8")
    inner = {**INNER, "stages": [{**INNER["stages"][0], "agent": "owner"}, INNER["stages"][1]]}
    line = built(tmp_path, outer(), inner)
    assert line.stage("sub.boil").components == ("boil",)
    assert line.stage("sub.salt").components == ("sub.salt",)


def test_an_agents_own_words_keep_their_places_where_its_pipeline_is_in_a_dialect(tmp_path: Path) -> None:
    """`type` makes a pipeline a foreign one; what its agents say still means what their own files say."""
    cook = {**AGENT, "decisions": ["yes", "no"]}
    ends = [{"from": name, "to": None, "condition": word} for name in ("boil", "last") for word in ("yes", "no")]
    inner = {"id": "inner", "stages": [{"id": "boil", "agent": "cook"}], "connections": ends[:2]}
    sub = {"id": "sub", "type": "sub_pipeline", "pipeline": "inner", "decisions": ["eaten", "thrown_away"]}
    ways = [("sub", "last", "eaten"), ("sub", None, "thrown_away")]
    whole = {
        "id": "whole",
        "stages": [sub, {"id": "last", "agent": "cook"}],
        "connections": [*({"from": a, "to": b, "condition": word} for a, b, word in ways), *ends[2:]],
    }
    for document in (cook, inner, whole):
        (tmp_path / f"{document['id']}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    assert validate([tmp_path], NOTHING) == ()
    pipeline = load_user([tmp_path], NOTHING).pipelines["whole"]
    assert pipeline.stage("last").decisions == ("yes", "no")
    assert pipeline.target("sub.boil", "yes").target == "last"
    assert pipeline.target("sub.boil", "no").target is None
