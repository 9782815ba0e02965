"""Our own parts in the hands of a fault: found, asked, ended from outside, or started with something wrong.

A part that a fault ends is ended as somebody else would do it, by a signal and without telling shiftboss, so that the
hub has to find out by itself.
"""

import asyncio
import signal
from collections.abc import Sequence
from typing import Any

from shiftboss.errors import Refused
from shiftboss.packs.mining import daemon, miner, pool
from shiftboss.packs.mining.binaries import daemon_program
from shiftboss.packs.mining.faults.foreign import send, until
from shiftboss.packs.mining.layout import CONFIG_MARK, DAEMON, MINER, POOL, log_file, rpc
from shiftboss.system.instance import Instance, alive
from shiftboss.system.rpc import RpcFailure
from shiftboss.system.workbench import Workbench

STARTED_AS = {
    DAEMON: daemon._started_as,  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - a wrong part must look like ours
    POOL: pool._started_as,  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as above
    MINER: miner._started_as,  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as above
}


def part(bench: Workbench, component: str) -> Instance:
    """The running process of a part of ours.

    Raises:
        Refused: it does not run as ours.
    """
    found = bench.processes.find(component)
    if found is None:
        raise Refused(f"The {component} does not run as ours here. Bring the stack up first with `shiftboss up`.")
    return found


def end(bench: Workbench, component: str, number: signal.Signals = signal.SIGTERM) -> Instance:
    """End a part from outside and wait until it is gone; its pid file stays, as after an accident."""
    instance = part(bench, component)
    send(instance, number)
    until(lambda: not alive(instance), f"the end of the {component}", 60.0)
    return instance


def must_be_down(bench: Workbench, component: str) -> None:
    """Refuse where a part runs that must not.

    Raises:
        Refused: it runs.
    """
    if bench.processes.find(component) is not None:
        raise Refused(f"This fault is for a stopped stack, and the {component} runs. Use `shiftboss down` first.")


def ask(bench: Workbench, method: str, *params: Any, wallet: str | None = None) -> Any:
    """Call the daemon.

    Raises:
        Refused: it does not answer as it should.
    """
    try:
        return asyncio.run(rpc(bench, wallet, timeout=30.0).call(method, *params))
    except RpcFailure as error:
        raise Refused(f"The daemon does not do its part for this fault: {method}: {error}.") from error


def replace(bench: Workbench, component: str, argv: Sequence[str]) -> Instance:
    """Stop a part of ours and run another command in its place that looks exactly like it."""
    asyncio.run(bench.processes.stop(component, grace=10.0, clock=bench.clock))
    return asyncio.run(
        bench.processes.spawn(
            component,
            argv,
            run=bench.run,
            delegation=bench.delegation,
            log=log_file(bench, component),
            cwd=bench.environment.folder,
            env={CONFIG_MARK: STARTED_AS[component](bench)},
        )
    )


def program(bench: Workbench) -> str:
    """The daemon's program.

    Raises:
        Refused: none is known.
    """
    found = daemon_program(bench)
    if found is None:
        raise Refused("No daemon program is known here yet. Run `shiftboss up daemon.binary` first.")
    return str(found)
