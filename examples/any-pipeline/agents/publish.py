"""Stands for publishing: answers with a JSON object, and says what the checker told it."""

import json
import os

order = json.loads(os.environ["SHIFTBOSS_ORDER"])
said = order["inputs"].get("check", "")
print(json.dumps({"decision": "published", "summary": "it is out", "changes": ["published it"], "output": said}))
