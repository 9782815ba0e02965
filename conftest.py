"""What every test run shares: a real bitcoind for tests marked `real`, and real models (tests/models.py).

The daemon is fetched once through our own installer. Tests find it in SHIFTBOSS_TEST_BITCOIND, which may also be set by
hand to use another one.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shiftboss.system.packages import PackageSpec, install

VARIABLE = "SHIFTBOSS_TEST_BITCOIND"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked `real` has a daemon, before any fixture of it (of whatever scope) is made."""
    if item.get_closest_marker("real"):
        _provide(item.config)


@pytest.fixture(scope="session")
def bitcoind(pytestconfig: pytest.Config) -> Path:
    """The daemon's program."""
    return _provide(pytestconfig)


@pytest.fixture(scope="session")
def sparrow() -> Iterator[str]:
    """Address of a decision model's server, for `brain.base_url`; `/v1/systemone` is below it."""
    from models import served  # tests stands on the path of our own tests only; the example's run meets this file too

    with served("sparrow") as address:
        yield address


@pytest.fixture(scope="session")
def smollm() -> Iterator[str]:
    """Address of a small language model's server, for `brain.base_url`; only for tests marked `llm`."""
    from models import served

    with served("smollm") as address:
        yield address


def _provide(config: pytest.Config) -> Path:
    """Install it into pytest's cache folder (idempotent; the installer keeps the workers of a run apart)."""
    if VARIABLE not in os.environ:
        assert config.cache is not None
        prefix = Path(config.cache.mkdir("bitcoind")) / "prefix"
        cache = Path(os.environ.get("SHIFTBOSS_CACHE") or _user_cache() / "shiftboss")
        got = asyncio.run(install(PackageSpec(), prefix=prefix, cache=cache, warn=lambda _text: None))
        os.environ[VARIABLE] = str(got.program)
    return Path(os.environ[VARIABLE])


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
