"""Without the extras: nothing of them is imported where no model is asked, and whoever asks is told what to install."""

import subprocess
import sys

from command import environment

HEAVY = ("pydantic_ai", "openai", "opentelemetry", "claude_agent_sdk", "anthropic", "pydantic", "httpx2")

COUNTED = """
import sys
from shiftboss.frontends import cli
code = cli.main({words!r})
print(sorted(name for name in sys.modules if name.split(".")[0] in {heavy!r} or name.startswith("shiftboss.minds.")))
sys.exit(code)
"""

WITHOUT = """
import sys
for name in {heavy!r}:
    sys.modules[name] = None  # as if it were not installed
from shiftboss.frontends import cli
sys.exit(cli.main({words!r}))
"""


def python(place, program: str, *words: str, heavy=HEAVY, **environ):
    text = program.format(words=list(words), heavy=heavy)
    return subprocess.run(
        [sys.executable, "-c", text],
        cwd=place,
        env=environment(**environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_run_without_a_model_imports_nothing_of_models(place):
    for words in (["status"], ["plan", "--goal", "only the pool"], ["up", "pool.config", "--goal", "only pool.config"]):
        done = python(place, COUNTED, *words)
        assert done.stdout.splitlines()[-1] == "[]", f"{words}: {done.stdout}{done.stderr}"


MISSING = ("pydantic_ai", "openai", "claude_agent_sdk")


def test_who_asks_for_a_model_is_told_what_to_install(place):
    for words in (
        ["up", "--brain", "llm"],
        ["up", "--brain", "shadow"],
        ["up", "--brain", "llm", "--goal", "make coffee"],
    ):
        done = python(place, WITHOUT, *words, "--set", "brain.model=openai:x", heavy=MISSING, OPENAI_API_KEY="k")
        assert done.returncode == 2, done.stdout + done.stderr
        assert "pip install 'shiftboss[llm]'" in done.stderr
        assert list(place.iterdir()) == [], "nothing was made"


def test_everything_else_works_without_them(place):
    done = python(place, WITHOUT, "up", "pool.config", heavy=MISSING)
    assert (done.returncode, "converged" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_brain_without_a_model_says_which_setting_is_missing(place):
    done = python(place, WITHOUT, "up", "--brain", "llm", heavy=())
    assert done.returncode == 2
    assert "brain.model" in done.stderr
