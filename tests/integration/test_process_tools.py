"""Helper programs: bounded in time and output, gone afterwards, findable when their hub was killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.system import proc
from shiftboss.system.clock import SystemClock
from shiftboss.system.process import HELPER, Processes, marks_of
from shiftboss.system.tool import ToolResult

CLOCK = SystemClock()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for pid in marked(tmp_path):
        os.kill(pid, signal.SIGKILL)


def marked(home: Path) -> list[int]:
    found = [(pid, marks_of(pid)) for pid in proc.pids()]
    return [pid for pid, marks in found if marks and marks.home == str(home.resolve()) and proc.is_running(pid)]


def assert_nothing_left(home: Path) -> None:
    end = CLOCK.monotonic() + 10  # a killed process needs a moment to be gone
    while marked(home):
        assert CLOCK.monotonic() < end, marked(home)


def hub(home: Path) -> Processes:
    return Processes(home, "regtest", home / "run")


def run_tool(home: Path, *argv: str, timeout: float = 20.0, **more) -> ToolResult:
    return asyncio.run(hub(home).run_tool(list(argv), timeout=timeout, cwd=home, **more))


def test_code_and_both_outputs_are_returned(home):
    result = run_tool(
        home,
        "sh",
        "-c",
        "echo out; echo err >&2; pwd; echo $SHIFTBOSS_COMPONENT $SHIFTBOSS_RUN $X; exit 3",
        run="r",
        env={"X": "y"},
    )
    assert (result.code, result.stderr) == (3, "err\n")
    assert result.stdout == f"out\n{home.resolve()}\n{HELPER} r y\n"
    assert not result.truncated


def test_only_the_end_of_a_long_output_is_kept(home):
    result = run_tool(home, sys.executable, "-c", "print('x' * 500_000 + 'end', end='')", limit_bytes=1000)
    assert result.truncated
    assert result.stdout == "x" * 997 + "end"


def test_a_slow_tool_is_killed_with_its_children(home):
    with pytest.raises(Failed, match=r"longer than 0\.3 s") as caught:
        run_tool(home, "sh", "-c", "trap '' TERM; sleep 300 & sleep 300", timeout=0.3)
    assert caught.value.kind == FailureKind.TIMEOUT
    assert_nothing_left(home)


def test_a_cancelled_tool_is_killed(home):
    async def cancel() -> None:
        task = asyncio.create_task(hub(home).run_tool(["sleep", "300"], timeout=100, cwd=home))
        while not marked(home):
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert_nothing_left(home)


def test_a_child_left_behind_does_not_hold_the_caller_up(home):
    before = CLOCK.monotonic()
    result = run_tool(home, "sh", "-c", "sleep 300 & echo done")
    assert result.stdout == "done\n"
    assert CLOCK.monotonic() - before < 10
    assert_nothing_left(home)


def test_a_helper_of_a_killed_hub_is_found_by_its_run_and_stopped(home):
    text = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom shiftboss.system.process import Processes\n"
        "home = Path(sys.argv[1])\n"
        "p = Processes(home, 'regtest', home / 'run')\n"
        "asyncio.run(p.run_tool(['sh', '-c', 'sleep 300; true'], timeout=300, cwd=home, run='run7'))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", text, str(home)], env=environment) as killed:
        end = CLOCK.monotonic() + 30
        while len(marked(home)) < 2:
            assert CLOCK.monotonic() < end
        killed.kill()
    processes = hub(home)
    assert processes.leftover_helpers("run8") == ()
    (helper,) = processes.leftover_helpers("run7")
    assert processes.leftover_helpers() == (helper,)
    assert asyncio.run(processes.stop(helper, grace=5, clock=CLOCK)) is True
    assert processes.leftover_helpers() == ()
    assert_nothing_left(home)
