"""The pool's outer edge: bad clients are cut and disturb nobody, the status page, start and stop, bad configuration."""

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the helpers beside this file
from pool_parts import Pool, Program, copy_of, eventually, golden
from raw_stratum import RawMiner

from shiftboss.errors import BadInput
from shiftboss.packs.mining.stratum.config import load
from shiftboss.system import http


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


async def cut_after(port: int, data: bytes) -> bool:
    """Whether the pool closes a connection that sent this."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(10):
            while await reader.read(65536):
                pass
    except ConnectionError:
        pass
    finally:
        writer.close()
    return True


@pytest.mark.real
def test_bad_clients_are_cut_and_the_others_do_not_notice(chain, tmp_path):
    bad = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"{}\n",
        b"[1]\n",
        b'{"id":1,"method":5}\n',
        b'{"id":1,"method":"mining.submit","params":{}}\n',
        b"\xff\xfe\n",
        b"[" * 15000 + b"\n",
        b"x" * 20000,
        b'{"id":1,"method":"mining.nonsense","params":[]}\n' * 200,
        b"",  # connects and says nothing
        b'{"id":1,',  # begins and does not end
    ]

    async def run():
        async with parts(chain, tmp_path, client_seconds=1) as (_, pool):
            honest = await RawMiner.ready(pool.port, "honest")

            async def work():
                for _ in range(40):
                    assert await honest.hand_in(honest.solve()) == (True, None)
                    await asyncio.sleep(0.02)

            await asyncio.gather(work(), *(cut_after(pool.port, data) for data in bad))
            assert not honest.closed
            status = await pool.status()
            assert (status["connections"], status["shares"], status["rejected"]) == (1, 40, {})
            await honest.close()

    asyncio.run(run())


@pytest.mark.real
def test_a_client_that_does_not_read_is_cut(chain, tmp_path):
    async def run():
        async with parts(chain, tmp_path) as (_, pool):
            deaf = socket.create_connection(("127.0.0.1", pool.port))
            deaf.setblocking(False)  # it asks and asks and never takes an answer
            question = b'{"id":1,"method":"mining.subscribe","params":[]}\n' * 100

            async def asked_until_cut():
                try:
                    deaf.send(question)
                except BlockingIOError:
                    pass
                except ConnectionError:
                    return True
                return pool.event("client cut off")

            event = await eventually(asked_until_cut)
            deaf.close()
            if isinstance(event, dict):
                assert event["why"] == "it does not read"
            await eventually(lambda: _no_clients(pool))

    asyncio.run(run())


async def _no_clients(pool):
    return (await pool.status())["connections"] == 0


@pytest.mark.real
def test_the_status_page_serves_get_of_one_document_only(chain, tmp_path):
    async def run():
        async with parts(chain, tmp_path) as (_, pool):
            base = f"http://127.0.0.1:{pool.status_port}"
            root = await http.request("GET", base + "/")
            assert json.loads(root.body).keys() == (await pool.status()).keys()
            assert (await http.request("GET", base + "/other")).status == 404
            assert (await http.request("POST", base + "/", body=b"{}")).status == 405
            assert await cut_after(pool.status_port, b"GET / HTTP/1.1\r\nX: " + b"x" * 20000)
            assert (await pool.status())["pid"] == pool.process.pid

    asyncio.run(run())


@pytest.mark.real
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_pool_cleanly(chain, tmp_path, number):
    async def run():
        async with parts(chain, tmp_path) as (_, pool):
            miner = await RawMiner.ready(pool.port)
            pool.process.send_signal(number)
            await miner.until(lambda: miner.closed)
            assert await asyncio.to_thread(pool.process.wait, 10) == 0
            await miner.close()

    asyncio.run(run())


@pytest.mark.real
def test_an_address_of_another_chain_ends_the_pool_with_a_clear_line(chain, tmp_path):
    async def run():
        async with parts(chain, tmp_path) as (daemon, _):
            foreign = Pool(tmp_path / "foreign", daemon, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
            assert await asyncio.to_thread(foreign.process.wait, 20) == 2
            assert "is no address of the daemon's chain, regtest" in foreign.event("payout address unusable")["why"]

    asyncio.run(run())


@pytest.mark.parametrize("which", ["stratum", "status"])
def test_a_taken_port_ends_the_pool_with_one_clear_line(tmp_path, which):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        config = _config(tmp_path, **{which: {"port": port}})
        pool = Program("pool", ["--config", config, "--address", "any"], tmp_path / "log")
        assert pool.process.wait(20) == 1
    (line,) = pool.events()
    why = f"the {which} port 127.0.0.1:{port} can't be used: {os.strerror(98)}"
    assert (line["event"], line["why"]) == ("pool can't listen", why)


def test_every_finding_about_the_configuration_is_told_at_once(tmp_path):
    config = _config(tmp_path, stratum={"port": "x", "host": "0.0.0.0"}, share_dificulty=1, poll_seconds=True)
    pool = Program("pool", ["--config", config], tmp_path / "log")
    assert pool.process.wait(20) == 2
    text = pool.log.read_text()
    for words in ["(stratum.port)", "(stratum.host)", "'share_difficulty' was meant", "(poll_seconds)", "--address"]:
        assert words in text
    assert "Traceback" not in text


@pytest.mark.parametrize("text", ["{", "[]", "", "\x00"])
def test_a_configuration_that_is_no_json_object_is_a_finding(tmp_path, text):
    path = tmp_path / "pool.json"
    path.write_text(text)
    pool = Program("pool", ["--config", path], tmp_path / "log")
    assert pool.process.wait(20) == 2
    assert str(path) in pool.log.read_text()
    assert "Traceback" not in pool.log.read_text()


@pytest.mark.parametrize("host", ["0.0.0.0", "127.example.org", "localhost.example.org", "10.0.0.1", "::"])
def test_another_machine_may_come_in_only_with_consent(tmp_path, host):
    with pytest.raises(BadInput, match="allow_remote"):
        load(_config(tmp_path, status={"host": host, "port": 0}), "any")
    config = load(_config(tmp_path, status={"host": host, "port": 0}, allow_remote=True), "any")
    assert config.status == (host, 0)


def _config(folder, **settings):
    path = folder / "pool.json"
    nowhere = {"url": "http://127.0.0.1:1", "cookie_file": str(folder / "none")}
    path.write_text(json.dumps({"rpc": nowhere, "stratum": {"port": 0}, "status": {"port": 0}, **settings}))
    return path
