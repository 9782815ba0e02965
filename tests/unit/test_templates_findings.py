"""Broken template files and exactly what is said about them: one file per case in tests/cases/templates.

A case is YAML: `why`, `files` (name: text, added to the small good world in _world) and `expect`, the findings as
people see them. To write a new one, run it with `expect: []` and read what the failure shows.
"""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from shiftboss.model.pipeline import Catalogue
from shiftboss.templates.loader import validate

CASES = Path(__file__).parent.parent / "cases" / "templates"
NOTHING = Catalogue(agents={}, pipelines={})


def findings(case: Path, folder: Path) -> list[str]:
    content = yaml.safe_load(case.read_text(encoding="utf-8"))
    shutil.copytree(CASES / "_world", folder, dirs_exist_ok=True)
    for name, text in content["files"].items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in folder.glob("agents/*"):
        path.chmod(0o755)  # some stand for programs
    return [str(finding).replace(f"{folder}/", "") for finding in validate([folder], NOTHING)]


@pytest.mark.parametrize("case", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_finding_is_told_at_once_with_its_place(case: Path, tmp_path: Path) -> None:
    expected = yaml.safe_load(case.read_text(encoding="utf-8"))["expect"]
    assert findings(case, tmp_path) == expected


def test_a_program_that_can_not_be_started_is_found_before_the_run(tmp_path: Path) -> None:
    agents = tmp_path / "agents"
    (agents / "folder").mkdir(parents=True)
    (agents / "plain.sh").write_text("exit 0\n")
    for name in ("folder", "plain.sh"):
        handler = {"kind": "command", "argv": [f"./{name}"]}
        document = {"id": name, "decisions": ["done", "not_done"], "handler": handler}
        (agents / f"{name}.json").write_text(json.dumps(document))
    said = [str(one).replace(f"{tmp_path}/", "") for one in validate([tmp_path], NOTHING)]
    assert [one.partition("error: ")[2] for one in said if "error" in one] == [
        "agents/folder is a folder, no program (handler.argv[0]). Name the program in it.",
        "agents/plain.sh may not be executed (handler.argv[0]). chmod +x agents/plain.sh",
    ]


def test_the_small_world_is_without_findings(tmp_path: Path) -> None:
    shutil.copytree(CASES / "_world", tmp_path, dirs_exist_ok=True)
    assert validate([tmp_path], NOTHING) == ()
