"""The example of a systemd unit: its keys, that they agree with our exit codes, and what systemd says of it."""

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from shiftboss.frontends.arguments import read
from shiftboss.frontends.verbs import VERBS
from shiftboss.model.run import EXIT_CODES, EXIT_INTERNAL, EXIT_REFUSED, EXIT_USAGE, Ending

UNIT = Path(__file__).parents[2] / "examples" / "systemd" / "shiftboss-watch.service"


@pytest.fixture
def unit():
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str
    parser.read_string(UNIT.read_text())
    return parser


def codes(text):
    return {int(code) for code in text.split()}


def test_it_runs_a_command_that_exists(unit):
    program, *words = shlex.split(unit["Service"]["ExecStart"])
    assert program.endswith("/shiftboss")
    assert read(words, VERBS).verb == "watch"
    assert unit["Install"]["WantedBy"] == "default.target"


def test_stopping_it_is_success_and_leaves_the_stack_up(unit):
    service = unit["Service"]
    assert codes(service["SuccessExitStatus"]) == {EXIT_CODES[Ending.INTERRUPTED]}
    assert (service["Type"], service["KillSignal"], service["KillMode"]) == ("simple", "SIGTERM", "process")


def test_only_what_may_pass_by_itself_is_tried_again(unit):
    service = unit["Service"]
    assert (service["Restart"], service["RestartSec"]) == ("on-failure", "60")
    never = codes(service["RestartPreventExitStatus"])
    assert never == {EXIT_USAGE, EXIT_CODES[Ending.ESCALATED], EXIT_CODES[Ending.NEEDS_APPROVAL]}
    assert not never & {EXIT_INTERNAL, EXIT_REFUSED, EXIT_CODES[Ending.EXHAUSTED]}


def test_nothing_hides_its_processes_from_the_user_s_own_shell(unit):
    service = unit["Service"]
    assert service["NoNewPrivileges"] == "yes"
    assert not [name for name in service if name.startswith(("Protect", "Private"))]


def test_systemd_has_nothing_to_say_against_it(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd here; the other tests read the file")
    copy = tmp_path / UNIT.name
    program = shutil.which("true")
    lines = UNIT.read_text().splitlines()
    copy.write_text("\n".join(f"ExecStart={program}" if line.startswith("ExecStart=") else line for line in lines))
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (said.returncode, [line for line in said.stderr.splitlines() if UNIT.name in line]) == (0, [])
