"""Stands for a build: writes the release's name, and how often it was built, into the environment's folder."""

import json
import os
import sys
from pathlib import Path

order = json.loads(os.environ["SHIFTBOSS_ORDER"])
release = Path(sys.argv[1]) / "release.json"
built = json.loads(release.read_text())["built"] if release.exists() else 0
release.write_text(json.dumps({"asked": order["prompt"], "built": built + 1}))
print(f"built it {built + 1} times: {order['prompt']}")
