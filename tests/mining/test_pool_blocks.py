"""The pool against a real daemon on regtest, where every share is a block: are its blocks right, its refusals just?"""

import asyncio
import sys
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the helpers beside this file
from pool_parts import Pool, copy_of, eventually, golden
from raw_stratum import RawMiner

from shiftboss.packs.mining.wallet import pay

pytestmark = pytest.mark.real

HOUSE = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden") / "data"
    return folder, golden(folder)


@asynccontextmanager
async def parts(chain, tmp_path, **settings):
    daemon = copy_of(chain[0], tmp_path / "data")
    try:
        await daemon.start()
        with Pool(tmp_path / "pool", daemon, chain[1], **settings) as pool:
            yield daemon, await pool.ready()
    finally:
        daemon.stop()


def test_the_block_is_the_one_the_client_built_and_it_holds_the_mempool(chain, tmp_path):
    async def run():
        async with parts(chain, tmp_path, template_seconds=0.1) as (daemon, pool):
            miner = await RawMiner.ready(pool.port)
            assert await miner.hand_in(miner.solve()) == (True, None)
            wallet = await daemon.wallet()
            for _ in range(5):
                await pay(wallet, HOUSE, 0.1, 2)
            await miner.until(lambda: len(miner.jobs[-1].branch) == 3)  # the daemon shows new ones within 5 s
            job = miner.jobs[-1]
            assert not job.clean, "new transactions must not void the work on the same tip"
            assert await miner.hand_in(miner.solve(miner.jobs[-2])) == (True, None), "an older job of the tip counts"
            assert await daemon.rpc.call("getblockcount") == 103
            assert len(miner.jobs[-1].branch) == 3
            template = await daemon.rpc.call("getblocktemplate", {"rules": ["segwit"]})
            solved = miner.solve()
            assert await miner.hand_in(solved) == (True, None)

            assert await daemon.rpc.call("getbestblockhash") == solved.hash
            raw = await daemon.rpc.call("getblock", solved.hash, 0)
            assert raw == solved.block([tx["data"] for tx in template["transactions"]])
            block = await daemon.rpc.call("getblock", solved.hash, 2)
            assert (block["nTx"], block["height"]) == (6, 104)
            paid = block["tx"][0]["vout"][0]
            assert paid["scriptPubKey"]["address"] == chain[1]
            assert round(paid["value"] * 1e8) == template["coinbasevalue"]
            assert b"/shiftboss/".hex() in block["tx"][0]["vin"][0]["coinbase"]

            status = await pool.status()
            note = status["blocks"][-1]
            assert (note["hash"], note["transactions"], note["result"]) == (solved.hash, 6, "accepted")
            assert status["workers"]["raw.1"]["blocks"] == 3
            assert status["tip"] == solved.hash
            await miner.close()

    asyncio.run(run())


def test_refusals_carry_the_standard_codes(chain, tmp_path):
    async def run():
        async with parts(chain, tmp_path) as (daemon, pool):
            early = await RawMiner.connect(pool.port)
            assert (await early.call("mining.submit", ["raw.1", "1", "00", "00", "00"]))[1][0] == 25
            miner = await RawMiner.ready(pool.port)
            first = miner.jobs[-1]
            low = miner.solve(hard_enough=False)
            assert (await miner.hand_in(low))[1][0] == 23
            good = miner.solve()
            assert (await miner.hand_in(good, worker="stranger"))[1][0] == 24
            assert (await miner.hand_in(good, job="nope"))[1][0] == 21
            assert (await miner.hand_in(good, nonce="xyz"))[1][0] == 20
            assert (await miner.hand_in(good, extranonce2="00"))[1][0] == 20
            assert (await miner.hand_in(miner.solve(time="00000001")))[1][0] == 20
            assert (await miner.hand_in(miner.solve(time=f"{int(first.time, 16) + 9000:08x}")))[1][0] == 20
            # Two at once: the second is a duplicate while its job is still the current one.
            answers = await asyncio.gather(miner.hand_in(good), miner.hand_in(good))
            assert sorted(answer[1][0] if answer[1] else 0 for answer in answers) == [0, 22]
            assert (await miner.hand_in(miner.solve(first)))[1][0] == 21, "the job is of the block before"
            assert (await miner.call("mining.nonsense", []))[1][0] == 20
            assert await miner.call("mining.configure", [["version-rolling"], {}]) == ({"version-rolling": False}, None)
            assert await miner.call("mining.extranonce.subscribe", []) == (True, None)
            assert await miner.call("mining.suggest_difficulty", [5]) == (True, None)
            assert (await pool.status())["rejected"] == {"20": 4, "21": 2, "22": 1, "23": 1, "24": 1, "25": 1}
            assert await daemon.rpc.call("getblockcount") == 102
            await early.close()
            await miner.close()

    asyncio.run(run())


def test_500_blocks_in_a_row_without_an_unjust_refusal(chain, tmp_path):
    async def run():
        async with parts(chain, tmp_path) as (daemon, pool):
            before = await daemon.rpc.call("getblockcount")
            miner = await RawMiner.ready(pool.port)
            for number in range(500):
                solved = miner.solve()
                assert await miner.hand_in(solved) == (True, None), number
            assert await daemon.rpc.call("getblockcount") == before + 500
            assert await daemon.rpc.call("getbestblockhash") == solved.hash
            status = await pool.status()
            assert (status["rejected"], status["blocks_found"]) == ({}, 500)
            tips = [job.previous for job in miner.jobs if job.clean]
            assert len(tips) == len(set(tips)), "more than one clean job for a tip"
            await miner.close()

    asyncio.run(run())


def test_racing_miners_are_refused_only_after_they_were_sent_the_newer_job(chain, tmp_path):
    """Three miners keep four shares each on the way without waiting for answers, and the daemon mines beside them."""

    async def submit(miner, counts):
        solved = miner.solve()
        result, error = await miner.hand_in(solved)
        counts["accepted" if result else error[0]] += 1
        if error is not None:
            assert error[0] == 21, error
            newest = max(number for number, job in enumerate(miner.jobs) if job.clean)
            assert miner.jobs.index(solved.job) < newest, "refused although no newer job had been sent"

    async def mine(miner, counts):
        for _ in range(100):
            await asyncio.gather(*(submit(miner, counts) for _ in range(4)))

    async def interfere(daemon, address):
        for _ in range(50):
            await daemon.rpc.call("generatetoaddress", 1, address)
            await asyncio.sleep(0.01)

    async def run():
        async with parts(chain, tmp_path) as (daemon, pool):
            before = await daemon.rpc.call("getblockcount")
            counts = Counter()
            miners = [await RawMiner.ready(pool.port, f"racer.{n}") for n in range(3)]
            await asyncio.gather(interfere(daemon, chain[1]), *(mine(miner, counts) for miner in miners))
            assert sum(counts.values()) == 1200
            status = await pool.status()
            assert status["shares"] == counts["accepted"]
            height = await daemon.rpc.call("getblockcount")
            assert before + status["blocks_found"] <= height <= before + status["blocks_found"] + 50
            await eventually(pool.ok)
            for miner in miners:
                await miner.close()

    asyncio.run(run())
