"""What the tests of the command share."""

import pytest


@pytest.fixture
def place(tmp_path):
    """An empty folder to run in."""
    return tmp_path
