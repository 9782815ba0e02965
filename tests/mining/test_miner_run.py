"""The miner as a process: against our pool and a real daemon, and against a pool played by the test."""

import asyncio
import json
import signal
import sys
import time
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the helpers beside this file
from pool_parts import Pool, Program, copy_of, eventually, golden


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden") / "data"
    return folder, golden(folder)


class Miner(Program):
    def __init__(self, folder, port, **settings):
        self.status_file = folder / "miner.status"
        config = folder / "miner.json"
        pool = {"host": "127.0.0.1", "port": port}
        config.write_text(json.dumps({"stratum": pool, "status_file": str(self.status_file), **settings}))
        super().__init__("miner", ["--config", config], folder / "miner.log")

    def status(self) -> dict:
        return json.loads(self.status_file.read_text()) if self.status_file.exists() else {}


@asynccontextmanager
async def parts(chain, tmp_path, **settings):
    daemon = copy_of(chain[0], tmp_path / "data")
    try:
        await daemon.start()
        with Pool(tmp_path / "pool", daemon, chain[1], share_difficulty=1e-5, **settings) as pool:
            yield daemon, await pool.ready()
    finally:
        daemon.stop()


@pytest.mark.real
def test_it_finds_a_block_at_once_and_then_rests(chain, tmp_path):
    async def run():
        async with parts(chain, tmp_path) as (daemon, pool):
            with Miner(tmp_path, pool.port, workers=["a.1"], threads=1, block_interval=1.5) as miner:
                await eventually(lambda: miner.status().get("accepted") == 1)
                first = time.monotonic()
                await eventually(lambda: miner.status().get("accepted") == 2)
                assert time.monotonic() - first > 1.3
                assert await daemon.rpc.call("getblockcount") == 103
                assert (await pool.status())["workers"]["a.1"]["blocks"] == 2
                status = miner.status()
                assert (status["connected"], status["authorized"], status["rejected"]) == (True, True, 0)
                assert status["pid"] == miner.process.pid
                assert miner.stop() == 0
            assert miner.status()["connected"] is False

    asyncio.run(run())


@pytest.mark.real
def test_off_means_connected_and_idle_until_a_share_is_asked_for(chain, tmp_path):
    async def run():
        async with parts(chain, tmp_path) as (daemon, pool):
            with Miner(tmp_path, pool.port, threads=2, block_interval="off") as miner:
                await eventually(lambda: miner.status().get("authorized") and miner.status()["job_id"])
                assert (await pool.status())["connections"] == 1
                assert await daemon.rpc.call("getblockcount") == 101
                miner.process.send_signal(signal.SIGUSR1)
                await eventually(lambda: miner.status()["accepted"] == 1)
                assert await daemon.rpc.call("getblockcount") == 102
                assert await _ticks(miner.process.pid) == await _ticks(miner.process.pid), "it hashes although idle"

    asyncio.run(run())


@pytest.mark.real
def test_several_workers_threads_a_killed_pool_and_a_killed_miner(chain, tmp_path):
    async def run():
        async with parts(chain, tmp_path) as (daemon, pool):
            with Miner(tmp_path, pool.port, workers=["a", "b"], threads=2, block_interval=0) as miner:

                async def both():
                    workers = (await pool.status())["workers"]
                    return all(workers.get(name, {}).get("blocks", 0) > 2 for name in "ab")

                await eventually(both)
                children = _children(miner.process.pid)
                assert len(children) == 2
                pool.stop(signal.SIGKILL)
                await eventually(lambda: not miner.status()["connected"])
                port = {"port": pool.port}
                with Pool(tmp_path / "again", daemon, chain[1], share_difficulty=1e-5, stratum=port) as again:
                    await again.ready()
                    await eventually(lambda: _blocks(again))
                    miner.stop(signal.SIGKILL)
                    await eventually(lambda: not any(Path(f"/proc/{child}").exists() for child in children), 5)

    asyncio.run(run())


async def _blocks(pool):
    return (await pool.status())["blocks_found"]


def test_it_backs_off_and_survives_nonsense_from_a_pool(tmp_path):
    """The pool of this test answers each connection with something worse; the miner stays and says why."""
    answers = [b"", b"nonsense\n", b'{"id":ID,"result":null,"error":[20,"no","x"]}\n', b'{"method":"mining.notify"}\n']

    async def run():
        came, served = [], []

        async def serve(reader, writer):
            came.append(time.monotonic())
            served.append(asyncio.current_task())
            answer = answers[(len(came) - 1) % len(answers)]
            request = json.loads(await reader.readline())
            writer.write(answer.replace(b"ID", b"%d" % request["id"]))
            while answer and await reader.read(1000):
                pass  # the miner is the one to hang up
            writer.close()
            await asyncio.sleep(0)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with Miner(tmp_path, port, threads=1) as miner:
            await eventually(lambda: len(came) >= 4 and "(code 20)" in miner.log.read_text())
            pauses = [after - before for before, after in pairwise(came)]
            assert pauses == sorted(pauses)
            assert miner.status()["last_error"]
            assert miner.stop() == 0
        server.close()
        await asyncio.gather(*served, return_exceptions=True)

    asyncio.run(run())


def test_findings_about_flags_and_file_are_told_at_once(tmp_path):
    flags = ["--stratum", "127.0.0.1:zero", "--block-interval", "often", "--threads", "-1", "--worker", ""]
    miner = Program("miner", flags, tmp_path / "log")
    assert miner.process.wait(20) == 2
    text = miner.log.read_text()
    for place in ["(stratum.port)", "(block_interval)", "(threads)", "(workers)"]:
        assert place in text
    assert "Traceback" not in text


async def _ticks(pid: int) -> int:
    """CPU time of the hash loops, read once they had time to come to rest."""
    await asyncio.sleep(0.3)
    stats = [Path(f"/proc/{child}/stat").read_text() for child in _children(pid)]
    return sum(int(stat.rpartition(")")[2].split()[11]) for stat in stats)


def _children(pid: int) -> list:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children]
