"""Switches the fixture on, and says what its stack is to be like."""

import pytest

pytest_plugins = ["shiftboss.testing"]


@pytest.fixture(scope="session")
def mining_settings() -> dict[str, object]:
    """Any setting of shiftboss; without this fixture the stack has its defaults."""
    return {"pool.share_difficulty": 0.0001, "miner.threads": 1}
