"""What must hold for any template: loading never crashes, derived equals checked, lines are right."""

import json
import tempfile
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from shiftboss.model.pipeline import Agent, Catalogue, ComponentSpec, Pipeline, PipelineKind, Stage
from shiftboss.templates.check_components import find_cycles
from shiftboss.templates.checks import check
from shiftboss.templates.derive import ENDINGS, delegations, hub_connections
from shiftboss.templates.loader import validate
from shiftboss.templates.positions import parse

NOTHING = Catalogue(agents={}, pipelines={})
WORLD = Path(__file__).parent.parent / "cases" / "templates" / "_world"
names = st.sampled_from("abcdefg")
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def parsed(text: str, suffix: str):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return parse(path)


@given(st.text(), st.sampled_from([".json", ".yaml"]))
def test_any_text_parses_or_says_why_not(text: str, suffix: str) -> None:
    result = parsed(text, suffix)
    assert all(finding.what and finding.remedy for finding in result.findings)
    if suffix == ".json" and result.data is None:
        assert result.findings or text.strip("\ufeff \t\r\n") == "null"


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=6), min_size=1, max_size=12, unique=True), st.booleans())
def test_keys_are_found_on_their_lines(keys: list[str], nested: bool) -> None:
    content = {"outer": dict.fromkeys(keys, 1)} if nested else dict.fromkeys(keys, 1)
    text = json.dumps(content, indent="\t")
    result = parsed(text, ".json")
    for key in keys:
        path = ("outer", key) if nested else (key,)
        line = result.positions.line(path)
        assert line is not None
        assert f'"{key}": 1' in text.splitlines()[line - 1]


def good_documents() -> list[tuple[str, dict]]:
    files = [*WORLD.glob("*/*.json"), *WORLD.glob("*/*.yaml")]
    return [(path.name, yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted(files)]


def spots(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from spots(inner, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@settings(deadline=None)  # a file system is involved
@given(st.data())
def test_any_damage_to_a_good_world_is_told_and_never_crashes(data: st.DataObject) -> None:
    documents = good_documents()
    index = data.draw(st.integers(0, len(documents) - 1))
    name, content = documents[index]
    spot = data.draw(st.sampled_from(list(spots(content))))
    documents[index] = (name, replaced(content, spot, data.draw(junk)))
    with tempfile.TemporaryDirectory() as folder:
        for name, content in documents:
            (Path(folder) / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        for finding in validate([Path(folder)], NOTHING):
            assert finding.what
            assert finding.remedy


graphs = st.dictionaries(names, st.lists(names, max_size=3), max_size=7)


@given(graphs)
def test_circles_are_found_exactly_where_there_are_any(graph: dict[str, list[str]]) -> None:
    known = {name: [other for other in others if other in graph] for name, others in graph.items()}
    cycles = find_cycles(graph)
    try:
        TopologicalSorter(known).prepare()
        has_circle = False
    except CycleError:
        has_circle = True
    assert bool(cycles) == has_circle
    for cycle in cycles:
        assert all(after in known[before] for before, after in zip(cycle, (*cycle[1:], cycle[0]), strict=True))


@st.composite
def hub_worlds(draw: st.DrawFn) -> Catalogue:
    count = draw(st.integers(1, 6))
    hub = Agent(id="hub", system_prompt="x", handler="hub", decisions=("x", "y"), source="hub.json")
    agents = {"hub": hub}
    for index in range(count):
        words = (f"ok{index}", f"bad{index}", *(f"more{index}_{n}" for n in range(draw(st.integers(0, 2)))))
        agents[f"a{index}"] = Agent(
            id=f"a{index}",
            system_prompt="x",
            handler="m:f",
            decisions=words,
            delegation=draw(st.sampled_from([None, f"send{index}"])),
            components=(ComponentSpec(name=f"c{index}", probe="m:f", requires=(f"c{index - 1}",) if index else ()),),
            source=f"a{index}.json",
        )
    spokes = [Stage(id=f"handle_s{n}", agent=f"a{n}", decisions=agents[f"a{n}"].decisions) for n in range(count)]
    first = Stage(id="decide", agent="hub")
    words = tuple(delegations([first, *spokes], agents).values())
    stages = (Stage(id="decide", agent="hub", decisions=(*words, *ENDINGS)), *spokes)
    pipeline = Pipeline(
        id="p",
        kind=PipelineKind.HUB,
        stages=stages,
        connections=hub_connections(stages, agents),
        start="decide",
        source="p.json",
    )
    return Catalogue(agents=agents, pipelines={"p": pipeline})


@given(hub_worlds(), st.data())
def test_derived_connections_pass_and_any_missing_one_is_named(world: Catalogue, data: st.DataObject) -> None:
    pipeline = world.pipelines["p"]
    assert len(pipeline.connections) == sum(1 + len(stage.decisions) for stage in pipeline.stages[1:]) + 2
    assert check(world) == ()
    lost = data.draw(st.sampled_from(pipeline.connections))
    kept = tuple(connection for connection in pipeline.connections if connection != lost)
    from dataclasses import replace

    findings = check(Catalogue(agents=world.agents, pipelines={"p": replace(pipeline, connections=kept)}))
    assert [finding.what.endswith("is missing") and lost.condition in finding.what for finding in findings] == [True]
