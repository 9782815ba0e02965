"""The command `shiftboss`: reads the line, calls the verb, turns every error into words and an exit code.

Start-up is part of the product: nothing is imported here that `shiftboss --version` does not need.
"""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from shiftboss import __version__

EXIT_BROKEN_PIPE = 141  # 128 + SIGPIPE, what a shell shows for `yes | head`

HELP = """\
shiftboss looks at a stack as it really is, does what is missing, and proves it.

  shiftboss up                  a regtest daemon, pool and miner, and a block
  shiftboss up --env regtest,bob=regtest     two of them, side by side

"""
END = """
`shiftboss VERB --help` tells more. Options may stand before or after the verb;
--workdir DIR says where everything is kept (default .shiftboss).

Exit codes: 0 converged, 1 internal error, 2 usage, 3 a human is needed,
4 needs approval, 5 out of time, 6 refused (another hub is at work),
130 interrupted.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Without `argv` it is the process's own command line, and the process ends here.

    It ends without Python's tidying up: everything is closed and flushed by then, and taking 250 modules apart
    would cost a tenth of a no-op `up`.
    """
    if argv is not None:
        return _run(argv)
    code = _run(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)


def _run(words: Sequence[str]) -> int:
    try:
        code = _version(json="--json" in words) if list(words[:1]) == ["--version"] else _main(words)
        sys.stdout.flush()
    except BrokenPipeError:
        _close_quietly()
        return EXIT_BROKEN_PIPE
    return code


def _version(*, json: bool) -> int:
    sys.stdout.write(f'{{"version": "{__version__}"}}\n' if json else f"shiftboss {__version__}\n")
    return 0


def _main(words: Sequence[str]) -> int:
    from shiftboss.frontends import failures

    for stream in (sys.stdout, sys.stderr):
        failures.forgive_odd_letters(stream)
    try:
        if not words or words[0] in ("-h", "--help", "help"):
            return _help()
        failures.refuse_other_systems()
        return _call(words)
    except BrokenPipeError:
        raise
    except SystemExit as error:  # argparse, after --help
        return error.code if isinstance(error.code, int) else 0
    except BaseException as error:  # noqa: BLE001 - the border: an error becomes words and an exit code
        return failures.tell(error, words)


def _call(words: Sequence[str]) -> int:
    from shiftboss.frontends.arguments import read
    from shiftboss.frontends.verbs import VERBS, WORKERS

    if "--version" in words:
        return _version(json="--json" in words)
    call = read(words, VERBS)
    module, _, name = WORKERS[call.verb].partition(":")
    gc.disable()  # nothing imported is garbage: looking for it takes 10 ms
    work: Callable[[object], int] = getattr(import_module(f"shiftboss.frontends.{module}"), name)
    gc.enable()
    return work(call)


def _help() -> int:
    from shiftboss.frontends.verbs import VERBS

    lines: list[str] = []
    for group in dict.fromkeys(verb.group for verb in VERBS.values()):
        lines.append(f"{group}:\n")
        lines += [f"  {verb.name:<10} {verb.help}\n" for verb in VERBS.values() if verb.group == group]
    sys.stdout.write(HELP + "".join(lines) + END)
    return 0


def _close_quietly() -> None:
    """The reader is gone: let Python's last flush go nowhere instead of complaining."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
