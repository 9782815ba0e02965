"""Records pool and chain figures: probe and handler of the component `monitoring`, and the recorder program itself.

The hub calls `probe` and `handle` (named in monitoring_manager.json); `handle` starts this very file as a process.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from shiftboss.errors import Failed
from shiftboss.model.failure import FailureKind
from shiftboss.model.move import Delegation, Mode
from shiftboss.model.observation import Health, Observation
from shiftboss.model.outcome import Outcome, done
from shiftboss.packs.mining.layout import CONFIG_MARK, age, digest, log_file, observed, outdated
from shiftboss.packs.mining.pack import endpoints
from shiftboss.system import http
from shiftboss.system.files import read_text_tail
from shiftboss.system.rpc import Rpc, RpcFailure
from shiftboss.system.workbench import Workbench

NAME = "monitoring"
PROGRAM = str(Path(__file__).resolve())
FRESH_SECONDS, START_SECONDS, STOP_SECONDS = 5.0, 10.0, 5.0


def records(bench: Workbench) -> Path:
    """Where the figures are: one JSON object a line."""
    return bench.environment.folder / "monitoring.jsonl"


async def command(bench: Workbench) -> list[str]:
    """How the recorder is started; it changes when a port moves."""
    found = await endpoints(bench)
    where = [str(found["rpc"]), str(found["rpc_cookie_file"]), str(found.get("pool_status", ""))]
    return [sys.executable, PROGRAM, str(records(bench)), *where]


async def probe(bench: Workbench) -> Observation:
    """READY when our recorder lives and its newest record is younger than 5 s."""
    running = bench.processes.find(NAME)
    if running is None:
        return observed(bench, NAME, Health.ABSENT, "nothing is being recorded")
    more: dict[str, Any] = {"instance": running.identity}
    more["evidence"] = {"pid": running.pid, "file": str(records(bench))}
    seconds = bench.clock.now() - newest(records(bench)).get("at", 0.0)
    if outdated(running, digest(json.dumps(await command(bench)))):
        return observed(bench, NAME, Health.BROKEN, "the recorder asks at older endpoints", **more)
    if seconds < FRESH_SECONDS:
        summary = f"process {running.pid} records pool and chain"
        return observed(bench, NAME, Health.READY, summary, measures={"record_age": seconds}, **more)
    # No `failure` is named: no strategy treats this component, so the handler itself is to mend it.
    health = Health.STARTING if age(running) < START_SECONDS else Health.BROKEN
    return observed(bench, NAME, health, "the recorder lives, but has written nothing for 5 s", **more)


def newest(path: Path) -> dict[str, Any]:
    """The last record; empty when there is none."""
    lines = read_text_tail(path, 20_000).splitlines()
    return json.loads(lines[-1]) if lines and lines[-1].endswith("}") else {}


async def handle(order: Delegation, bench: Workbench) -> Outcome:
    """Start the recorder and wait for its first record, or stop it."""
    changes: list[str] = []
    wanted = order.mode is not Mode.REMOVE
    seen = await probe(bench)
    if wanted and seen.health is Health.READY and order.mode is not Mode.FORCE:
        return done("the recorder runs already")
    if await bench.processes.stop(NAME, grace=STOP_SECONDS, clock=bench.clock):
        changes.append("stopped the recorder")
    if not wanted:
        return done("nothing is being recorded", *changes)
    argv = await command(bench)
    started = await bench.processes.spawn(
        NAME,
        argv,
        run=bench.run,
        delegation=bench.delegation,
        log=log_file(bench, NAME),
        cwd=bench.environment.folder,
        env={CONFIG_MARK: digest(json.dumps(argv))},
    )
    changes.append(f"started the recorder (process {started.pid})")
    await _until_ready(bench)
    return done("pool and chain are being recorded", *changes, pid=started.pid)


async def _until_ready(bench: Workbench) -> None:
    end = bench.clock.monotonic() + START_SECONDS
    while (await probe(bench)).health is not Health.READY:
        if bench.processes.find(NAME) is None or bench.clock.monotonic() > end:
            said = read_text_tail(log_file(bench, NAME), 300).strip()
            raise Failed(FailureKind.TIMEOUT, f"the recorder writes nothing: {said or 'it does not say why'}")
        await bench.clock.sleep(0.05)


async def look(rpc: Rpc, pool_status: str) -> dict[str, Any]:
    """One record. What can't be asked is in it as an error: that, too, is worth knowing later."""
    record: dict[str, Any] = {"at": time.time()}
    try:
        chain = await rpc.call("getblockchaininfo")
        record["chain"] = {name: chain[name] for name in ("blocks", "bestblockhash", "difficulty")}
        if pool_status:
            told = json.loads((await http.request("GET", pool_status, timeout=2.0)).body)
            record["pool"] = {name: told[name] for name in ("ok", "connections", "shares", "blocks_found")}
    except (RpcFailure, http.HttpError, ValueError, KeyError) as error:
        record["error"] = f"{type(error).__name__}: {error}"
    return record


async def record_for_ever(file: Path, rpc: Rpc, pool_status: str) -> None:
    """Append a record every second until the process is ended."""
    while True:
        line = json.dumps(await look(rpc, pool_status))
        with file.open("a") as out:
            out.write(line + "\n")
        await asyncio.sleep(1)


if __name__ == "__main__":
    target, url, cookie, status = sys.argv[1:]
    asyncio.run(record_for_ever(Path(target), Rpc(url, Path(cookie), timeout=2.0), status))
