"""run, exec: any pipeline with whatever agents it names, as a command or as a block that a chat has written."""

import json
import sys
from pathlib import Path
from typing import Any, cast

from shiftboss import control
from shiftboss.app import Session
from shiftboss.choosing import session_for
from shiftboss.errors import BadInput
from shiftboss.frontends import verbs_run
from shiftboss.frontends.arguments import Call, wrong
from shiftboss.frontends.plain import PlainScreen
from shiftboss.frontends.session import request_of
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.pipeline import PipelineKind
from shiftboss.model.run import Goal
from shiftboss.wishing import goal_of_prompt

OPEN, CLOSE = "[PIPELINE-EXECUTE]", "[/PIPELINE-EXECUTE]"
LONGEST = 1_000_000
KEYS = {"pipelineName": True, "userPrompt": False, "workingDirectory": False}
"""What a block may hold, and whether it must."""


def run(call: Call) -> int:
    """Run a pipeline by file or id."""
    return _drive(call, call.more["target"], call.more["prompt"] or "")


def execute(call: Call) -> int:
    """Run what a block asks for; its working directory is where the pipeline's folder of state is kept."""
    file: str | None = call.more["file"]
    said = read_block(_text(file), file or "standard input")
    folder = said.get("workingDirectory")
    if folder is not None:
        place = Path(folder).expanduser()
        if not place.is_dir():
            what, remedy = f"workingDirectory: there is no folder {folder}", "Make it, or name one that is there."
            raise BadInput([Diagnostic(place=file or "standard input", what=what, remedy=remedy)])
        call = call if call.workdir.is_absolute() else call.but(workdir=place / call.workdir)
    return _drive(call, said["pipelineName"], said.get("userPrompt", ""))


def _text(file: str | None) -> str:
    try:
        return sys.stdin.read(LONGEST) if file is None else Path(file).read_text()[:LONGEST]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput([wrong(f"{file or 'standard input'} can't be read: {error}", "Name a text file.")]) from error


def read_block(text: str, place: str) -> dict[str, str]:
    """The last block of a text.

    Raises:
        BadInput: there is none, or it does not hold what it must; with every finding.
    """
    start = text.rfind(OPEN)
    end = text.find(CLOSE, start)
    if start < 0 or end < 0:
        remedy = f'Write {OPEN}{{"pipelineName": "..."}}{CLOSE}.'
        raise BadInput([Diagnostic(place=place, what=f"there is no {OPEN} ... {CLOSE} block", remedy=remedy)])
    line = text.count("\n", 0, start) + 1
    try:
        held: Any = json.loads(_unfenced(text[start + len(OPEN) : end]))
    except ValueError as error:
        what = f"the block is no JSON: {error}"
        raise BadInput([Diagnostic(place=place, line=line, what=what, remedy="Write one JSON object.")]) from error
    findings = list(_findings(held, place, line))
    if findings:
        raise BadInput(findings)
    return cast("dict[str, str]", held)


def _unfenced(text: str) -> str:
    """Chats like to put JSON into a fence."""
    lines = [one for one in text.strip().splitlines() if not one.strip().startswith("```")]
    return "\n".join(lines)


def _findings(held: object, place: str, line: int) -> list[Diagnostic]:
    if not isinstance(held, dict):
        return [Diagnostic(place=place, line=line, what="the block is no JSON object", remedy="Write {...}.")]
    given = cast("dict[str, object]", held)
    wrong_ones = [
        Diagnostic(place=place, line=line, path=key, what=f"{key} should be a text", remedy="Put it in quotes.")
        for key in KEYS
        if key in given and not isinstance(given[key], str)
    ]
    missing = [
        Diagnostic(place=place, line=line, path=key, what=f"{key} is missing", remedy="Add it.")
        for key, must in KEYS.items()
        if must and not given.get(key)
    ]
    odd = [
        Diagnostic(place=place, line=line, path=key, what=f"{key} is not known", remedy=f"Known: {', '.join(KEYS)}.")
        for key in given
        if key not in KEYS
    ]
    return [*missing, *wrong_ones, *odd]


def _drive(call: Call, target: str, prompt: str) -> int:
    timed = call.timed()
    session = session_for(request_of(timed), target)

    async def drive(session: Session, screen: PlainScreen) -> control.Result:
        scripted = session.pipeline.kind is PipelineKind.SCRIPTED
        goal = Goal(words=prompt) if scripted else goal_of_prompt(session, prompt)
        return await control.run_goal(session, goal, brain=call.brain, listener=screen.show, anew=True)

    return verbs_run.act(timed, drive, session)
