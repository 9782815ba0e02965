"""Every dialect of the original format: files in, findings and documents of ours out, as data in tests/cases/dialects.

A case is YAML: `why`, `files` (name: text), `shipped` if the mining pack is there, `expect` (the findings as people see
them) and `documents` (what is written). To write a new one, run it with both empty and read what the failure shows.
"""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from shiftboss.model.pipeline import Catalogue, Pipeline
from shiftboss.packs.mining.pack import PACK
from shiftboss.templates.dialects import translate
from shiftboss.templates.importing import import_folder
from shiftboss.templates.loader import load_shipped, load_user, validate
from shiftboss.templates.user import read

CASES = Path(__file__).parent.parent / "cases" / "dialects"
NOTHING = Catalogue(agents={}, pipelines={})
SHIPPED = load_shipped(PACK.folder)
COLUMNS = yaml.safe_load((CASES / "_columns.yaml").read_text(encoding="utf-8"))


def laid_out(content: dict[str, Any], folder: Path) -> Path:
    for name, text in content["files"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def outcome(case: Path, folder: Path) -> tuple[list[str], dict[str, Any]]:
    """The findings of importing a case's files, and the documents that were written."""
    content = yaml.safe_load(case.read_text(encoding="utf-8"))
    base = SHIPPED if content.get("shipped") else NOTHING
    done = import_folder(laid_out(content, folder / "in"), folder / "out", base)
    said = [str(found).replace(f"{folder}/in/", "").replace(str(PACK.folder), "PACK") for _, found in done.found]
    texts = {path.relative_to(folder / "out"): path.read_text(encoding="utf-8") for path in done.written}
    return said, {str(path): yaml.safe_load(text) for path, text in texts.items()}


ALL = [pytest.param(path, id=path.stem) for path in sorted(CASES.glob("[a-z]*.yaml"))]


@pytest.mark.parametrize("case", ALL)
def test_every_shape_is_translated_and_every_change_is_told(case: Path, tmp_path: Path) -> None:
    content = yaml.safe_load(case.read_text(encoding="utf-8"))
    said, documents = outcome(case, tmp_path)
    assert sorted(said) == sorted(content["expect"])  # their order is that of the folders, which are anywhere
    assert documents == content["documents"]


@pytest.mark.parametrize("case", ALL)
def test_what_is_written_has_no_findings_and_means_the_same(case: Path, tmp_path: Path) -> None:
    base = SHIPPED if yaml.safe_load(case.read_text(encoding="utf-8")).get("shipped") else NOTHING
    _, documents = outcome(case, tmp_path)
    if not documents:
        return
    assert [str(found) for found in validate([tmp_path / "out"], base)] == []
    then = load_user([tmp_path / "out"], base)
    before = read([tmp_path / "in"], base).catalogue
    own = [agent.id for agent in then.agents.values() if agent.id not in base.agents]
    assert {name: then.agents[name].but(source="") for name in own} == {
        name: before.agents[name].but(source="") for name in own
    }
    lines = [pipeline.id for pipeline in then.pipelines.values() if pipeline.id not in base.pipelines]
    assert [then.pipelines[name].but(source="") for name in lines] == [
        before.pipelines[name].but(source="") for name in lines
    ]


@pytest.mark.parametrize("case", ALL)
def test_a_document_of_ours_is_returned_as_it_is(case: Path, tmp_path: Path) -> None:
    _, documents = outcome(case, tmp_path)
    for name, document in documents.items():
        done = translate(document, name)
        assert done.data is document
        assert (done.findings, done.foreign) == ((), False)


def test_the_shipped_documents_are_ours() -> None:
    for path in sorted(PACK.folder.glob("*/*.json")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert translate(document, str(path)).data is document


def two_stages(words: list[str], where: str) -> str:
    """A pipeline of the original that goes on at its first word and ends at its second."""
    ways = [
        {"from": "one", "to": "two" if number == 0 else None, "condition": word} for number, word in enumerate(words)
    ]
    listed = {"decisions": [{"choice": word} for word in words]} if where == "listed" else {}
    stages = [{"id": "one", "agent": "worker", "type": "maker", **listed}, {"id": "two", "agent": "worker"}]
    return yaml.safe_dump({"id": "line", "stages": stages, "flow": {"connections": ways}})


def loaded(tmp_path: Path, said: list[str], known: list[str], where: str) -> tuple[Catalogue, Pipeline]:
    agent = yaml.safe_dump({"id": "worker", "systemPrompt": "Work.", "decisions": known})
    laid_out({"files": {"worker.yaml": agent, "line.yaml": two_stages(said, where)}}, tmp_path)
    catalogue = load_user([tmp_path], NOTHING)
    return catalogue, catalogue.pipelines["line"]


@pytest.mark.parametrize("where", ["listed", "only drawn"])
@pytest.mark.parametrize("event", COLUMNS)
@pytest.mark.parametrize(("mine", "theirs"), list(product(range(3), repeat=2)))
def test_a_pipeline_with_the_words_of_any_column_routes_with_agents_of_any_other(
    tmp_path: Path, event: str, mine: int, theirs: int, where: str
) -> None:
    said = [word for word in COLUMNS[event][mine] if not word.endswith("_stopped") and word != "error"]
    catalogue, line = loaded(tmp_path, said, COLUMNS[event][theirs], where)
    worker, one = catalogue.agents["worker"], line.stage("one")
    assert one.decisions[:2] == worker.decisions[:2]
    assert set(one.decisions) <= set(worker.decisions)
    good, bad = line.target("one", worker.success), line.target("one", worker.failure)
    assert good is not None
    assert bad is not None
    assert (good.target, bad.target) == ("two", None)


@pytest.mark.parametrize("event", COLUMNS)
def test_another_column_is_told_and_the_same_one_is_not(tmp_path: Path, event: str) -> None:
    document, live, _ = COLUMNS[event]
    drift = [word for word in document if word not in live]
    catalogue, _ = loaded(tmp_path, document, live, "listed")
    said = [found.what for found in catalogue.warnings if "where agent 'worker' says" in found.what]
    assert [what.split("'")[3] for what in said] == drift
