"""The programs shiftboss is measured against, in a virtual environment of their own, made when first asked for.

Its versions are those of competitors.txt. It stands beside .venv so that it outlives a benchmark; nothing of it is
ever imported by shiftboss or put into its own environment.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from real import Missing

WANTED = Path(__file__).with_suffix(".txt")
FOLDER = Path(__file__).parents[1] / ".venv-bench"
PATIENCE = 600


def program(name: str) -> Path:
    """A program of that environment, e.g. `pyinfra` or `python`.

    Raises:
        Missing: it can't be installed here, e.g. without a network.
    """
    _install()
    return FOLDER / "bin" / name


def versions(names: Sequence[str]) -> dict[str, str]:
    """The versions that some packages of that environment have."""
    code = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    command = [str(program("python")), "-c", code, *names]
    return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)


def _install() -> None:
    """Make the environment unless it is there with exactly these versions; idempotent."""
    stamp, now = FOLDER / "installed", hashlib.sha256(WANTED.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == now:
        return
    print(f"installing what {WANTED.name} names into {FOLDER.name} ...", file=sys.stderr, flush=True)
    _must([sys.executable, "-m", "venv", "--clear", str(FOLDER)])
    (FOLDER / ".gitignore").write_text("*\n")  # as newer Pythons do by themselves
    _must([str(FOLDER / "bin" / "python"), "-m", "pip", "install", "--quiet", "--requirement", str(WANTED)])
    stamp.write_text(now)


def _must(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"the programs to compare with can't be installed: {error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Missing(f"the programs to compare with can't be installed: {' '.join(said)}")
