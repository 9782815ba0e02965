"""The command as a child process, in a folder and an environment of its own."""

import json
import os
import subprocess
import sys

SHIFTBOSS = (sys.executable, "-m", "shiftboss.frontends.cli")


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHIFTBOSS")}
    return {**kept, "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **more}


def shiftboss(place, *words, prefix=(), seconds=60, **environ):
    return subprocess.run(
        [*prefix, *SHIFTBOSS, *map(str, words)],
        cwd=place,
        env=environment(**environ),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def document(result):
    """The one JSON document on stdout."""
    assert result.stderr == "", result.stderr
    return json.loads(result.stdout)


def no_traceback(result):
    assert "Traceback" not in result.stdout + result.stderr
    return result
