"""Real child processes: found, adopted, stopped, reaped; nothing foreign is ever touched."""

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
from shiftboss.system.process import (
    Instance,
    MissingProgram,
    NotPermitted,
    Processes,
    alive,
    instance_of,
    marks_of,
)

SLEEP = ["sleep", "300"]
CLOCK = SystemClock()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for pid in proc.pids():
        marks = marks_of(pid)
        if marks is not None and marks.home.startswith(str(tmp_path.resolve())):
            os.kill(pid, signal.SIGKILL)


def hub(home: Path, environment: str = "regtest") -> Processes:
    """What a hub that has just been started knows: nothing but its folder."""
    return Processes(home, environment, home / "env" / environment / "run")


def spawn(processes: Processes, home: Path, argv: list[str], component: str = "daemon", **more) -> Instance:
    order = {"run": "run1", "delegation": "run1/1/0", "log": home / f"{component}.log", "cwd": home}
    return asyncio.run(processes.spawn(component, argv, **{**order, **more}))


def stop(processes: Processes, target: str | Instance, grace: float = 5.0) -> bool:
    return asyncio.run(processes.stop(target, grace=grace, clock=CLOCK))


def wait_until(true, seconds: float = 20.0) -> None:
    end = CLOCK.monotonic() + seconds
    while not true():
        assert CLOCK.monotonic() < end, "it did not happen in time"
        asyncio.run(CLOCK.sleep(0.005))


