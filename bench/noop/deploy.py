"""The checks as a pyinfra deploy: facts are asked of the host, and what is not as it should be fails the deploy.

Run by bench/noop.py with pyinfra's own Python, as `pyinfra -y @local deploy.py --data NAME=VALUE...`.
"""

import json
import shlex

from pyinfra import host
from pyinfra.api import OperationError
from pyinfra.facts.files import File, FileContents
from pyinfra.facts.server import Command, Processes

FOLDER, COOKIE = host.data.get("folder"), host.data.get("cookie")
RPC, STATUS = host.data.get("rpc_port"), host.data.get("status_port")
CONFIGURATIONS = ("daemon/bitcoin.conf", "pool/pool.json", "miner/miner.json")


def must(right: bool, what: str) -> None:
    if not right:
        raise OperationError(what)


def contents(name: str) -> dict:
    return json.loads("\n".join(host.get_fact(FileContents, path=f"{FOLDER}/{name}")))


def rpc(path: str, method: str, *params: str) -> dict:
    order = shlex.quote(json.dumps({"method": method, "params": params}))
    address = f"http://127.0.0.1:{RPC}/{path}"
    answer = host.get_fact(Command, command=f'curl -sf --user "$(cat {COOKIE})" --data {order} {address}')
    return json.loads(answer)["result"]


chain = rpc("", "getblockchaininfo")
must(chain["chain"] == "regtest", "the daemon is on another chain")
must(rpc("wallet/shiftboss", "getbalances")["mine"]["trusted"] > 0, "the wallet has no mature coins")

status = json.loads(host.get_fact(Command, command=f"curl -sf http://127.0.0.1:{STATUS}/status"))
must(status["ok"] and status["tip"] == chain["bestblockhash"], "the pool is not on the daemon's tip")

for part in ("daemon", "pool", "miner"):
    pid = contents(f"run/{part}.pid")["pid"]
    must(pid in host.get_fact(Processes, pid=pid), f"the {part} does not run")

for name in CONFIGURATIONS:
    found = host.get_fact(File, path=f"{FOLDER}/{name}")
    must(bool(found and found["size"]), f"{name} is not there")

block = contents("proof.json")["block_hash"]
must(rpc("", "getblockheader", block)["confirmations"] > 0, "the proven block has left the best chain")
