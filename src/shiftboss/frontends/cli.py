"""temporary."""
import asyncio
import json
import sys
from pathlib import Path


def main():
    from shiftboss import control
    from shiftboss.app import Request, open_session
    from shiftboss.model.run import Goal, Want
    cmd = sys.argv[1]
    wd = Path(sys.argv[2])
    pipeline = None
    sets = sys.argv[3:]
    if sets and sets[0].startswith("pipeline="):
        pipeline = sets.pop(0).split("=")[1]
    s = open_session(Request(workdir=wd, sets=sets, pipeline=pipeline))
    def show(r):
        print(r.event)
    res = asyncio.run(control.run_goal(s, Goal(want=Want(cmd)), listener=show))
    print(res.view.ending, res.view.mutations, json.dumps(res.proof))
