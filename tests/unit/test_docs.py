"""The papers say what the code says: names, paths, layers, settings, exit codes, links."""

import importlib
import importlib.util
import inspect
import pkgutil
import re
import tomllib
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

import shiftboss.model
from shiftboss.frontends.verbs import VERBS
from shiftboss.model.events import Event
from shiftboss.model.failure import FailureKind
from shiftboss.model.recovery import RUNGS
from shiftboss.model.run import EXIT_CODES, EXIT_INTERNAL, EXIT_REFUSED, EXIT_USAGE
from shiftboss.packs.mining.pack import PACK
from shiftboss.packs.mining.recovery import STRATEGIES
from shiftboss.settings import Settings
from shiftboss.templates.loader import load_shipped

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "shiftboss"
ARCHITECTURE, CONTRIBUTING, README = (ROOT / f"{name}.md" for name in ("ARCHITECTURE", "CONTRIBUTING", "README"))
GLOSSARY = ROOT / "docs" / "glossary.md"
ADRS = sorted((ROOT / "docs" / "adr").glob("*.md"))
PAPERS = [ARCHITECTURE, CONTRIBUTING, README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
MACHINE_PATH = re.compile(r"(?<![\w.-])/(?:root|work|home|tmp|mnt|Users)/")
MISSPELT = "no such name in any paper: put it into docs/glossary.md or the README"


@cache
def prose(path: Path) -> str:
    """A paper without its code blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


@cache
def named() -> str:
    """Every paper in one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in PAPERS)


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def components() -> list[str]:
    catalogue = load_shipped(PACK.folder)
    return sorted(spec.name for agent in catalogue.agents.values() for spec in agent.components)


def test_the_settings_page_is_what_the_settings_say():
    module = script("make_settings_doc")
    assert module.PAGE.read_text(encoding="utf-8") == module.rendered(), "run scripts/make_settings_doc.py"


def test_every_setting_is_documented():
    assert [row.key for row in Settings.describe() if f"`{row.key}`" not in named()] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_named(verb: str):
    assert re.search(rf"`shiftboss {verb}\b", named()), MISSPELT


@pytest.mark.parametrize("name", [kind.__name__ for kind in get_args(Event)])
def test_every_event_kind_is_named(name: str):
    assert f"`{name}`" in named(), MISSPELT


@pytest.mark.parametrize("name", components())
def test_every_component_is_named(name: str):
    assert f"`{name}`" in named(), MISSPELT


@pytest.mark.parametrize("name", [strategy.name for strategy in STRATEGIES])
def test_every_strategy_is_named(name: str):
    assert f"`{name}`" in named(), MISSPELT


@pytest.mark.parametrize("kind", FailureKind)
def test_every_failure_kind_is_named(kind: FailureKind):
    assert f"`{kind}`" in named(), MISSPELT


def test_every_shipped_agent_and_pipeline_is_named():
    catalogue = load_shipped(PACK.folder)
    assert [name for name in (*catalogue.agents, *catalogue.pipelines) if name not in named()] == []


def strategy_row(name: str) -> list[str]:
    row = next(line for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_the_table_of_strategies_is_true(strategy):
    _, rung, treats, parts, uses, risk = strategy_row(strategy.name)
    assert rung == strategy.rung
    assert set(treats.split(", ")) == {str(kind) for kind in strategy.treats}
    assert set(parts.split(", ")) == (set(strategy.components) or {"any"})
    assert int(uses) == strategy.uses
    assert risk == strategy.risk


def test_the_strategies_are_shown_in_the_order_of_the_ladder():
    shown = re.findall(r"^\| `(\w+)` \| (\w+) \|", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    ladder = [RUNGS.index(rung) for name, rung in shown if name in {strategy.name for strategy in STRATEGIES}]
    assert len(ladder) == len(STRATEGIES)
    assert ladder == sorted(ladder)


def test_the_page_on_recovery_shows_each_strategy_on_its_rung():
    page = (ROOT / "docs" / "how-to" / "recover.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| (\w+) \| (`\w+`(?:, `\w+`)*) \|", page, re.MULTILINE)
    assert {(name, rung) for rung, names in shown for name in re.findall(r"\w+", names)} >= {
        (strategy.name, strategy.rung) for strategy in STRATEGIES
    }


def test_the_exit_codes_are_those_of_the_code():
    section = README.read_text(encoding="utf-8").partition("## Exit codes")[2].partition("\n## ")[0]
    shown = {int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)}
    assert shown == {*EXIT_CODES.values(), EXIT_INTERNAL, EXIT_REFUSED, EXIT_USAGE}
    assert [
        ending for ending, code in EXIT_CODES.items() if f"| {code} | {ending}".replace("_", " ") not in section
    ] == []


def model_classes() -> list[str]:
    found = []
    for info in pkgutil.iter_modules(shiftboss.model.__path__):
        module = importlib.import_module(f"shiftboss.model.{info.name}")
        own = [thing for _, thing in inspect.getmembers(module, inspect.isclass) if thing.__module__ == module.__name__]
        found += [f"model.{info.name}.{one.__name__}" for one in own if not one.__name__.startswith("_")]
    kinds = {f"model.events.{kind.__name__}" for kind in get_args(Event)}
    return sorted(set(found) - kinds)


@pytest.mark.parametrize("name", model_classes())
def test_every_class_of_the_model_has_its_word_in_the_glossary(name: str):
    assert f"`{name}`" in GLOSSARY.read_text(encoding="utf-8"), f"{name} is a new noun: give it a row"


def dotted_names() -> list[str]:
    words = GLOSSARY.read_text(encoding="utf-8").partition("## Words")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in words.splitlines() if line.startswith("| ")][1:]
    return sorted({name for row in rows for name in re.findall(r"`([\w.]+)`", row[3])})


