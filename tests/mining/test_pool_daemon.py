"""The pool when its daemon is late, dies, comes back with a new cookie or hangs; and where shares are no blocks."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the helpers beside this file
from pool_parts import Daemon, Pool, copy_of, eventually, golden
from raw_stratum import RawMiner

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden") / "data"
    return folder, golden(folder)


def test_the_daemon_may_come_late_go_and_come_back(chain, tmp_path):
    async def run():
        daemon = copy_of(chain[0], tmp_path / "data")
        with Pool(tmp_path / "pool", daemon, chain[1], stale_seconds=1.5) as pool:
            await pool.up()
            status = await pool.status()
            assert status["ok"] is False
            assert "cookie file" in (await _why(pool, "cookie file"))
            miner = await RawMiner.connect(pool.port)
            await miner.subscribe()
            assert await miner.call("mining.authorize", ["raw.1"]) == (True, None)
            assert miner.jobs == []
            try:
                await daemon.start()
                await miner.until(lambda: miner.jobs)
                assert await miner.hand_in(miner.solve()) == (True, None)
                await eventually(pool.ok)
                old_cookie = daemon.cookie.read_bytes()

                daemon.stop()
                assert "RpcRefused" in await _why(pool, "RpcRefused") or "Unauthorized" in await _why(pool, "Rpc")
                assert (await pool.status())["ok"] is False
                refused = await miner.hand_in(miner.solve())
                assert refused[1][0] == 20, "a block that the daemon can't take is no accepted share"
                await eventually(lambda: _older(pool, 1.5))
                refused = await miner.hand_in(miner.solve())
                assert refused[1][:2] == [20, "No fresh template: the pool has lost its daemon"]
                assert not miner.closed

                await daemon.start()
                assert daemon.cookie.read_bytes() != old_cookie
                await eventually(pool.ok)
                before = await daemon.rpc.call("getblockcount")
                assert await miner.hand_in(miner.solve()) == (True, None)
                assert await daemon.rpc.call("getblockcount") == before + 1
            finally:
                daemon.stop()
            await miner.close()

    asyncio.run(run())


def test_a_daemon_that_hangs_is_noticed_and_survived(chain, tmp_path):
    async def run():
        daemon = copy_of(chain[0], tmp_path / "data")
        try:
            await daemon.start()
            with Pool(tmp_path / "pool", daemon, chain[1], stale_seconds=1) as pool:
                await pool.ready()
                real = await _pid(daemon)
                real.send_signal(signal.SIGSTOP)
                try:
                    await eventually(lambda: _not_ok(pool))
                finally:
                    real.send_signal(signal.SIGCONT)
                await eventually(pool.ok, 40)
        finally:
            daemon.stop()

    asyncio.run(run())


def test_where_shares_are_no_blocks_they_are_counted_and_nothing_is_handed_in(tmp_path):
    async def run():
        daemon = Daemon(tmp_path / "data", "testnet4")
        try:
            await daemon.start()
            address = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
            with Pool(tmp_path / "pool", daemon, address, share_difficulty=1e-8) as pool:
                await pool.ready()
                miner = await RawMiner.ready(pool.port)
                for _ in range(50):
                    assert await miner.hand_in(miner.solve()) == (True, None)
                status = await pool.status()
                assert (status["shares"], status["blocks_found"], status["blocks"]) == (50, 0, [])
                assert status["network_difficulty"] == 1.0
                assert await daemon.rpc.call("getblockcount") == 0
                await miner.close()
        finally:
            daemon.stop()

    asyncio.run(run())


async def _pid(daemon):
    return daemon.process  # the wrapper execs, so this is the daemon itself


async def _why(pool, word):
    async def look():
        why = (await pool.status())["why"]
        return why if word in why else None

    return await eventually(look)


async def _older(pool, seconds):
    return (await pool.status())["template_age"] > seconds


async def _not_ok(pool):
    return not await pool.ok()


def test_a_block_is_heard_of_when_it_comes_and_not_when_it_is_asked_for(chain, tmp_path):
    async def run():
        daemon = copy_of(chain[0], tmp_path / "data")
        await daemon.start()
        try:
            with Pool(tmp_path / "pool", daemon, chain[1], poll_seconds=20, template_seconds=60) as pool:
                await pool.ready()
                miner = await RawMiner.connect(pool.port)
                await miner.subscribe()
                await miner.until(lambda: miner.jobs)
                for count in (2, 3, 4):
                    await daemon.rpc.call("generatetoaddress", 1, chain[1])
                    await asyncio.wait_for(miner.until(lambda wanted=count: len(miner.jobs) >= wanted), 3)
                await miner.close()
        finally:
            daemon.stop()

    asyncio.run(run())
