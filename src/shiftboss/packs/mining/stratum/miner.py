"""`shiftboss-miner`: a Stratum v1 miner in pure Python that paces itself.

Started by the miner's handler, or by hand. Follow one share: `client` receives a job, `dispatch` gives it to a
lane, `lanes` hash it, `dispatch` hands the nonce back to `client`. The status file tells probes how it goes.
SIGUSR1 asks for one block now, whatever the pause. Exit codes: 0 stopped, 2 the configuration is unusable.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from shiftboss.packs.mining.stratum import program
from shiftboss.packs.mining.stratum.client import PoolClient
from shiftboss.packs.mining.stratum.dispatch import Dispatcher, Pace
from shiftboss.packs.mining.stratum.log import Log
from shiftboss.packs.mining.stratum.miner_config import MinerConfig, load
from shiftboss.packs.mining.stratum.miner_status import StatusFile

NAME = "shiftboss-miner"


def main() -> None:
    """Entry point of the program."""
    sys.exit(program.run_main(NAME, _main))


async def _main(arguments: Sequence[str]) -> int:
    config = load(NAME, arguments)
    await mine(config, Log(config.log_level), program.stop_event())
    return program.OK


async def mine(config: MinerConfig, log: Log, stop: asyncio.Event) -> None:
    """Mine until `stop` is set."""
    dispatcher: Dispatcher
    status: StatusFile

    def changed() -> None:
        status.touch()
        dispatcher.review()

    at = (config.host, config.port)
    clients = [PoolClient(at, worker, log, changed) for worker in config.workers]
    dispatcher = Dispatcher(clients=clients, pace=Pace(interval=config.block_interval), changed=changed)
    status = StatusFile(config, clients)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, dispatcher.hurry)
    lanes = dispatcher.hire(config.threads)
    log.info("miner starts", pid=os.getpid(), pool=f"{config.host}:{config.port}", threads=len(lanes))
    works = [*(client.run() for client in clients), *(lane.run() for lane in lanes), status.run()]
    await program.until(stop, *works)
    status.write()
    log.info("miner stops")


if __name__ == "__main__":
    main()
