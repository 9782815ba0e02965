"""The table of verbs: name, help, what each takes, and which function does it (imported only when it is called)."""

import argparse

from shiftboss.frontends.arguments import Verb

WORKERS = {
    "up": "verbs_run:up",
    "down": "verbs_run:down",
    "restart": "verbs_run:restart",
    "resume": "verbs_run:resume",
    "status": "verbs_look:status",
    "plan": "verbs_look:plan",
    "env": "verbs_look:env",
    "logs": "verbs_logs:logs",
    "validate": "verbs_files:validate",
    "agents": "verbs_files:agents",
    "pipelines": "verbs_files:pipelines",
    "runs": "verbs_history:runs",
    "show": "verbs_history:show",
    "explain": "verbs_history:explain",
    "note": "verbs_history:note",
    "stop": "verbs_history:stop",
}
"""Verb -> module of this folder and the function in it that takes a Call and gives the exit code."""


def _goal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="[PACK] [COMPONENT...]", help="mining, and which parts of it")


def _down(parser: argparse.ArgumentParser) -> None:
    _goal(parser)
    parser.add_argument("--purge", action="store_true", help="also move the data aside")


def _components(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("components", nargs="+", metavar="COMPONENT", help="which running part to replace")


def _files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="template files or folders, or a shiftboss.toml")


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run's id, as `shiftboss runs` lists it")


def _maybe_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run's id (default: the newest)")


def _explain(parser: argparse.ArgumentParser) -> None:
    _maybe_run(parser)
    parser.add_argument("--turn", type=int, metavar="N", help="only the decision of this turn")


def _logs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("component", metavar="COMPONENT", help="daemon, pool, miner")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is written from now on")
    parser.add_argument("-n", "--lines", type=int, default=100, metavar="N", help="how many lines back (default 100)")


def _note(parser: argparse.ArgumentParser) -> None:
    _run(parser)
    parser.add_argument("text", metavar="TEXT", help="what to write into the run's journal")


VERBS = {
    verb.name: verb
    for verb in (
        Verb(name="up", help="Bring the stack up and prove it; does only what is missing", declare=_goal),
        Verb(name="down", help="Stop what we started; data is kept, adopted parts live on", declare=_down),
        Verb(name="restart", help="Replace running parts, and what depends on them", declare=_components),
        Verb(
            name="status",
            help="Look at the stack; changes nothing",
            detail="Exit code 0 when every component is ready, 3 otherwise.",
        ),
        Verb(name="plan", help="Say what `up` would do now, and what it would skip", declare=_goal),
        Verb(name="validate", help="Check templates and settings; all findings at once", declare=_files),
        Verb(name="runs", help="List the runs of this working directory"),
        Verb(name="show", help="Show one run", declare=_run),
        Verb(name="explain", help="Every decision: evidence, gap, legal moves, choice, alternatives", declare=_explain),
        Verb(name="logs", help="Print a component's log", declare=_logs),
        Verb(name="agents", help="List the agents and what they look after"),
        Verb(name="pipelines", help="List the pipelines and their stages"),
        Verb(name="resume", help="Take up a run that was cut off", declare=_maybe_run),
        Verb(
            name="env",
            help="Print the endpoints as exports for a shell",
            detail='Use it as eval "$(shiftboss env)".',
        ),
        Verb(name="note", help="Say something to a run; it stands in its journal", declare=_note),
        Verb(name="stop", help="End the run that another shiftboss is driving; the stack stays", declare=_maybe_run),
    )
}
"""Every verb by name, in the order of the help."""
