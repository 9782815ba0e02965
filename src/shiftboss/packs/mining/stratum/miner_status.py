"""The miner's status file: what probes read to see how it goes. Replaced as a whole, so never seen half-written."""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shiftboss.packs.mining.stratum.client import PoolClient
from shiftboss.packs.mining.stratum.miner_config import MinerConfig

LEAST_GAP = 0.1  #: seconds between two writes, so that a fast miner does not wear the disk


class StatusFile:
    """Writes the status shortly after each change."""

    def __init__(self, config: MinerConfig, clients: Sequence[PoolClient]) -> None:
        self._config = config
        self._clients = clients
        self._started = time.time()
        self._dirty = asyncio.Event()
        self._dirty.set()

    def touch(self) -> None:
        """Something has changed."""
        self._dirty.set()

    async def run(self) -> None:
        """Write on changes until cancelled."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            self.write()
            await asyncio.sleep(LEAST_GAP)

    def write(self) -> None:
        """Write the status now, if a file is configured."""
        path = self._config.status_file
        if path is not None:
            _replace(path, json.dumps(self.facts()) + "\n")

    def facts(self) -> dict[str, Any]:
        """The document: sums over all workers, then each worker."""
        every = [client.facts for client in self._clients]
        newest = max(every, key=lambda facts: facts.job_time or 0.0)
        return {
            "pid": os.getpid(),
            "started": self._started,
            "written": time.time(),
            "threads": self._config.threads,
            "block_interval": "off" if self._config.block_interval is None else self._config.block_interval,
            "connected": all(facts.connected for facts in every),
            "authorized": all(facts.authorized for facts in every),
            "job_id": newest.job_id,
            "job_time": newest.job_time,
            "accepted": sum(facts.accepted for facts in every),
            "rejected": sum(facts.rejected for facts in every),
            "stale": sum(facts.stale for facts in every),
            "last_share": max(facts.last_share or 0.0 for facts in every) or None,
            "last_error": next((facts.last_error for facts in every if facts.last_error), None),
            "workers": {client.worker: vars(client.facts) for client in self._clients},
        }


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)  # a full disk must not stop the mining; the old status grows stale and says so