def script(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_a_spawned_process_carries_its_marks_leads_its_session_and_writes_its_log(home):
    processes = hub(home)
    instance = spawn(
        processes, home, ["sh", "-c", "echo out; echo err >&2; echo $COLOUR; exec sleep 300"], env={"COLOUR": "blue"}
    )
    wait_until(lambda: (home / "daemon.log").read_text() == "out\nerr\nblue\n")
    marks = marks_of(instance.pid)
    assert marks is not None
    assert (marks.home, marks.environment, marks.component) == (str(home.resolve()), "regtest", "daemon")
    assert (marks.run, marks.delegation) == ("run1", "run1/1/0")
    assert proc.is_session_leader(instance.pid)
    assert (home / "daemon.log").stat().st_mode & 0o777 == 0o600
    assert (home / "env/regtest/run/daemon.pid").stat().st_mode & 0o777 == 0o600
    assert Path(f"/proc/{instance.pid}/fd/0").readlink() == Path("/dev/null")
    assert instance.identity == f"{instance.pid}:{instance.started}:{proc.boot_id()[:8]}"


def test_spawning_what_lives_starts_nothing(home):
    processes = hub(home)
    first = spawn(processes, home, SLEEP)
    assert spawn(processes, home, ["/no/such/program"]) == first
    assert processes.orphans("daemon") == ()


def test_the_log_is_appended_to(home):
    (home / "daemon.log").write_text("before\n")
    spawn(hub(home), home, ["echo", "after"])
    wait_until(lambda: (home / "daemon.log").read_text() == "before\nafter\n")


def test_a_new_hub_finds_it_by_the_pid_file(home):
    instance = spawn(hub(home), home, SLEEP)
    assert hub(home).find("daemon") == instance


def test_without_the_pid_file_the_marks_find_it_and_it_is_recorded_again(home):
    instance = spawn(hub(home), home, SLEEP)
    pid_file = home / "env/regtest/run/daemon.pid"
    pid_file.unlink()
    assert hub(home).find("daemon") == instance
    assert pid_file.exists()


@pytest.mark.parametrize("text", ["", "{", "7", '{"pid": "x"}', '{"pid": 1, "started": 1, "boot": "b"}'])
def test_a_damaged_pid_file_is_no_obstacle(home, text):
    instance = spawn(hub(home), home, SLEEP)
    (home / "env/regtest/run/daemon.pid").write_text(text)
    assert hub(home).find("daemon") == instance


def test_children_of_a_spawned_process_are_not_taken_for_it(home):
    instance = spawn(hub(home), home, ["sh", "-c", "sleep 300 & wait"])
    wait_until(lambda: len(marked(home)) == 2)
    (home / "env/regtest/run/daemon.pid").unlink()
    assert hub(home).find("daemon") == instance
    assert hub(home).orphans("daemon") == ()


def marked(home: Path) -> list[int]:
    found = [(pid, marks_of(pid)) for pid in proc.pids()]
    return [pid for pid, marks in found if marks and marks.home == str(home.resolve()) and proc.is_running(pid)]


def test_other_components_environments_and_folders_are_not_confused(home):
    spawn(hub(home), home, SLEEP)
    other = home / "other"
    other.mkdir()
    assert hub(home).find("pool") is None
    assert hub(home, "testnet").find("daemon") is None
    assert hub(other).find("daemon") is None


def test_a_copied_working_folder_does_not_own_the_process(home):
    instance = spawn(hub(home), home, SLEEP)
    copy = home / "copy"
    (copy / "env/regtest/run").mkdir(parents=True)
    (copy / "env/regtest/run/daemon.pid").write_bytes((home / "env/regtest/run/daemon.pid").read_bytes())
    assert hub(copy).find("daemon") is None
    assert stop(hub(copy), instance) is False
    assert alive(instance)


def test_a_pid_used_again_by_a_foreign_process_is_left_alone(home):
    processes = hub(home)
    ours = spawn(processes, home, SLEEP)
    with subprocess.Popen(SLEEP, start_new_session=True) as foreign:
        try:
            now = instance_of(foreign.pid)
            assert now is not None
            for claim in (now, Instance(pid=foreign.pid, started=ours.started, boot=ours.boot)):
                assert stop(processes, claim) is False
            assert foreign.poll() is None
        finally:
            foreign.kill()


def test_another_boot_means_another_process(home):
    instance = spawn(hub(home), home, SLEEP)
    assert alive(instance)
    assert not alive(Instance(pid=instance.pid, started=instance.started, boot="0" * 36))
    assert not alive(Instance(pid=instance.pid, started=instance.started + 1, boot=instance.boot))


@pytest.mark.parametrize(("end", "code"), [("exit 7", 7), ("kill -9 $$", -9)])
def test_a_child_that_ended_is_reaped_and_tells_its_code(home, end, code):
    processes = hub(home)
    instance = spawn(processes, home, ["sh", "-c", end])
    wait_until(lambda: processes.exit_code("daemon") is not None)
    assert processes.exit_code("daemon") == code
    assert proc.stat(instance.pid) is None  # no zombie
    assert processes.find("daemon") is None


def test_a_zombie_is_not_alive(home):
    processes = hub(home)
    instance = spawn(processes, home, ["true"])
    wait_until(lambda: proc.state(instance.pid) == "Z")
    assert not alive(instance)
    assert processes.find("daemon") is None
    assert proc.stat(instance.pid) is None


def test_the_code_of_the_one_before_is_forgotten_by_the_next_start(home):
    processes = hub(home)
    spawn(processes, home, ["false"])
    wait_until(lambda: processes.exit_code("daemon") == 1)
    spawn(processes, home, SLEEP)
    assert processes.exit_code("daemon") is None


def test_stop_ends_the_whole_group_and_is_idempotent(home):
    processes = hub(home)
    spawn(processes, home, ["sh", "-c", "sleep 300 & sleep 300 & wait"])
    wait_until(lambda: len(marked(home)) == 3)
    assert stop(processes, "daemon") is True
    assert marked(home) == []
    assert processes.exit_code("daemon") == -signal.SIGTERM
    assert not (home / "env/regtest/run/daemon.pid").exists()
    assert stop(processes, "daemon") is False


def test_stop_waits_for_a_clean_end(home):
    text = (
        "import signal, sys, time\n"
        "def end(*_):\n    time.sleep(0.2)\n    print('clean', flush=True)\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('ready', flush=True)\nsignal.pause()\n"
    )
    processes = hub(home)
    spawn(processes, home, script(text))
    wait_until(lambda: "ready" in (home / "daemon.log").read_text())
    stop(processes, "daemon")
    assert (home / "daemon.log").read_text() == "ready\nclean\n"
    assert processes.exit_code("daemon") == 0


def test_a_stubborn_process_is_killed_after_the_grace(home):
    processes = hub(home)
    spawn(processes, home, ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"])
    wait_until(lambda: "ready" in (home / "daemon.log").read_text())
    assert stop(processes, "daemon", grace=0.2) is True
    assert processes.exit_code("daemon") == -signal.SIGKILL
    assert marked(home) == []


def test_a_child_that_outlives_its_clean_leader_is_killed_too(home):
    processes = hub(home)
    spawn(processes, home, ["sh", "-c", "(trap '' TERM; echo ready; while :; do sleep 1; done) & wait"])
    wait_until(lambda: "ready" in (home / "daemon.log").read_text())
    assert stop(processes, "daemon", grace=0.2) is True
    assert marked(home) == []


def test_a_frozen_process_ends_within_the_grace(home):
    processes = hub(home)
    instance = spawn(processes, home, SLEEP)
    os.kill(instance.pid, signal.SIGSTOP)
    wait_until(lambda: proc.state(instance.pid) == "T")
    assert alive(instance)
    stop(processes, "daemon", grace=10.0)
    assert processes.exit_code("daemon") == -signal.SIGTERM


def test_an_adopted_process_is_stopped_by_the_next_hub(home):
    text = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom shiftboss.system.process import Processes\n"
        "home = Path(sys.argv[1])\n"
        "p = Processes(home, 'regtest', home / 'env/regtest/run')\n"
        "i = asyncio.run(p.spawn('daemon', ['sleep', '300'], run='r', delegation='d', log=home / 'log', cwd=home))\n"
        "print(i.pid, flush=True)\nimport os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [*script(text), str(home)],
        stdout=subprocess.PIPE,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == -signal.SIGKILL
    processes = hub(home)
    found = processes.find("daemon")
    assert found is not None
    assert found.pid == int(done.stdout)
    assert processes.exit_code("daemon") is None
    assert stop(processes, "daemon") is True
    wait_until(lambda: not proc.is_running(found.pid))


def test_an_orphan_is_known_by_its_marks_and_can_be_stopped_alone(home):
    first = spawn(hub(home), home, SLEEP)
    marks = {name: value for name, value in (proc.environ(first.pid) or {}).items() if name.startswith("SHIFTBOSS_")}
    with subprocess.Popen(
        ["sh", "-c", "sleep 300 & wait"], start_new_session=True, env={**os.environ, **marks}
    ) as second:
        wait_until(lambda: len(marked(home)) == 3)
        processes = hub(home)
        assert processes.find("daemon") == first
        (orphan,) = processes.orphans("daemon")
        assert orphan.pid == second.pid
        assert stop(processes, orphan) is True
        assert processes.orphans("daemon") == ()
        assert processes.find("daemon") == first


def test_what_a_dead_leader_left_behind_is_an_orphan(home):
    processes = hub(home)
    leader = spawn(processes, home, ["sh", "-c", "sleep 300 & wait"])
    wait_until(lambda: len(marked(home)) == 2)
    (child,) = [pid for pid in marked(home) if pid != leader.pid]
    os.kill(leader.pid, signal.SIGKILL)
    wait_until(lambda: processes.exit_code("daemon") == -signal.SIGKILL)
    assert processes.find("daemon") is None
    (orphan,) = processes.orphans("daemon")
    assert orphan.pid == child
    assert stop(processes, orphan) is True
    assert marked(home) == []


def test_a_missing_program_and_one_that_may_not_run_are_told_apart(home):
    (home / "plain").write_text("#!/bin/sh\n")
    (home / "broken").write_bytes(b"\x7fELF nonsense")
    (home / "broken").chmod(0o700)
    for argv, error, kind in (
        (["/no/such/program"], MissingProgram, FailureKind.MISSING_BINARY),
        ([str(home / "broken")], MissingProgram, FailureKind.MISSING_BINARY),
        ([str(home / "plain")], NotPermitted, FailureKind.PERMISSION),
    ):
        with pytest.raises(error) as caught:
            spawn(hub(home), home, argv)
        assert caught.value.kind == kind
        assert argv[0] in str(caught.value)
        with pytest.raises(error):
            asyncio.run(hub(home).run_tool(argv, timeout=5, cwd=home))
    assert hub(home).find("daemon") is None


def test_a_missing_folder_is_not_a_missing_program(home):
    with pytest.raises(Failed, match="folder") as caught:
        spawn(hub(home), home, SLEEP, cwd=home / "nowhere")
    assert caught.value.kind == FailureKind.CONFIG
