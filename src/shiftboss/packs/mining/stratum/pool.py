"""`shiftboss-pool`: a solo Stratum v1 pool in front of one bitcoind.

Started by the pool's handler, or by hand. Follow one share: `session` reads it, `share` judges it, `floor` hands a
block to the daemon, `source` fetches the next template, `floor` sends the next job.
Exit codes: 0 stopped, 1 a port is taken, 2 the configuration or the payout address is unusable.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from shiftboss.packs.mining.stratum import program
from shiftboss.packs.mining.stratum.config import PoolConfig, load
from shiftboss.packs.mining.stratum.floor import Floor
from shiftboss.packs.mining.stratum.log import Log
from shiftboss.packs.mining.stratum.session import Session
from shiftboss.packs.mining.stratum.source import NobodyToPay
from shiftboss.packs.mining.stratum.status import MAX_HEAD, StatusPage

NAME = "shiftboss-pool"


class PortTaken(Exception):
    """A port of ours can't be listened on."""


def main() -> None:
    """Entry point of the program."""
    sys.exit(program.run_main(NAME, _main))


async def _main(arguments: Sequence[str]) -> int:
    config = _read_arguments(arguments)
    log = Log(config.log_level)
    try:
        await serve(config, log, program.stop_event())
    except PortTaken as error:
        log.fatal("pool can't listen", why=str(error))
        return program.FAILED
    except NobodyToPay as error:
        log.fatal("payout address unusable", why=str(error))
        return program.BAD_INPUT
    return program.OK


async def serve(config: PoolConfig, log: Log, stop: asyncio.Event) -> None:
    """Run the pool until `stop` is set.

    Raises:
        PortTaken: a port can't be listened on.
        NobodyToPay: the daemon does not know the payout address.
    """
    floor = Floor(config, log)
    page = StatusPage(floor)
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        with _naming("stratum", config.stratum):
            stratum = await loop.create_server(lambda: Session(floor), *config.stratum, backlog=1024)
        stack.callback(stratum.close)
        with _naming("status", config.status):
            status = await asyncio.start_server(page.serve, *config.status, limit=MAX_HEAD)
        stack.callback(status.close)
        stack.push_async_callback(floor.close)
        log.info("pool listens", pid=os.getpid(), stratum=_at(stratum), status=_at(status))
        await program.until(stop, _mine(floor), floor.sweep())
        log.info("pool stops")


async def _mine(floor: Floor) -> None:
    floor.pay_to(await floor.source.prepare())
    await floor.source.run()


@contextmanager
def _naming(what: str, at: tuple[str, int]) -> Generator[None]:
    """Turn trouble with listening into one clear line."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise PortTaken(f"the {what} port {at[0]}:{at[1]} can't be used: {reason}") from None


def _at(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()[:2]
    return f"{host}:{port}"


def _read_arguments(arguments: Sequence[str]) -> PoolConfig:
    parser = argparse.ArgumentParser(prog=NAME, description="A solo Stratum v1 pool in front of one bitcoind.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="JSON configuration")
    parser.add_argument("--address", help="who is paid; goes before the configuration's payout.address")
    given = parser.parse_args(arguments)
    return load(given.config, given.address)


if __name__ == "__main__":
    main()
