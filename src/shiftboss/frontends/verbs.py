"""The table of verbs: name, help, what each takes, and which function does it (imported only when it is called)."""

import argparse

from shiftboss.frontends.arguments import Verb

WORKERS = {
    "up": "verbs_run:up",
    "down": "verbs_run:down",
    "restart": "verbs_run:restart",
    "watch": "verbs_run:watch",
    "status": "verbs_look:status",
    "plan": "verbs_look:plan",
    "env": "verbs_look:env",
    "logs": "verbs_logs:logs",
    "runs": "verbs_history:runs",
    "show": "verbs_history:show",
    "explain": "verbs_history:explain",
    "note": "verbs_history:note",
    "stop": "verbs_history:stop",
    "resume": "verbs_run:resume",
    "approve": "verbs_answer:approve",
    "deny": "verbs_answer:deny",
    "memory": "verbs_answer:memory",
    "restore": "verbs_restore:restore",
    "chaos": "verbs_chaos:chaos",
    "mine": "verbs_act:mine",
    "reorg": "verbs_act:reorg",
    "send": "verbs_act:send",
    "compare": "verbs_compare:compare",
    "brains": "verbs_brains:brains",
    "cache": "verbs_cache:cache",
    "run": "verbs_pipeline:run",
    "exec": "verbs_pipeline:execute",
    "validate": "verbs_files:validate",
    "agents": "verbs_files:agents",
    "pipelines": "verbs_files:pipelines",
    "import": "verbs_import:import_",
}
"""Verb -> module of this folder and the function in it that takes a Call and gives the exit code."""


def _goal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="[PACK] [COMPONENT...]", help="mining, and which parts of it")


def _up(parser: argparse.ArgumentParser) -> None:
    _goal(parser)
    add = parser.add_argument
    add("--prove", choices=("block", "maturity"), metavar="WHAT", help="block, or maturity (its reward can be spent)")
    add("--ci", action="store_true", help="for CI: plain lines, and nothing is left running if it does not converge")
    add("--timeout", metavar="S", help="seconds the run may take (limits.seconds)")
    add("--junit", metavar="FILE", help="write what became of each component as a JUnit XML file")
    add("--goal", metavar="TEXT", help='what is wanted, in words: "only the pool, do not touch the daemon"')


def _plan(parser: argparse.ArgumentParser) -> None:
    _goal(parser)
    parser.add_argument("--goal", metavar="TEXT", help="what is wanted, in words, as for `up`")


