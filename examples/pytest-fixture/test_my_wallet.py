"""Tests of something that talks to a daemon and a pool; the stack is ready when the first of them begins."""

import socket

from shiftboss.testing import MiningStack


def test_block(mining_stack: MiningStack) -> None:
    """Nothing mines by itself, so heights are the test's own."""
    before = mining_stack.rpc("getblockcount")
    mining_stack.mine(1)
    assert mining_stack.rpc("getblockcount") == before + 1
    assert mining_stack.rpc("getbalance", wallet=True) > 0


def test_payments(mining_stack: MiningStack) -> None:
    """Payments wait in the mempool until there is a block."""
    mining_stack.send(2)
    assert len(mining_stack.rpc("getrawmempool")) == 2
    mining_stack.mine(1)
    assert mining_stack.rpc("getrawmempool") == []


def test_reorganisation(mining_stack: MiningStack) -> None:
    """The newest two blocks are replaced by three."""
    height, tip = mining_stack.rpc("getblockcount"), mining_stack.rpc("getbestblockhash")
    mining_stack.reorg(2)
    assert mining_stack.rpc("getblockcount") == height + 1
    assert mining_stack.rpc("getbestblockhash") != tip


def test_restart(mining_stack: MiningStack) -> None:
    """The pool serves again after a restart."""
    mining_stack.restart("pool")
    host, _, port = mining_stack.endpoints["stratum"].rpartition(":")
    socket.create_connection((host, int(port)), timeout=5).close()
    assert mining_stack.logs("pool")
