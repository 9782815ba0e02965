"""What may be written on the command line, read into a Call. Needs nothing but argparse.

Options that hold everywhere may stand before or after the verb; cli.py calls `read`. Nothing is looked up here: whether
a component, run or pipeline exists is said by those who know.
"""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, NoReturn

from shiftboss.errors import BadInput
from shiftboss.model.diagnostic import Diagnostic
from shiftboss.model.value import Value

PACKS = ("mining",)
"""First words after `up`, `down` and `plan` that name a pack; any other is a component."""

DEFAULT_WORKDIR = ".shiftboss"
_WITH_VALUE = ("--workdir", "--env", "--set", "--pipeline", "--brain")


class Call(Value):
    """One command as the user wrote it."""

    verb: str
    workdir: Path = Path(DEFAULT_WORKDIR)
    environments: Sequence[str] = ()  #: NAME or NAME=PROFILE, with commas between
    sets: Sequence[str] = ()
    pipeline: str | None = None
    brain: str | None = None
    json: bool = False
    color: bool = True
    quiet: bool = False
    command: Sequence[str] | None = None  #: what stands after `--`, where the verb takes that; None without a `--`
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])  #: what only this verb takes

    def timed(self) -> "Call":
        """The call with its --timeout as the setting that it stands for."""
        seconds: str | None = self.more.get("timeout")
        return self if seconds is None else self.but(sets=(*self.sets, f"limits.seconds={seconds}"))


class Verb(Value):
    """A verb's line in the help, and what it takes."""

    name: str
    help: str
    group: str = ""  #: under which title of the help it stands
    detail: str = ""
    declare: Callable[[argparse.ArgumentParser], None] = lambda _parser: None
    command: bool = False  #: takes a command to run after `--`


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as a Diagnostic instead of leaving the process."""

    def error(self, message: str) -> NoReturn:
        raise BadInput([wrong(message, f"shiftboss {self.prog.split()[-1]} --help shows what it takes")])


def wrong(what: str, remedy: str) -> Diagnostic:
    """A finding about the command line."""
    return Diagnostic(place="command line", what=what, remedy=remedy)


def split(argv: Sequence[str]) -> tuple[list[str], str | None, list[str]]:
    """What stands before the verb, the verb, and what stands after it."""
    index = 0
    while index < len(argv) and argv[index].startswith("-"):
        index += 2 if argv[index] in _WITH_VALUE else 1
    verb = argv[index] if index < len(argv) else None
    return list(argv[:index]), verb, list(argv[index + 1 :])


def read(argv: Sequence[str], verbs: Mapping[str, Verb], environ: Mapping[str, str] = os.environ) -> Call:
    """The call that was written.

    Raises:
        BadInput: there is no such verb or option, or something is missing.
        SystemExit: help was asked for, and printed.
    """
    before, name, after = split(argv)
    verb = verbs.get(name or "")
    if verb is None:
        raise BadInput([_unknown_verb(name or " ".join(argv), verbs)])
    parser = parser_of(verb)
    command: Sequence[str] | None = None
    if verb.command and "--" in after:
        index = after.index("--")
        after, command = after[:index], tuple(after[index + 1 :])
    found, rest = parser.parse_known_intermixed_args([*before, *after])
    if rest:
        raise BadInput([_unknown_word(word, verb, parser) for word in rest])
    given = vars(found)
    return Call(
        verb=verb.name,
        workdir=Path(given.pop("workdir")),
        environments=tuple(given.pop("environments")),
        sets=tuple(given.pop("sets")),
        pipeline=given.pop("pipeline"),
        brain=given.pop("brain"),
        json=given.pop("json"),
        color=not given.pop("no_color") and not environ.get("NO_COLOR"),
        quiet=given.pop("quiet"),
        command=command,
        more=given,
    )


def parser_of(verb: Verb) -> argparse.ArgumentParser:
    """The parser of one verb, with the options that hold everywhere."""
    parser = _Parser(
        prog=f"shiftboss {verb.name}",
        description=f"{verb.help}. {verb.detail}".strip(),
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.declare(parser)
    add = parser.add_argument_group("options of every verb").add_argument
    add("--workdir", metavar="DIR", default=DEFAULT_WORKDIR, help=f"working directory (default {DEFAULT_WORKDIR})")
    about = "environments, e.g. regtest,bob=testnet4 (default: all of the working directory)"
    add("--env", metavar="NAME[=PROFILE],...", action="append", default=[], dest="environments", help=about)
    add("--set", metavar="KEY=VALUE", action="append", default=[], dest="sets", help="a setting; may be repeated")
    add("--pipeline", metavar="ID", help="another pipeline than the pack's own")
    add("--brain", metavar="NAME", help="what decides: policy, llm, shadow or script (brain.kind)")
    add("--json", action="store_true", help="one JSON document on stdout and nothing else")
    add("--no-color", action="store_true", help="no colours (also: NO_COLOR=1)")
    add("-q", "--quiet", action="store_true", help="only problems and the end")
    return parser


def _unknown_verb(name: str, verbs: Mapping[str, Verb]) -> Diagnostic:
    if name.startswith("-"):
        return wrong(f"there is no verb in {name!r}", "shiftboss --help lists the verbs")
    return wrong(f"there is no verb {name!r}", _near(name, list(verbs), f"The verbs are: {', '.join(verbs)}"))


def _unknown_word(word: str, verb: Verb, parser: argparse.ArgumentParser) -> Diagnostic:
    help_line = f"shiftboss {verb.name} --help shows what it takes"
    if not word.startswith("-"):
        return wrong(f"{verb.name} does not take {word!r}", help_line)
    known = [one for one in parser._option_string_actions if one.startswith("--")]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - argparse has no public list of its options
    return wrong(f"there is no option {word}", _near(word.partition("=")[0], known, help_line))


def _near(word: str, known: Sequence[str], otherwise: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, known, 1)
    return f"Did you mean {near[0]}?" if near else otherwise