def _number(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", nargs="?", type=int, default=1, metavar="N", help="how many (default 1)")


def _compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pipelines", nargs=2, metavar="PIPELINE", help="ids, as `shiftboss pipelines` lists them")
    parser.add_argument("--from", dest="states", metavar="STATE,...", help="start states (default: all of them)")


def _brains(parser: argparse.ArgumentParser) -> None:
    actions = ("compare",)
    add = parser.add_argument
    add("action", choices=actions, metavar="ACTION", help=", ".join(actions))
    add("--simulated", action="store_true", help="play the same faults with each brain (--brain a,b) in virtual time")
    add("--seed", type=int, default=1, metavar="N", help="the same seed gives the same cases (default 1)")
    add("--runs", type=int, default=200, metavar="N", help="how many on the simulated stack (default 200)")
    add("--llm-runs", type=int, metavar="N", help="how many of these for the model (default 30 at most)")


def _cache(parser: argparse.ArgumentParser) -> None:
    actions = ("list", "fetch", "verify")
    parser.add_argument("action", choices=actions, metavar="ACTION", help=", ".join(actions))


def _down(parser: argparse.ArgumentParser) -> None:
    _goal(parser)
    parser.add_argument("--purge", action="store_true", help="also move the data aside")


def _components(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("components", nargs="+", metavar="COMPONENT", help="which running part to replace")


def _files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="template files or folders, or a shiftboss.toml")


def _pipeline(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("target", metavar="FILE|ID", help="a pipeline's file, or its id as `shiftboss pipelines` lists it")
    add("--prompt", metavar="TEXT", help="what is wanted, in words: every agent is told, and a brain that can read")
    add("--timeout", metavar="S", help="seconds the run may take (limits.seconds)")


def _block(parser: argparse.ArgumentParser) -> None:
    text = "a file with a [PIPELINE-EXECUTE] block (default: standard input)"
    parser.add_argument("file", nargs="?", metavar="FILE", help=text)
    parser.add_argument("--timeout", metavar="S", help="seconds the run may take (limits.seconds)")


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="its own files and those in agents, templates and pipelines")
    parser.add_argument("--to", metavar="OUT", help="where to write (default: DIR-imported beside it)")


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run's id, as `shiftboss runs` lists it")


def _maybe_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run's id (default: the newest)")


def _explain(parser: argparse.ArgumentParser) -> None:
    _maybe_run(parser)
    parser.add_argument("--turn", type=int, metavar="N", help="only the decision of this turn")


def _logs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("component", metavar="COMPONENT", help="daemon, pool, miner, peer")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is written from now on")
    parser.add_argument("-n", "--lines", type=int, default=100, metavar="N", help="how many lines back (default 100)")


def _note(parser: argparse.ArgumentParser) -> None:
    _run(parser)
    parser.add_argument("text", metavar="TEXT", help="what to write into the run's journal")


def _watch(parser: argparse.ArgumentParser) -> None:
    _goal(parser)
    parser.add_argument("--interval", metavar="S", help="seconds between looks when all is well (probes.interval)")


def _act(parser: argparse.ArgumentParser) -> None:
    text = "the act's number, its beginning, or the move's id; RUN may be left out"
    parser.add_argument("words", nargs="+", metavar="[RUN] ACT", help=text)


def _deny(parser: argparse.ArgumentParser) -> None:
    _act(parser)
    parser.add_argument("--reason", metavar="TEXT", help="why; it stands in the run's journal")


def _memory(parser: argparse.ArgumentParser) -> None:
    actions = ("list", "show", "export", "import", "forget")
    parser.add_argument("action", choices=actions, metavar="ACTION", help=", ".join(actions))
    text = "show, forget: of a failure, or its beginning; import: the file that export wrote"
    parser.add_argument("signature", nargs="?", metavar="SIGNATURE", help=text)
    parser.add_argument("--strategy", metavar="NAME", help="forget: only what was learned of this strategy")
    parser.add_argument("--all", action="store_true", help="forget: everything")


def _restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("snapshot", nargs="?", metavar="SNAPSHOT", help="what to bring back (default: list them)")


def _chaos(parser: argparse.ArgumentParser) -> None:
    actions = ("list", "inject", "clear", "run")
    add = parser.add_argument
    add("action", choices=actions, metavar="ACTION", help=", ".join(actions))
    add("names", nargs="*", metavar="NAME", help="inject, clear: faults, as `shiftboss chaos list` names them")
    add("--simulated", action="store_true", help="run: on a simulated stack in virtual time")
    add("--real", action="store_true", help="run: on real parts, in working directories of their own")
    add("--seed", type=int, default=1, metavar="N", help="run: the same seed gives the same runs (default 1)")
    add("--runs", type=int, default=200, metavar="N", help="run: how many on the simulated stack (default 200)")
    add("--faults", metavar="A,B", help="run: only these faults")
    add("--out", metavar="DIR", help="run: where to write the score (JSON, Markdown, a picture)")


ACT, LOOK, RUNS, TROUBLE = "The stack", "A look at it", "Runs", "When things break"
DEVELOP, FILES = "For pool developers", "Templates and settings"
"""The groups of the help."""

VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            group=ACT,
            name="up",
            help="Bring the stack up and prove it; does only what is missing",
            declare=_up,
            command=True,
        ),
        Verb(group=ACT, name="down", help="Stop what we started; data is kept, adopted parts live on", declare=_down),
        Verb(group=ACT, name="restart", help="Replace running parts, and what depends on them", declare=_components),
        Verb(
            group=ACT,
            name="watch",
            help="Bring the stack up and keep it so, until stopped",
            detail="Prints a line per change. Ctrl-C and SIGTERM end it (exit code 130); the stack stays.",
            declare=_watch,
        ),
        Verb(
            group=LOOK,
            name="status",
            help="Look at the stack; changes nothing",
            detail="Exit code 0 when every component is ready, 3 otherwise.",
        ),
        Verb(group=LOOK, name="plan", help="Say what `up` would do now, and what it would skip", declare=_plan),
        Verb(group=LOOK, name="logs", help="Print a component's log", declare=_logs),
        Verb(
            group=LOOK,
            name="env",
            help="Print the endpoints as exports for a shell",
            detail='Use it as eval "$(shiftboss env)".',
        ),
        Verb(group=RUNS, name="runs", help="List the runs of this working directory"),
        Verb(group=RUNS, name="show", help="Show one run", declare=_run),
        Verb(
            group=RUNS,
            name="explain",
            help="Every decision: evidence, gap, legal moves, choice, alternatives",
            declare=_explain,
        ),
        Verb(group=RUNS, name="note", help="Say something to a run; it stands in its journal", declare=_note),
        Verb(
            group=RUNS,
            name="stop",
            help="End the run that another shiftboss is driving; the stack stays",
            declare=_maybe_run,
        ),
        Verb(
            group=TROUBLE,
            name="resume",
            help="Take up a run that was cut off, needs consent, or needed a human",
            detail="It looks first: what was mended by hand is kept as a lesson.",
            declare=_maybe_run,
        ),
        Verb(
            group=TROUBLE,
            name="approve",
            help="Consent to one act that a run asks about (exit code 4)",
            detail="It counts for exactly this act in this run; `shiftboss resume` then goes on.",
            declare=_act,
        ),
        Verb(group=TROUBLE, name="deny", help="Forbid one act that a run asks about", declare=_deny),
        Verb(
            group=TROUBLE,
            name="memory",
            help="What was learned: list, show, export, import, forget",
            declare=_memory,
        ),
        Verb(
            group=TROUBLE,
            name="restore",
            help="Bring back data that was moved aside; without a name list it",
            declare=_restore,
        ),
        Verb(group=TROUBLE, name="chaos", help="Faults to try it with: list, inject, clear, run", declare=_chaos),
        Verb(
            group=DEVELOP,
            name="mine",
            help="Make N blocks at once, paid to the wallet",
            declare=_number,
        ),
        Verb(group=DEVELOP, name="reorg", help="Replace the newest N blocks by N+1 others", declare=_number),
        Verb(group=DEVELOP, name="send", help="Put N payments into the mempool", declare=_number),
        Verb(
            group=DEVELOP,
            name="compare",
            help="Run two pipelines from the same states and compare the ends",
            declare=_compare,
        ),
        Verb(
            group=DEVELOP,
            name="brains",
            help="What a model chose beside the policy's choice: compare",
            detail="Out of the journals here; with --simulated also brains that know nothing, on the same faults.",
            declare=_brains,
        ),
        Verb(group=DEVELOP, name="cache", help="What is downloaded: list, fetch, verify", declare=_cache),
        Verb(
            group=FILES,
            name="run",
            help="Run any pipeline, hub or scripted, with the agents it names",
            detail="Tasks are done anew in each run; what is looked at is only done where it is missing.",
            declare=_pipeline,
        ),
        Verb(
            group=FILES,
            name="exec",
            help="Run what a [PIPELINE-EXECUTE] block asks for",
            detail="The block is JSON between [PIPELINE-EXECUTE] and [/PIPELINE-EXECUTE]: pipelineName, userPrompt, "
            "workingDirectory.",
            declare=_block,
        ),
        Verb(group=FILES, name="validate", help="Check templates and settings; all findings at once", declare=_files),
        Verb(group=FILES, name="agents", help="List the agents and what they look after"),
        Verb(group=FILES, name="pipelines", help="List the pipelines and their stages"),
        Verb(
            group=FILES,
            name="import",
            help="Take over pipelines and agents of the original design",
            detail="Every finding is told; files in error are named and not written (exit code 2).",
            declare=_import,
        ),
    )
}
"""Every verb by name, in the order of the help."""
