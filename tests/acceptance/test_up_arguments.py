"""What `up` for CI refuses before anything is done."""

from pathlib import Path

import pytest

from command import no_traceback, shiftboss


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--junit", "/proc/x/y.xml"), "can't be written"),
        (("--junit", "/proc/y.xml"), "can't be written"),
        (("--junit", "/dev/null"), "it is no file"),
        (("--junit", "results/sub/y.xml", "--"), "no command after --"),
        (("--ci", "--", "nosuchcommand"), "nosuchcommand"),
    ],
)
def test_what_can_not_work_is_refused_at_the_start(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    refused = no_traceback(shiftboss(tmp_path, "up", *words))
    assert refused.returncode == 2
    assert said in " ".join(refused.stderr.split())
    assert list(tmp_path.iterdir()) == []
