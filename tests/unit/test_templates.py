"""The shipped templates, users' templates beside them, and what must hold for any template whatever."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import shiftboss
from shiftboss.errors import BadInput
from shiftboss.model.pipeline import Catalogue, PipelineKind, StageMode
from shiftboss.packs.mining.profiles import OPTIONAL
from shiftboss.templates.derive import hub_connections
from shiftboss.templates.loader import load_shipped, load_user, validate
from shiftboss.templates.schema import schemas

PACK = Path(shiftboss.__file__).parent / "packs" / "mining"
SCHEMAS = Path(shiftboss.__file__).parent / "templates" / "schemas"
WORLD = Path(__file__).parent.parent / "cases" / "templates" / "_world"
HUB = "intelligent-mining-infrastructure-setup"
SCRIPT = "mining-infrastructure-setup"
NOTHING = Catalogue(agents={}, pipelines={})
SHIPPED = load_shipped(PACK)


def test_the_shipped_files_are_without_findings() -> None:
    assert [str(finding) for finding in validate([PACK], NOTHING)] == []


def test_the_shipped_files_are_without_findings_beside_themselves() -> None:
    assert validate([PACK / "agents" / "miner_manager.json", PACK / "pipelines"], SHIPPED) == ()


def test_loading_by_either_way_gives_the_same_values() -> None:
    assert load_user([PACK], NOTHING) == SHIPPED


def test_the_hub_pipeline_is_the_documents() -> None:
    hub = SHIPPED.pipelines[HUB]
    assert hub.kind is PipelineKind.HUB
    assert [stage.id for stage in hub.stages] == [
        "orchestrate",
        "handle_dependencies",
        "handle_configs",
        "handle_daemon",
        "handle_pool",
        "handle_miner",
        "handle_validation",
        "handle_recovery",
    ]
    assert hub.stages[0].decisions == (
        "delegate_dependency_check",
        "delegate_config_generation",
        "delegate_daemon_setup",
        "delegate_pool_setup",
        "delegate_miner_setup",
        "delegate_validation",
        "delegate_recovery",
        "infrastructure_complete",
        "escalate",
    )


def test_its_24_written_connections_are_the_derived_ones() -> None:
    hub = SHIPPED.pipelines[HUB]
    written = json.loads(Path(hub.source).read_text(encoding="utf-8"))["flow"]["connections"]
    assert len(written) == 24
    assert hub.connections == hub_connections(hub.stages, SHIPPED.agents)


def test_the_scripted_pipeline_has_the_documents_stages_and_every_recovery_path() -> None:
    script = SHIPPED.pipelines[SCRIPT]
    assert script.kind is PipelineKind.SCRIPTED
    assert len(script.stages) == 10
    assert len(script.connections) >= 30
    recover = script.stage("recover_infrastructure")
    assert recover.mode is StageMode.RECOVER
    for word, end in (
        ("recovery_successful", "start_daemon"),
        ("environment_reset", "start_daemon"),
        ("recovery_failed", None),
    ):
        connection = script.target(recover.id, word)
        assert connection is not None
        assert connection.target == end


@pytest.mark.parametrize("stage", SHIPPED.pipelines[SCRIPT].stages, ids=lambda stage: stage.id)
def test_every_failure_of_the_script_leads_to_recovery(stage) -> None:
    script = SHIPPED.pipelines[SCRIPT]
    connection = script.target(stage.id, stage.decisions[1])
    expected = {
        "verify_dependencies": "install_dependencies",  # missing programs are first installed
        "recover_infrastructure": None,  # a failed recovery ends the script
    }.get(stage.id, "recover_infrastructure")
    assert connection is not None
    assert connection.target == expected


def test_both_pipelines_work_on_the_same_components() -> None:
    hub, script = SHIPPED.pipelines[HUB], SHIPPED.pipelines[SCRIPT]
    worked_on = {name for stage in script.stages for name in stage.components}
    assert set(SHIPPED.components_of(hub)) == set(SHIPPED.components_of(script))
    assert worked_on == set(SHIPPED.components_of(hub)) - set(OPTIONAL), "a script can't leave out a stage"


@pytest.mark.parametrize("agent", SHIPPED.agents.values(), ids=lambda agent: agent.id)
def test_every_prompt_knows_its_agents_words_and_parts(agent) -> None:
    prompt = agent.system_prompt
    assert [word for word in agent.decisions if word not in prompt] == []
    assert [spec.name for spec in agent.components if spec.name not in prompt] == []
    for part in ("DECISION:", "REASONING:", "never"):
        assert part in prompt


def test_the_orchestrators_prompt_covers_every_specialist_and_rung() -> None:
    from shiftboss.model.recovery import RUNGS

    prompt = SHIPPED.agents["infrastructure_orchestrator"].system_prompt
    assert len(prompt.splitlines()) > 300
    others = [agent for agent in SHIPPED.agents.values() if not agent.is_hub]
    assert [agent.id for agent in others if agent.id not in prompt] == []
    assert [rung for rung in RUNGS if rung not in prompt] == []


def test_loading_shipped_files_brings_no_heavy_library_along() -> None:
    code = (
        "import sys; from pathlib import Path; from shiftboss.templates.loader import load_shipped;"
        f"load_shipped(Path({str(PACK)!r}));"
        "print([name for name in ('pydantic', 'yaml', 'shiftboss.templates.schema') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", ["agent", "pipeline"])
def test_the_schema_files_are_up_to_date(kind: str) -> None:
    shipped = json.loads((SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8"))
    assert shipped == schemas()[kind], "run scripts/make_schemas.py"


GAS = """id: gas
systemPrompt: [Bring up the gas.]
decisions: [gas_ready, gas_failure, gas_off]
handler: ./parts.py:handle
components:
  - {name: flame, requires: [tap], probe: "./parts.py:probe", estimate: 3}
