"""The RPC client and the HTTP client under it, against a small server played by the test."""

import asyncio
import json
import socket

import pytest

from shiftboss.system import http, rpc

COOKIE = "__cookie__:f00dcafe"


def play(answers, use, *, cookie=COOKIE, folder=None):
    """Serve one raw answer per connection; run `use(Rpc)`; return its result and the requests that came."""
    seen = []

    async def run():
        served = []

        async def serve(reader, writer):
            served.append(asyncio.current_task())
            try:
                await reply(reader, writer)
            except ConnectionError:
                pass  # the client had read enough
            finally:
                writer.transport.abort()
                await asyncio.sleep(0)  # lets the transport close before the loop does

        async def reply(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.startswith(b"Content-L")), 0)
            seen.append((head.decode(), await reader.readexactly(length)))
            answer = answers[min(len(seen), len(answers)) - 1]
            if answer is None:
                await reader.read()
                return
            writer.write(answer)
            await writer.drain()
            writer.write_eof()
            await reader.read()  # the client hangs up

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        path = folder / "cookie"
        if cookie is not None:
            path.write_text(cookie)
        port = server.sockets[0].getsockname()[1]
        async with server:
            result = await use(rpc.Rpc(f"http://127.0.0.1:{port}", path, timeout=0.5))
            await asyncio.gather(*served)
            return result

    return asyncio.run(run()), seen


def answer(body, status=200, head=""):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\n{head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw


def failing(kind):
    async def use(client):
        with pytest.raises(rpc.RpcFailure) as caught:
            await client.call("getthing")
        assert type(caught.value) is kind
        assert "f00dcafe" not in str(caught.value) + repr(caught.value) + repr(client)
        return caught.value

    return use


def test_a_result_comes_back_and_the_call_is_as_bitcoind_wants_it(tmp_path):
    async def use(client):
        return await client.for_wallet("my wallet/ü").call("getthing", 1, {"a": True})

    result, seen = play([answer({"result": [1], "error": None, "id": 0})], use, folder=tmp_path)
    assert result == [1]
    head, body = seen[0]
    assert head.startswith("POST /wallet/my%20wallet%2F%C3%BC HTTP/1.1\r\n")
    assert "Authorization: Basic " in head
    assert json.loads(body)["params"] == [1, {"a": True}]


def test_a_newer_cookie_is_read_once_on_401(tmp_path):
    async def use(client):
        await client.call("a")
        (tmp_path / "cookie").write_text("__cookie__:other")
        return await client.call("b")

    good = answer({"result": 5, "error": None})
    result, seen = play([good, answer(b"", 401), good], use, folder=tmp_path)
    assert result == 5
    logins = [line for head, _ in seen for line in head.split("\r\n") if line.startswith("Auth")]
    assert logins[0] == logins[1] != logins[2]


def test_errors_have_their_kind(tmp_path):
    def error(code, text):
        return answer({"result": None, "error": {"code": code, "message": text}}, 500)

    play([answer(b"", 401)], failing(rpc.RpcUnauthorized), folder=tmp_path)
    play([], failing(rpc.RpcUnauthorized), cookie="no colon f00dcafe", folder=tmp_path)
    warming, _ = play([error(-28, "Verifying blocks…")], failing(rpc.RpcWarming), folder=tmp_path)
    assert str(warming) == "Verifying blocks…"
    other, _ = play([error(-18, "no wallet")], failing(rpc.RpcError), folder=tmp_path)
    assert (other.code, other.message) == (-18, "no wallet")
    play([answer(b"Work queue depth exceeded", 503)], failing(rpc.RpcUnreadable), folder=tmp_path)
    play([answer([1])], failing(rpc.RpcUnreadable), folder=tmp_path)
    play([b"SSH-2.0-x\r\n\r\n"], failing(rpc.RpcUnreadable), folder=tmp_path)
    play([b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"], failing(rpc.RpcUnreadable), folder=tmp_path)
    play([None], failing(rpc.RpcTimeout), folder=tmp_path)


def test_a_missing_cookie_and_a_closed_port(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        asyncio.run(failing(rpc.RpcUnauthorized)(rpc.Rpc(url, tmp_path / "none")))
        (tmp_path / "cookie").write_text(COOKIE)
        asyncio.run(failing(rpc.RpcRefused)(rpc.Rpc(url, tmp_path / "cookie")))


def get(*answers, folder, **options):
    async def use(client):
        return await http.request("GET", client.url + "/x?y", timeout=0.5, **options)

    return play(list(answers), use, folder=folder)[0]


def test_bodies_of_every_framing_are_read_whole(tmp_path):
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: 1\r\n\r\n"
    assert get(chunks, folder=tmp_path).body == b"abcdefg"
    assert get(b"HTTP/1.0 200 OK\r\n\r\nto the end", folder=tmp_path).body == b"to the end"
    assert get(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"late"), folder=tmp_path).body == b"late"
    assert get(b"HTTP/1.1 204 No\r\nX-A: b\r\n\r\n", folder=tmp_path).headers["x-a"] == "b"


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"x" * 101),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 101,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"X" * 70000,
        b"",
    ],
)
def test_what_is_too_large_or_no_http_is_malformed(tmp_path, raw):
    with pytest.raises(http.Malformed):
        get(raw, folder=tmp_path, max_bytes=100)


@pytest.mark.parametrize(
    "url", ["https://a:1/", "a:1", "http://", "http://u:p@a:1/", "http://a:0/", "http://a:x/", "http://a:1/ b"]
)
def test_an_address_that_can_not_be_used_is_refused(url):
    with pytest.raises(ValueError, match=r"address|host|blank"):
        http.split_url(url)


def test_addresses_are_taken_apart():
    assert http.split_url("http://[::1]:80/a?b") == ("::1", 80, "/a?b")
    assert http.split_url("http://host") == ("host", 80, "/")
