"""A fast slice of the scorecard on real parts: the hub meets faults and does what it should, and no more."""

import pytest

from shiftboss.chaos.real import Arena

pytestmark = pytest.mark.real

SLICE = (
    "healthy",
    "frightening_log",
    "two_wallets",
    "stratum_port_foreign",
    "stratum_port_orphan",
    "rpc_port_other_daemon",
    "daemon_killed",
    "height_back",
    "pool_frozen",
    "miner_all_rejected",
    "chainstate_corrupt",
    "block_file_gone",
    "data_folder_unwritable",
    "config_syntax",
    "cookie_replaced",
    "wallet_corrupt",
    "disk_full_at_start",
    "binary_missing",
    "pool_killed+miner_killed",
)


@pytest.fixture(scope="module")
def arena(bitcoind, tmp_path_factory):
    made = Arena(tmp_path_factory.mktemp("chaos") / "arena")
    made.prepare()
    return made


@pytest.mark.parametrize("name", SLICE)
def test_a_fault_is_met_as_it_should_be(arena, name):
    result = arena.run(name)
    if result.skipped:
        pytest.skip(result.skipped)
    assert result.good, result
    assert result.diagnosed, result
    assert not arena.work.exists(), "nothing is left behind"
