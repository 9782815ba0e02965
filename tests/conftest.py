"""Fixtures that most tests share; those of real mining stacks are in tests/mining/conftest.py."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.small import Driver, World
from shiftboss.model.stack import Stack
from shiftboss.system import proc
from shiftboss.system.instance import marks_of


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """Makes drivers over small worlds; their stores are closed afterwards."""
    made: list[Driver] = []

    def make(stack: Stack, world: World, **more: Any) -> Driver:
        made.append(Driver(stack, world, tmp_path, **more))
        return made[-1]

    yield make
    for driver in made:
        driver.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A working directory; whatever process of it is left over afterwards is ended."""
    folder = tmp_path / "work"
    yield folder
    for pid in proc.pids():
        marks = marks_of(pid)
        if marks is not None and marks.home.startswith(str(tmp_path.resolve())):
            os.kill(pid, signal.SIGKILL)
