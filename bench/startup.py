"""How long a command takes that has nothing to do: whole processes, as a user or a script starts them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable

import real
from measure import Figure, interleaved, ratio, seconds
from stacks import Stack

CURL_CHECKS = """\
#!/bin/sh
# The same questions, by hand: daemon, wallet, pool on the daemon's tip, processes alive, files there, proof there.
set -e
rpc() {
  curl -sf --user "$(cat "$COOKIE")" --data "{\\"method\\":\\"$2\\",\\"params\\":[]}" "http://127.0.0.1:$RPC_PORT/$1"
}
rpc "" getblockchaininfo >/dev/null
tip=$(rpc "" getbestblockhash | cut -d'"' -f4)
rpc wallet/shiftboss getwalletinfo >/dev/null
rpc wallet/shiftboss getbalances >/dev/null
curl -sf "http://127.0.0.1:$STATUS_PORT/status" | grep -q "$tip"
for part in daemon pool miner; do
  kill -0 "$(sed 's/.*"pid": \\([0-9]*\\).*/\\1/' "$FOLDER/run/$part.pid")"
done
for file in daemon/bitcoin.conf pool/pool.json miner/miner.json proof.json; do test -s "$FOLDER/$file"; done
"""


def measure(*, quick: bool) -> list[Figure]:
    """All figures, interleaved on one ready stack."""
    program = real.bitcoind()
    with real.folder() as folder, real.stack(folder / "work") as made:
        made.settings["daemon.binary"] = program
        made.settings["miner.block_interval"] = 3600  # its blocks would disturb
        made.up()
        subjects: dict[str, Callable[[], float]] = {
            "python": lambda: _whole([sys.executable, "-c", "pass"]),
            "version": lambda: _whole([real.SHIFTBOSS, "--version"]),
            "up": lambda: _whole(real.as_installed(made, "up", "mining", "--json")),
            "status": lambda: _whole(real.as_installed(made, "status", "--json")),
        }
        if shutil.which("curl"):
            script = folder / "checks.sh"
            script.write_text(CURL_CHECKS)
            subjects["curl"] = lambda: _whole(["sh", str(script)], _variables(made))
        interleaved(subjects, 1)  # the first round writes bytecode and fills the page cache
        values = interleaved(subjects, 10 if quick else 25)
        _nothing_was_done(made)
    return _figures(values)


def _whole(command: list[str], more: dict[str, str] | None = None) -> float:
    """Seconds of one process from start to end.

    Raises:
        RuntimeError: it failed.
    """
    result: list[subprocess.CompletedProcess[bytes]] = []
    passed = seconds(
        lambda: result.append(
            subprocess.run(command, env={**os.environ, **(more or {})}, capture_output=True, timeout=60, check=False)
        )
    )
    if result[0].returncode:
        raise RuntimeError(f"{command} ended with {result[0].returncode}: {result[0].stderr.decode()[-500:]}")
    return passed


def _variables(made: Stack) -> dict[str, str]:
    return {
        "COOKIE": str(made.folder / "daemon" / "regtest" / ".cookie"),
        "RPC_PORT": str(made.ports["rpc"]),
        "STATUS_PORT": str(made.ports["pool_status"]),
        "FOLDER": str(made.folder),
    }


def _nothing_was_done(made: Stack) -> None:
    document = made.up()
    if document["mutations"] or document["delegations"]:
        raise RuntimeError(f"`up` on a ready stack did something: {document['delegations']}")


def _figures(values: dict[str, list[float]]) -> list[Figure]:
    figures = [
        Figure(name="python -c pass", unit="s", values=values["python"]),
        Figure(name="shiftboss --version", unit="s", values=values["version"], at_most=0.1),
        Figure(name="up on a ready stack (0 mutations)", unit="s", values=values["up"], at_most=0.25),
        Figure(name="status on a ready stack", unit="s", values=values["status"]),
    ]
    if "curl" in values:
        figures.append(Figure(name="the same checks by curl in a shell script", unit="s", values=values["curl"]))
        figures.append(ratio("up / curl script", values["up"], values["curl"]))
    return figures
