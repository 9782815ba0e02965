"""Stands for a check: content with the second build. It answers in words, as a chat would."""

import json
import sys
from pathlib import Path

built = json.loads((Path(sys.argv[1]) / "release.json").read_text())["built"]
print(f"I have looked at the release; it was built {built} times.")
print(f"**DECISION: {'good' if built > 1 else 'again'}**")
print(f"REASONING: {'the second build is reproducible' if built > 1 else 'one build proves nothing'}")
