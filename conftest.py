"""What every test run shares: a real bitcoind for tests marked `real`, fetched once per run through our own installer.

Tests find it in SHIFTBOSS_TEST_BITCOIND, which may also be set by hand to use another one.
"""

import asyncio
import os
from pathlib import Path

import pytest

from shiftboss.system.packages import PackageSpec, install

VARIABLE = "SHIFTBOSS_TEST_BITCOIND"


@pytest.fixture(scope="session")
def bitcoind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The daemon's program; the same prefix for all workers of a run (the installer locks it)."""
    if VARIABLE not in os.environ:
        base = tmp_path_factory.getbasetemp()
        shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
        cache = Path(os.environ.get("SHIFTBOSS_CACHE") or _user_cache() / "shiftboss")
        got = asyncio.run(install(PackageSpec(), prefix=shared / "prefix", cache=cache, warn=lambda _text: None))
        os.environ[VARIABLE] = str(got.program)
    return Path(os.environ[VARIABLE])


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


@pytest.fixture(autouse=True)
def real_parts(request: pytest.FixtureRequest) -> None:
    """Tests marked `real` have a daemon."""
    if request.node.get_closest_marker("real"):
        request.getfixturevalue("bitcoind")
