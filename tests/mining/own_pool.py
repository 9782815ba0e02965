"""A stand-in for a user's own pool: a program started by a command line of its own, without our status port."""

import json
import os
import sys
import tempfile
from pathlib import Path

from helpers import free_ports

rpc, cookie, port, address = sys.argv[1:5]
config = Path(tempfile.mkdtemp(prefix="own-pool-")) / "pool.json"
config.write_text(
    json.dumps(
        {
            "rpc": {"url": rpc, "cookie_file": cookie},
            "stratum": {"port": int(port)},
            "status": {"port": free_ports(1)[0]},
            "share_difficulty": 0.00001,
        }
    )
)
module = "shiftboss.packs.mining.stratum.pool"
os.execv(sys.executable, [sys.executable, "-m", module, "--config", str(config), "--address", address])