@pytest.mark.parametrize("name", dotted_names())
def test_what_the_glossary_points_to_is_there(name: str):
    assert stands_for_something(f"shiftboss.{name}"), f"{name} is not in the code"


def stands_for_something(name: str) -> bool:
    """Whether this is a module, or something in one."""
    module, _, attribute = name.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), attribute) or bool(importlib.util.find_spec(name))
    except ModuleNotFoundError:
        return False


def test_the_architecture_fits_on_a_few_pages():
    assert len(ARCHITECTURE.read_text(encoding="utf-8").splitlines()) <= 200


def shown_layers() -> list[set[str]]:
    block = ARCHITECTURE.read_text(encoding="utf-8").partition("<!-- layers -->")[2].split("```")[1]
    return [{name.strip() for name in line.split("|")} for line in block.strip().splitlines()]


def test_the_layers_shown_are_the_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert shown_layers() == [{name.strip().removeprefix("shiftboss.") for name in line.split("|")} for line in layers]


def test_every_module_of_the_package_has_its_layer():
    modules = {info.name for info in pkgutil.iter_modules([str(SOURCE)])}
    assert modules - set().union(*shown_layers()) == set()


def paths_in(paper: Path) -> list[str]:
    """What stands in backticks and looks like a file or folder of the project."""
    quoted = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", prose(paper))
    ending = re.compile(r"\.(?:py|md|json|sql|toml|sh|svg)$")
    return sorted({text for text in quoted if "/" in text or ending.search(text)} - OUTSIDE)


OUTSIDE = {"shiftboss.toml", "shiftboss.json", "disk.py"}
"""Files of a user, not of the project."""


@pytest.mark.parametrize("paper", [ARCHITECTURE, CONTRIBUTING], ids=lambda paper: paper.name)
def test_every_path_named_is_there(paper: Path):
    found = [path for path in paths_in(paper) if not path.startswith(".shiftboss")]
    assert found
    assert [path for path in found if not ((ROOT / path).exists() or (SOURCE / path).exists())] == []


def test_every_invariant_names_the_tests_that_hold_it():
    section = prose(ARCHITECTURE).partition("## Invariants")[2].partition("\n## ")[0]
    invariants = re.split(r"^\d\. ", section, flags=re.MULTILINE)[1:]
    assert len(invariants) == 7
    assert [text[:60] for text in invariants if not re.search(r"`tests/[\w/]+\.py`", text)] == []


def heading_anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_every_link_leads_somewhere(paper: Path):
    links = re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", prose(paper))
    for target in ("".join(link) for link in links):
        path, _, anchor = target.partition("#")
        place = (paper.parent / path).resolve() if path else paper
        assert place.exists(), target
        assert not anchor or anchor in heading_anchors(place), target


@pytest.mark.parametrize("paper", [*PAPERS, ROOT / "docs" / "terminal.svg"], ids=lambda paper: paper.name)
def test_no_path_of_somebodys_machine(paper: Path):
    assert MACHINE_PATH.findall(paper.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("paper", ADRS, ids=lambda paper: paper.stem[:4])
def test_every_decision_record_has_its_parts(paper: Path):
    text = paper.read_text(encoding="utf-8")
    assert re.match(rf"# {paper.stem[:4]}\. .+\n\nDate: \d{{4}}-\d\d-\d\d\. Status: ", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Alternatives"]


def test_decision_records_are_numbered_without_a_gap():
    assert [int(paper.stem[:4]) for paper in ADRS] == list(range(1, len(ADRS) + 1))


def test_the_numbers_of_the_readme_are_those_that_were_measured():
    module = script("make_readme_numbers")
    shown = module.README.read_text(encoding="utf-8").split(module.BEGIN)[1].split(module.END)[0]
    assert shown.strip() == module.rendered().strip(), "run scripts/make_readme_numbers.py"
