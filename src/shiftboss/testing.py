"""A ready stack for the tests of whatever talks to it: `ready_stack`, and with pytest the fixture `mining_stack`.

For people who develop pools, miners and wallets; nothing in shiftboss imports it. Switched on in a conftest.py by
`pytest_plugins = ["shiftboss.testing"]`. The calls are plain functions that wait: they are not for use inside a running
event loop. Imports what drives a stack only when one is made, so that it costs a test run nothing otherwise.
"""

import asyncio
import json
import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from shiftboss.app import Session
    from shiftboss.control import Result
    from shiftboss.model.run import Goal

QUIET: Mapping[str, object] = {"miner.block_interval": "off", "pool.share_difficulty": "0.000001"}
"""What a test's stack has unless asked otherwise: blocks come when the test makes them, and the proof takes no luck."""


class NotReady(Exception):
    """The stack could not be brought to where it should be; the text is the report."""


class MiningStack:
    """A running stack: daemon with a funded wallet, pool and miner, in a folder and on ports of its own."""

    def __init__(self, home: Path, sets: Sequence[str]) -> None:
        from shiftboss.app import Request, open_session

        self.home = home  #: the working directory
        self.session: Session = open_session(Request(workdir=home, sets=sets, environments=["regtest"]))

    @property
    def endpoints(self) -> dict[str, Any]:
        """Where it is reached now: rpc, rpc_cookie_file, wallet, address, stratum, pool_status."""
        bench = self.session.benches["regtest"]
        return dict(asyncio.run(_awaited(self.session.pack.endpoints(bench))))

    @property
    def environ(self) -> dict[str, str]:
        """The endpoints as environment variables, e.g. SHIFTBOSS_RPC, for programs that a test starts."""
        from shiftboss.frontends.exports import variables

        return variables({"regtest": self.endpoints})

    def rpc(self, method: str, *params: object, wallet: bool = False) -> Any:
        """Call the daemon, or its wallet; the result.

        Raises:
            shiftboss.system.rpc.RpcFailure: it refused, or could not be asked.
        """
        from shiftboss.system.rpc import Rpc

        where = self.endpoints
        client = Rpc(where["rpc"], Path(where["rpc_cookie_file"]), wallet=where["wallet"] if wallet else None)
        return asyncio.run(client.call(method, *params))

    def mine(self, blocks: int = 1) -> Mapping[str, object]:
        """Make blocks at once; what came of it, as `shiftboss mine` says it."""
        return self._act("mine", blocks)

    def reorg(self, blocks: int = 1) -> Mapping[str, object]:
        """Replace the newest blocks by one more."""
        return self._act("reorg", blocks)

    def send(self, payments: int = 1) -> Mapping[str, object]:
        """Put payments into the mempool."""
        return self._act("send", payments)

    def logs(self, component: str) -> str:
        """What a component has written (daemon, pool, miner)."""
        from shiftboss.looking import log_of

        path = log_of(self.session, component)
        return path.read_text(errors="replace") if path.exists() else ""

    def restart(self, *components: str) -> None:
        """Replace running parts, and what depends on them.

        Raises:
            NotReady: they are not ready again.
        """
        from shiftboss.control import restart_goal

        self._reach(asyncio.run(restart_goal(self.session, components)))

    def up(self) -> None:
        """Bring up what is missing, e.g. what a test has killed; does nothing when all is ready.

        Raises:
            NotReady: it did not come up.
        """
        from shiftboss.model.run import Goal

        self._reach(Goal())

    def down(self) -> None:
        """Stop everything; the data stays in the folder."""
        from shiftboss.model.run import Goal, Want

        self._reach(Goal(want=Want.DOWN))

    def _act(self, name: str, number: int) -> Mapping[str, object]:
        from shiftboss.acting import act

        return asyncio.run(act(self.session, name, number))["regtest"]

    def _reach(self, goal: "Goal") -> None:
        from shiftboss.control import run_goal
        from shiftboss.model.run import Ending

        result = asyncio.run(run_goal(self.session, goal))
        if result.view.ending is not Ending.CONVERGED:
            raise NotReady(_report(self.home, result))


@contextmanager
def ready_stack(home: Path, settings: Mapping[str, object] | None = None) -> Generator[MiningStack]:
    """A stack in a folder of its own, ready; stopped at the end, whatever happened. For other test runners.

    `settings` are those of docs/how-to/settings.md, e.g. {"miner.block_interval": 5}. Ports that are not set are free
    ones; one that is taken meanwhile moves by itself.

    Raises:
        NotReady: it did not come up.
    """
    from shiftboss.chaos.real_stack import own_ports
    from shiftboss.system.files import ensure_private_folder

    wanted = [f"{key}={_written(value)}" for key, value in {**QUIET, **(settings or {})}.items()]
    stack = MiningStack(ensure_private_folder(home), [*own_ports(), *wanted])
    try:
        stack.up()
        yield stack
    finally:
        stack.down()
        shutil.rmtree(home / "prefix", ignore_errors=True)  # the fetched program: large, and in the cache


@pytest.fixture(scope="session")
def mining_settings() -> Mapping[str, object]:
    """The settings of `mining_stack`; a conftest.py may define its own."""
    return {}


@pytest.fixture(scope="session")
def mining_stack(
    tmp_path_factory: pytest.TempPathFactory, mining_settings: Mapping[str, object]
) -> Generator[MiningStack]:
    """A ready stack, one for all tests of a process: daemon, funded wallet, pool, miner, and a proven block."""
    with ready_stack(tmp_path_factory.mktemp("shiftboss"), mining_settings) as stack:
        yield stack


async def _awaited(found: Any) -> Any:
    return await found


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str).strip('"')


def _report(home: Path, result: "Result") -> str:
    from shiftboss.frontends.report_text import text_lines

    reports = [one.report for one in result.view.endings.values() if one.report]
    text = "\n".join(line for report in reports for line in text_lines(report))
    return f"The stack in {home} ended {result.view.ending}.\n{text}"
