"""`shiftboss import`: a small corpus with a known number of each defect, and what becomes of it."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from shiftboss.errors import BadInput
from shiftboss.frontends.cli import main
from shiftboss.model.diagnostic import Severity
from shiftboss.model.pipeline import Catalogue
from shiftboss.packs.mining.pack import PACK
from shiftboss.templates.importing import Imported, counts, import_folder
from shiftboss.templates.loader import load_shipped, load_user, validate
from shiftboss.templates.user import read

CORPUS = Path(__file__).parent.parent / "cases" / "dialects" / "corpus"
SHIPPED = load_shipped(PACK.folder)
NOTHING = Catalogue(agents={}, pipelines={})
DEFECTS = {
    "agent without handler": 5,
    "agent without prompt": 2,  # cleaner, watchman
    "missing agent": 3,  # three stages of night.json
    "edge to nowhere": 1,
    "end written as a word": 2,
    "keyword drift": 2,
    "undeclared keyword": 1,
    "unreachable stage": 1,
    "second connection": 1,
    "no condition": 1,
    "dead end": 1,
    "decisions reordered": 2,
    "keyword added": 6,
    "placeholder": 3,
    "start": 1,
    "unused setting": 18,
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CORPUS, tmp_path / "corpus"))


def imported(corpus: Path) -> Imported:
    return import_folder(corpus, None, SHIPPED)


def test_every_defect_of_the_corpus_is_told_once_and_nothing_else(corpus: Path) -> None:
    assert counts(imported(corpus).found) == DEFECTS


def test_the_defects_stand_where_they_were_written(corpus: Path) -> None:
    for _, found in imported(corpus).found:
        assert found.line is not None
        assert found.path == "" or found.path.rpartition(".")[2].split("[")[0] in Path(found.place).read_text("utf-8")


def test_errors_are_exactly_what_can_not_be_carried_out(corpus: Path) -> None:
    errors = Counter(topic for topic, found in imported(corpus).found if found.severity is Severity.ERROR)
    assert errors == {"agent without prompt": 2, "missing agent": 3, "edge to nowhere": 1}


def test_files_in_error_are_named_and_the_others_written(corpus: Path) -> None:
    done = imported(corpus)
    assert sorted(Path(source).name for source in done.refused) == [
        "cleaner.json",
        "lost.yaml",
        "night.json",
        "watchman.json",
    ]
    assert sorted(str(path.relative_to(done.folder)) for path in done.written) == [
        "agents/baker.json",
        "agents/cashier.json",
        "agents/starter.json",
        "agents/taster.json",
        "pipelines/bread.json",
        "pipelines/shop.json",
        "unused/idle.json",
    ]
    assert {Path(source).name: why for source, why in done.refused.items()} == {
        "cleaner.json": "it has errors",
        "lost.yaml": "it has errors",
        "night.json": "it has errors",
        "watchman.json": "it has errors",
    }
    assert not done.complete


def test_a_pipeline_whose_agent_could_not_be_written_is_named_with_it(corpus: Path) -> None:
    (corpus / "agents" / "starter.json").write_text('{"id": "starter", "role": "starts"}', encoding="utf-8")
    (corpus / "templates" / "street.json").write_text(
        '{"id": "street", "stages": [{"id": "a", "type": "sub_pipeline", "pipeline": "shop"}]}', encoding="utf-8"
    )
    refused = {Path(source).name: why for source, why in imported(corpus).refused.items()}
    assert refused["shop.json"] == "it needs 'starter'"
    assert refused["street.json"] == "it needs 'shop'"


def test_a_folder_that_can_not_be_written_to_is_told(corpus: Path) -> None:
    corpus.with_name("out").write_text("a file", encoding="utf-8")
    done = import_folder(corpus, corpus.with_name("out"), SHIPPED)
    unwritten = [found.what for topic, found in done.found if topic == "file not written"]
    assert len(unwritten) == 7
    assert all("can't be written" in what for what in unwritten)


def test_what_is_written_is_without_findings_and_means_the_same(corpus: Path) -> None:
    done = imported(corpus)
    assert [str(found) for found in validate([done.folder], SHIPPED)] == []
    before, after = read([corpus], SHIPPED).catalogue, load_user([done.folder], SHIPPED)
    for name in ("bread", "shop"):
        assert after.pipelines[name].but(source="") == before.pipelines[name].but(source="")
    for name in ("baker", "cashier", "starter", "taster"):
        assert after.agents[name].but(source="") == before.agents[name].but(source="")


def test_importing_twice_changes_nothing(corpus: Path) -> None:
    first = imported(corpus)
    stamps = {path: path.stat().st_mtime_ns for path in first.written}
    second = imported(corpus)
    assert (second.written, second.unchanged) == ((), first.written)
    assert {path: path.stat().st_mtime_ns for path in first.written} == stamps


def test_importing_what_was_imported_is_the_same_again(corpus: Path) -> None:
    first = imported(corpus)
    second = import_folder(first.folder, None, SHIPPED)
    assert second.found == ()
    assert second.complete
    texts = {path.relative_to(second.folder): path.read_text("utf-8") for path in second.written}
    expected = {path.relative_to(first.folder): path.read_text("utf-8") for path in first.written}
    assert texts == {path: text for path, text in expected.items() if path.parent.name != "unused"}


def test_a_file_that_differs_is_not_overwritten(corpus: Path) -> None:
    mine = corpus.with_name("corpus-imported") / "agents" / "baker.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("{}", encoding="utf-8")
    done = imported(corpus)
    found = [finding for topic, finding in done.found if topic == "file not written"]
    assert [(finding.place, finding.severity) for finding in found] == [(str(mine), Severity.ERROR)]
    assert mine.read_text("utf-8") == "{}"
    assert len(done.written) == 6


def test_a_folder_inside_the_one_that_is_read_is_refused(corpus: Path) -> None:
    with pytest.raises(BadInput, match="lies in the folder"):
        import_folder(corpus, corpus / "new", SHIPPED)
    assert not (corpus / "new").exists()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = import_folder(tmp_path / "nowhere", None, SHIPPED)
    assert [found.what for _, found in done.found] == ["there is no such file or folder"]
    assert not done.complete
    assert not done.folder.exists()


def test_an_id_that_is_too_long_for_a_files_name_is_said_and_the_rest_is_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name, own in (("long", "l" * 300), ("short", "short")):
        document = {"id": own, "systemPrompt": "x", "decisions": ["yes", "no_error"]}
        (home / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    done = import_folder(home, None, NOTHING)
    assert [path.stem for path in done.written] == ["short"]
    assert not done.complete
    assert [one.remedy for topic, one in done.found if topic == "file not written"] == [
        "The file is named after the id: give it a shorter one."
    ]


def test_paths_beside_a_file_hold_at_its_new_place(tmp_path: Path) -> None:
    home = tmp_path / "home" / "agents"
    home.mkdir(parents=True)
    (home / "work.py").write_text("def handle(): ...\ndef probe(): ...\n", encoding="utf-8")
    (home / "ask.sh").write_text("exit 0\n", encoding="utf-8")
    (home / "ask.sh").chmod(0o755)
    own = {"systemPrompt": "x", "decisions": ["yes", "no_error"]}
    part = {"name": "part", "probe": "./work.py:probe"}
    command = {"kind": "command", "argv": ["./ask.sh", "now"], "folder": "."}
    for document in (
        {"id": "python", **own, "handler": "./work.py:handle", "components": [part]},
        {"id": "object", **own, "handler": {"kind": "python", "target": "./work.py:handle"}},
        {
            "id": "command",
            **own,
            "handler": command,
            "components": [{"name": "other", "probe": {"kind": "command", "argv": ["./ask.sh"]}}],
        },
        {"id": "beside", **own, "handler": {"kind": "command", "argv": ["sh"]}},
    ):
        (home / f"{document['id']}.json").write_text(json.dumps(document), encoding="utf-8")
    done = import_folder(tmp_path / "home", None, NOTHING)
    assert done.complete
    before = read([tmp_path / "home"], NOTHING).catalogue.agents
    after = read([*done.written], NOTHING).catalogue.agents
    for name in ("python", "object", "command"):
        assert after[name].but(source="") == before[name].but(source="")
    assert after["beside"].options.folder == str(home)


def test_keys_without_effect_are_left_behind(tmp_path: Path) -> None:
    own = {"id": "one", "systemPrompt": "x", "decisions": ["yes", {"choice": "no_error", "why": "?"}], "handler": "llm"}
    (tmp_path / "one.json").write_text(json.dumps({**own, "sytemPrompt": "y"}), encoding="utf-8")
    done = import_folder(tmp_path, tmp_path.with_name("out"), NOTHING)
    assert counts(done.found)["unknown key"] == 2
    written = json.loads(done.written[0].read_text("utf-8"))
    assert written == {**own, "decisions": ["yes", {"choice": "no_error"}]}


def test_the_verb_tells_all_and_its_exit_code_says_that_something_is_missing(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(corpus)]) == 2
    told = capsys.readouterr()
    assert told.err.count("\nwarning: ") + told.err.count("\nerror: ") + 1 == sum(DEFECTS.values())
    assert "missing agent" in told.out
    assert "night.json" in told.out
    assert "4 in agents, 2 in pipelines, 1 in unused" in " ".join(told.out.split())
    assert max(map(len, told.out.replace(str(corpus), "").splitlines())) <= 80


def test_the_verb_gives_one_document(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = corpus.with_name("elsewhere")
    assert main(["import", str(corpus), "--to", str(out), "--json"]) == 2
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert told.err == ""
    assert document["counts"] == DEFECTS
    assert len(document["diagnostics"]) == sum(DEFECTS.values())
    assert document["errors"] == 6
    assert document["exit_code"] == 2
    assert all(Path(name).is_file() and Path(name).is_relative_to(out) for name in document["written"])


def test_the_verb_ends_well_when_everything_was_written(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("agents/cleaner.json", "agents/watchman.json", "templates/night.json", "pipelines/lost.yaml"):
        (corpus / name).unlink()
    assert main(["import", str(corpus)]) == 0
    assert "Use it with --set templates.folders=" in " ".join(capsys.readouterr().out.split())
    assert main(["validate", str(corpus.with_name("corpus-imported"))]) == 0
