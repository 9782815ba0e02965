"""A hub over the demo stack as a process of its own, which kills itself right after a chosen event is durable.

    python hub_program.py HOME up|resume KIND NTH [KEY=VALUE...]

With NTH 0 it lives. The last arguments are settings. Prints the ending.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from demo.stack import session
from shiftboss import control
from shiftboss.model.events import Recorded, kind_of
from shiftboss.model.run import Goal


def main() -> None:
    home, verb, kind, nth, *sets = sys.argv[1:]
    left = int(nth)

    def die(record: Recorded) -> None:
        nonlocal left
        left -= kind_of(record.event) == kind
        if left == 0 and kind_of(record.event) == kind:
            os.kill(os.getpid(), signal.SIGKILL)

    opened = session(Path(home), sets=sets)
    work = control.resume(opened, listener=die) if verb == "resume" else control.run_goal(opened, Goal(), listener=die)
    print(asyncio.run(work).view.ending)


main()
