"""A miner whose every share is refused, for the fault `miner_all_rejected`; run as a program.

It writes the status file of our miner, logs in as any miner does, and then hands in shares that meet no target. Never
started except by that fault.
"""

import argparse
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

PAUSE = 0.02
WORKER = "shiftboss.1"


def main() -> int:
    """Hand in bad shares until ended."""
    parser = argparse.ArgumentParser(description="A miner whose shares are all refused.")
    for name in ("--stratum", "--status-file", "--token"):
        parser.add_argument(name, required=True)
    given = parser.parse_args()
    host, _, port = given.stratum.rpartition(":")
    while True:
        try:
            _work(host, int(port), Path(given.status_file))
        except OSError:
            time.sleep(1)


def _work(host: str, port: int, status: Path) -> None:
    with socket.create_connection((host, port), timeout=10) as wire, wire.makefile("rw", encoding="utf-8") as lines:
        job, rejected = "", 0
        _send(lines, 1, "mining.subscribe", ["bad-miner"])
        _send(lines, 2, "mining.authorize", [WORKER, "x"])
        for number, line in enumerate(lines):
            message: dict[str, Any] = json.loads(line)
            if message.get("method") == "mining.notify":
                job = message["params"][0]
            elif message.get("id", 0) and message["id"] > 2 and message.get("error"):
                rejected += 1
                _tell(status, job, rejected, str(message["error"]))
                time.sleep(PAUSE)
            if job and (message.get("id") or number < 6):
                _send(lines, 10 + rejected, "mining.submit", [WORKER, job, "00000000", "00000000", f"{rejected:08x}"])


def _send(lines: Any, number: int, method: str, params: list[str]) -> None:
    lines.write(json.dumps({"id": number, "method": method, "params": params}) + "\n")
    lines.flush()


def _tell(path: Path, job: str, rejected: int, error: str) -> None:
    facts = {"pid": os.getpid(), "authorized": True, "job_id": job, "accepted": 0, "rejected": rejected}
    temporary = path.with_suffix(".bad")
    temporary.write_text(json.dumps({**facts, "last_error": error}))
    temporary.replace(path)


if __name__ == "__main__":
    sys.exit(main())
