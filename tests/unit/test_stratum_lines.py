"""Framing, log lines, pacing: the small pure parts around the pool and the miner."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiftboss.packs.mining.stratum.dispatch import REFUSED_PAUSE, Pace
from shiftboss.packs.mining.stratum.log import Log
from shiftboss.packs.mining.stratum.protocol import BadLine, LineBuffer, error_line, read_request, result_line


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), max_size=8), st.data())
def test_lines_come_out_whole_however_the_bytes_are_cut(lines, data):
    stream = b"".join(line + b"\n" for line in lines) + b"rest"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    buffer = LineBuffer()
    assert [line for piece in pieces for line in buffer.feed(piece)] == lines
    assert buffer.partial


@pytest.mark.parametrize("stream", [b"x" * 11, b"x" * 11 + b"\n", b"ok\n" + b"y" * 11])
def test_a_long_line_is_refused_ended_or_not(stream):
    with pytest.raises(BadLine, match="longer than 10"):
        LineBuffer(10).feed(stream)


def test_a_request_is_read():
    request = read_request(b'{"id":"a","method":"m","params":[1]}\r')
    assert (request.id, request.method, request.params) == ("a", "m", [1])
    assert read_request(b'{"id":1,"method":"m"}').params == []


@pytest.mark.parametrize("line", [b"", b"  \r", b'{"id":1,"result":true,"error":null}'])
def test_what_needs_no_reply_is_passed_over(line):
    assert read_request(line) is None


@pytest.mark.parametrize(
    "line",
    [b"x", b"\xff", b"[]", b"{}", b'{"method":1}', b'{"method":"m","params":{}}', b"[" * 9000, b"1" * 9000],
)
def test_anything_else_is_a_bad_line(line):
    with pytest.raises(BadLine):
        read_request(line)


def test_answers():
    assert json.loads(result_line(1, result=True)) == {"id": 1, "result": True, "error": None}
    assert json.loads(error_line("x", 21, "stale"))["error"] == [21, "stale", None]


def test_a_log_line_is_one_json_object_and_low_levels_are_left_out():
    stream = io.StringIO()
    log = Log("info", stream)
    log.debug("not this")
    log.info("a thing\nhappened", n=1)
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line).items() >= {"level": "info", "event": "a thing\nhappened", "n": 1}.items()


def test_a_log_nobody_reads_is_given_up_in_silence():
    stream = io.StringIO()
    stream.close()
    log = Log("debug", stream)
    log.info("lost")
    assert not log.debugging


def test_a_paced_miner_has_one_share_on_its_way_and_then_rests():
    pace = Pace(interval=30.0)
    assert pace.open(0)
    pace.hand_in()
    assert not pace.open(1)
    assert pace.settle(accepted=True, now=2.0) == 30.0
    assert not pace.open(31.9)
    assert pace.open(32.0)
    pace.hand_in()
    assert pace.settle(accepted=False, now=33.0) == REFUSED_PAUSE


@pytest.mark.parametrize("asked_for", [False, True])
def test_a_share_that_is_no_block_is_followed_by_the_next_until_there_is_one(asked_for):
    pace = Pace(interval=None if asked_for else 30.0)
    if asked_for:
        pace.grant()
    for second in range(3):
        assert pace.open(second)
        pace.hand_in()
        assert pace.settle(accepted=True, now=second, block=False) == 0.0
    pace.hand_in()
    pace.settle(accepted=True, now=4.0)
    assert not pace.open(5.0)


@pytest.mark.parametrize("interval", [30.0, None])
def test_a_block_asked_for_out_of_turn_is_one_block(interval):
    pace = Pace(interval=interval, next_at=100.0)
    assert not pace.open(1)
    pace.grant()
    assert pace.open(1)
    pace.hand_in()
    assert pace.settle(accepted=False, now=1.0) == REFUSED_PAUSE
    assert not pace.open(1.5), "a pool that refuses is not stormed"
    assert pace.open(2.0)
    pace.hand_in()
    pace.settle(accepted=True, now=3.0)
    assert not pace.open(4)


def test_an_unpaced_miner_never_rests_and_an_idle_one_never_starts():
    fast = Pace(interval=0.0)
    fast.hand_in()
    assert fast.open(0)
    assert fast.settle(accepted=False, now=0.0) == 0.0
    assert fast.open(0)
    assert not Pace(interval=None).open(1e9)