"""
BIG_HOUSE = """id: big-house
extends: house
stages:
  - {id: handle_gas, agent: gas, inputs: [decide]}
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    shutil.copytree(WORLD, tmp_path, dirs_exist_ok=True)
    return tmp_path


def extension(folder: Path, agent: str = GAS, pipeline: str = BIG_HOUSE) -> Path:
    for name, text in (("agents/gas.yaml", agent), ("pipelines/big.yaml", pipeline)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(WORLD / "agents" / "parts.py", folder / "agents")
    return folder


def test_an_added_component_costs_one_agent_and_one_stage(world: Path, tmp_path: Path) -> None:
    base = load_user([world], NOTHING)
    more = load_user([extension(tmp_path / "more")], base)
    big = more.pipelines["big-house"]
    assert big.kind is PipelineKind.HUB
    assert [stage.id for stage in big.stages] == ["decide", "handle_water", "handle_gas"]
    assert big.stages[0].decisions == ("delegate_water", "delegate_gas_setup", "infrastructure_complete", "escalate")
    assert big.connections == hub_connections(big.stages, more.agents)
    assert [connection.condition for connection in big.outgoing("handle_gas")] == [
        "gas_ready",
        "gas_failure",
        "gas_off",
    ]


def test_what_was_there_before_stays_as_it_was(world: Path, tmp_path: Path) -> None:
    base = load_user([world], NOTHING)
    more = load_user([extension(tmp_path / "more")], base)
    assert {name: more.pipelines[name] for name in base.pipelines} == base.pipelines
    assert {name: more.agents[name] for name in base.agents} == base.agents


def test_an_extension_may_write_its_own_connections(world: Path, tmp_path: Path) -> None:
    own = BIG_HOUSE + (
        "connections:\n"
        "  - {from: decide, to: handle_gas, condition: delegate_gas_setup}\n"
        "  - {from: handle_gas, to: decide, condition: gas_ready}\n"
        "  - {from: handle_gas, to: decide, condition: gas_failure}\n"
        "  - {from: handle_gas, to: decide, condition: gas_off}\n"
    )
    base = load_user([world], NOTHING)
    more = load_user([extension(tmp_path / "more", pipeline=own)], base)
    big = more.pipelines["big-house"]
    assert set(big.connections) == set(hub_connections(big.stages, more.agents))


def test_a_handler_beside_its_file_gets_an_absolute_path(world: Path) -> None:
    water = load_user([world], NOTHING).agents["water"]
    assert water.handler == f"{world / 'agents' / 'parts.py'}:handle"
    assert water.components[0].probe == f"{world / 'agents' / 'parts.py'}:probe"


def test_errors_of_several_files_are_raised_together(world: Path, tmp_path: Path) -> None:
    folder = extension(tmp_path / "more", agent=GAS.replace(":handle", ":hande"), pipeline=BIG_HOUSE + "  - {id: 7}\n")
    with pytest.raises(BadInput) as caught:
        load_user([world, folder], NOTHING)
    places = {Path(finding.place).name for finding in caught.value.diagnostics}
    assert places == {"gas.yaml", "big.yaml"}


def test_warnings_come_with_the_catalogue(world: Path) -> None:
    water = world / "agents" / "water.yaml"
    water.write_text(water.read_text(encoding="utf-8") + "colour: blue\n", encoding="utf-8")
    warnings = load_user([world], NOTHING).warnings
    assert [finding.path for finding in warnings] == ["colour"]


def test_replacing_a_shipped_agent_is_said(world: Path, tmp_path: Path) -> None:
    base = load_user([world], NOTHING)
    folder = tmp_path / "more"
    shutil.copytree(world / "agents", folder)
    more = load_user([folder], base)
    assert [finding.what.partition(" replaces ")[0] for finding in more.warnings] == [
        "the agent 'hub'",
        "the agent 'water'",
    ]


def test_a_replacement_that_breaks_another_pipeline_is_found(world: Path, tmp_path: Path) -> None:
    base = load_user([world], NOTHING)
    (tmp_path / "water.yaml").write_text(
        "id: water\nsystemPrompt: No tap.\ndecisions: [wet, dry]\nhandler: json:loads\n", encoding="utf-8"
    )
    found = [str(finding) for finding in validate([tmp_path / "water.yaml"], base)]
    assert any("works on 'tap', which is not a component of agent 'water'" in text for text in found)


def test_no_folders_mean_the_base_itself() -> None:
    assert load_user([], SHIPPED) is SHIPPED


def test_validate_takes_files_and_skips_settings(world: Path) -> None:
    settings = world / "shiftboss.toml"
    settings.write_text("x = 1", encoding="utf-8")
    other = world / "notes.txt"
    other.write_text("hello", encoding="utf-8")
    found = validate([settings, world, other, world / "nowhere.json"], NOTHING)
    assert sorted(Path(finding.place).name for finding in found) == ["notes.txt", "nowhere.json"]


@pytest.mark.parametrize("name", ["deep.json", "deep.yaml"])
def test_a_file_nested_too_deep_is_told_and_does_not_end_the_process(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("[" * 100_000, encoding="utf-8")  # PyYAML's C composer would overrun its stack
    (finding,) = validate([tmp_path], NOTHING)
    assert finding.what.startswith("unreadable")


def test_yaml_never_builds_python_objects(tmp_path: Path) -> None:
    made = tmp_path / "made"
    (tmp_path / "a.yaml").write_text(f"id: !!python/object/apply:os.mkdir [{made}]\n", encoding="utf-8")
    assert validate([tmp_path], NOTHING) != ()
    assert not made.exists()
