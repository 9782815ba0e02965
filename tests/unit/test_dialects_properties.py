"""What must hold for any document whatever: translation never raises, and what is ours is left alone."""

import json
import tempfile
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from shiftboss.model.pipeline import Catalogue
from shiftboss.templates.dialects import translate
from shiftboss.templates.importing import import_folder
from shiftboss.templates.loader import load_user, validate
from shiftboss.templates.user import read

NOTHING = Catalogue(agents={}, pipelines={})
words = st.sampled_from(["one", "two", "done", "failed", "one_error", "end", "Done", "a b", "", "daemon_ready"])
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


def forms(**known: st.SearchStrategy) -> st.SearchStrategy[dict]:
    """Objects with any of those keys, most with something fitting."""
    return st.fixed_dictionaries(
        {}, optional={key: fitting | fitting | fitting | junk for key, fitting in known.items()}
    )


decisions = st.lists(
    words | forms(choice=words, id=words, name=words, description=words), max_size=3
) | st.dictionaries(words, forms(description=words, conditions=st.lists(words, max_size=2)), max_size=3)
agents = forms(
    id=st.sampled_from(["one", "two"]),
    systemPrompt=words,
    system_prompt_template=words,
    prompt=words,
    agent_name=words,
    decisions=decisions,
    allowedDecisions=decisions,
    handler=st.sampled_from(["llm", "hub", "json:loads"]),
    limits=st.dictionaries(words, st.floats(allow_nan=False), max_size=2),
    components=st.lists(forms(name=words, probe=words), max_size=2),
    temperature=st.floats(allow_nan=False),
)
config = forms(pipeline=st.sampled_from(["line", "other"]), inheritContext=st.booleans(), contextMapping=junk)
stages = forms(
    id=st.sampled_from(["one", "two", "three"]),
    agent=st.sampled_from(["one", "two", "nobody"]),
    type=st.sampled_from(["sub_pipeline", "maker"]),
    inputs=st.lists(words, max_size=2),
    decisions=decisions,
    prompt=st.sampled_from(["Go.", "After {{one.x}}."]),
    config=config,
    context=st.sampled_from(["inherit", "isolated"]),
    mode=st.sampled_from(["force", "verify"]),
)
ways = st.lists(
    forms(
        **{"from": st.sampled_from(["one", "two", "three"])},
        to=st.sampled_from(["one", "two", "three", None, "end", "nowhere"]),
        condition=words | forms(value=words) | st.none(),
    ),
    max_size=5,
)
pipelines = forms(
    id=st.sampled_from(["line", "other"]),
    connections=ways,
    flow=forms(connections=ways, type=words),
    startStage=st.sampled_from(["one", "two", "nowhere"]),
    metadata=forms(replacedBy=words),
).flatmap(lambda doc: st.lists(stages | junk, max_size=4).map(lambda found: {"stages": found, **doc}))


@given(agents | pipelines | st.dictionaries(words, junk, max_size=4))
def test_any_document_is_translated_or_left_to_the_checks(document: dict) -> None:
    before = json.dumps(document)
    done = translate(document, "folder/name.json")
    assert json.dumps(document) == before
    assert all(found.what and found.remedy and found.topic != "other" for found in done.findings)


@given(agents | pipelines)
def test_what_was_changed_was_told_or_is_another_way_to_say_the_same(document: dict) -> None:
    done = translate(document, "folder/name.json")
    if done.data is not document:
        assert done.foreign or done.findings or {**document, "id": "name"} == done.data


def some_decisions(choose: Random) -> object:
    """Decisions in one of the original's ways, or none."""
    found = choose.sample(WORDS, choose.randrange(4))
    ways: list[object] = [
        found,
        [{"choice": word, "description": "x"} for word in found],
        [{choose.choice(["name", "id"]): word} for word in found],
        {word: {"description": "x", "conditions": ["y"]} for word in found},
        None,
    ]
    return choose.choice(ways)


WORDS = ["done", "failed", "one_error", "daemon_ready", "daemon_started", "daemon_error", "DONE", "again", "two words"]


def some_agent(choose: Random, name: str) -> dict:
    made: dict[str, object] = {"id": name, "role": "r", "decisions": some_decisions(choose)}
    made[choose.choice(["systemPrompt", "prompt", "system_prompt_template", "unused"])] = "Do {plan}."
    return made | choose.choice([{}, {"temperature": 1}])


def some_stage(choose: Random, name: str, names: list[str]) -> dict:
    made: dict[str, object] = {"id": name, "inputs": choose.choices(names, k=choose.randrange(2))}
    if choose.random() < 0.2:
        inner = {"pipeline": choose.choice(["p0", "p1", "p2"]), "inheritContext": choose.choice([True, False])}
        return made | {"type": "sub_pipeline", "config": inner, "prompt": choose.choice(["Go.", "Go to {{s0.x}}."])}
    agent = "nobody" if choose.random() < 0.05 else choose.choice(["a0", "a1", "a2"])
    return made | {"agent": agent, "type": "maker", "decisions": some_decisions(choose)}


def some_pipeline(choose: Random, name: str) -> dict:
    names = [f"s{number}" for number in range(choose.randrange(1, 5))]
    drawn = [
        {
            "from": choose.choice(names),
            "to": choose.choice([*names, *names, None, "end", "nowhere"]),
            "condition": choose.choice([*WORDS, None, {"value": "done"}]),
        }
        for _ in range(choose.randrange(7))
    ]
    stages = [some_stage(choose, one, names) for one in names]
    start = {"id": name, "startStage": choose.choice(names)}
    return {"stages": stages, **start, **choose.choice([{"connections": drawn}, {"flow": {"connections": drawn}}])}


@settings(deadline=None, max_examples=60)  # a file system is involved
@given(st.randoms(use_true_random=False))
def test_what_is_imported_has_no_findings_any_more_and_means_the_same(choose: Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "in"
        for kind, make, letter in (("agents", some_agent, "a"), ("templates", some_pipeline, "p")):
            (home / kind).mkdir(parents=True)
            for name in (f"{letter}{number}" for number in range(3)):
                (home / kind / f"{name}.json").write_text(json.dumps(make(choose, name)), encoding="utf-8")
        done = import_folder(home, None, NOTHING)
        assert len(done.written) + len(done.refused) == 6
        again = import_folder(home, None, NOTHING)
        assert (again.written, again.unchanged) == ((), done.written)
        if done.written:
            assert [str(found) for found in validate([done.folder], NOTHING)] == []
            before, after = read([home], NOTHING).catalogue, load_user([done.folder], NOTHING)
            for mine, theirs in ((after.agents, before.agents), (after.pipelines, before.pipelines)):
                assert [one.but(source="") for one in mine.values()] == [theirs[name].but(source="") for name in mine]
